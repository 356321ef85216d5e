"""Transforms that others wrote: what good engineers write, and what tries to reach out of a transform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.errors import ReplyError
from agent.sanitizing.policy import check_policy
from agent.sanitizing.reply import extract
from agent.sanitizing.runtime import OLDEST, Runtime

Case = dict[str, Any]
"""`id`, `code`, of some `sources` (columns with Spark types, rows), and the rule by which a case is `refused`."""

_DATA = Path(__file__).parents[2] / "data"


def cases(name: str) -> list[Case]:
    """The cases of a data file."""
    read: list[Case] = json.loads((_DATA / f"gate_{name}.json").read_text(encoding="utf-8"))
    return read


BENIGN = cases("benign")
HOSTILE = cases("hostile")


def extract_transform(text: str, stop_reason: str = "end_turn") -> str:
    """The source of the transform in a reply."""
    return extract(text, stop_reason).source


def rules(code: str, runtime: Runtime = OLDEST) -> list[str]:
    """The rules by which a reply is refused; empty when it passes."""
    try:
        return [found["rule"] for found in check_policy(extract_transform(code, "end_turn"), runtime=runtime)]
    except ReplyError as error:
        return [error.rule]
