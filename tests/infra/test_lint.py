"""The templates hold to CloudFormation's own schemas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.templates import INFRA, NAMES, load

REASONS = {
    "W1030": "a parameter that is empty by default is used where a condition and a rule say that it is not",
    "W1035": "the same, through Fn::Select",
}


def lint(name: str, *options: str) -> str:
    command = [str(Path(sys.executable).with_name("cfn-lint")), *options, "--", str(INFRA / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    """No error, and no warning but those with a reason."""
    assert lint(name, "--ignore-checks", *REASONS) == ""


@pytest.mark.slow
def test_the_reasons_are_about_the_optional_connection() -> None:
    """The ignored rule concerns the one resource that is made only when its parameters are given."""
    found = lint("template.yaml", "--format", "parseable").splitlines()
    assert {line.split(":")[5] for line in found} == set(REASONS)
    source = (INFRA / "template.yaml").read_text(encoding="utf-8").splitlines()
    first = source.index("  Connection:") + 1
    last = next(number for number in range(first, len(source)) if not source[number])
    assert all(first <= int(line.split(":")[1]) <= last for line in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_and_output_is_described(name: str) -> None:
    """The console shows them to people who deploy."""
    template = load(name)
    for described in (*template["Parameters"].values(), *template.get("Outputs", {}).values()):
        assert described["Description"]
