"""The CloudFormation templates as data, short forms as CloudFormation's long ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"
NAMES = ("template.yaml", "endpoints.yaml")

Json = dict[str, Any]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML with `!Ref` and its like."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: object = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".")
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast(yaml.MappingNode, node), deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(name: str) -> Json:
    """One template."""
    return cast(Json, yaml.load((INFRA / name).read_text(encoding="utf-8"), Loader=_Loader))


def resources(name: str, kind: str) -> Json:
    """The properties of all resources of a type, by their names in the template."""
    found = load(name)["Resources"].items()
    return {key: made["Properties"] for key, made in found if made["Type"] == kind}


def statements(role: str) -> list[Json]:
    """All statements of a role's policies, with those that a parameter brings; Action and Resource are lists."""
    found: list[Json] = []
    for policy in resources("template.yaml", "AWS::IAM::Role")[role]["Policies"]:
        found += [_chosen(one) for one in _chosen(policy)["PolicyDocument"]["Statement"]]
    return [{**one, "Action": as_list(one["Action"]), "Resource": as_list(one["Resource"])} for one in found]


def _chosen(value: Json) -> Json:
    """The value where its condition holds."""
    return cast(Json, value["Fn::If"][1]) if "Fn::If" in value else value


def as_list(value: object) -> list[Any]:
    """A list as it is, anything else as a list of it."""
    return value if isinstance(value, list) else [value]


def texts(value: object) -> Iterator[str]:
    """Every string within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
