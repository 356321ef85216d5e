"""README and code say the same."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from agent.settings import PREFIX, Settings, load_settings
from cli.parser import EPILOG, parser
from graph.builder import build_workflow
from tests.fakes.moto_server import COMPLETION_PATTERN, LIFECYCLE, REFUSED_PATTERN
from tests.lambda_handler.test_bad_days import ENDED, UNAVAILABLE
from tools.fakes import FakeClock, FakeDatabase, FakeJobs, FakeModel
from tools.local.artifacts import LocalArtifacts
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.toolbox import Toolbox

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def configuration_table() -> str:
    """Give the table that README must hold."""
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        description = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {description} |")
    return "\n".join(rows)


def diagram(folder: Path) -> str:
    """Give the diagram that README must hold: the workflow, drawn by LangGraph itself."""
    with closing(SqliteLedger(folder / "ledger.sqlite")) as ledger:
        tools = Toolbox(
            model=FakeModel([]),
            artifacts=LocalArtifacts(folder),
            jobs=FakeJobs(),
            dry_run=None,
            database=FakeDatabase(),
            ledger=ledger,
            lease=FileLease(folder),
            journal=JsonlJournal(folder),
            clock=FakeClock(),
        )
        drawn = build_workflow(tools, load_settings({}, {})).get_graph().draw_mermaid(with_styles=False)
    return drawn.replace("\t", "  ").strip()


def test_the_configuration_table_is_the_settings() -> None:
    """Each variable, its default and its meaning."""
    assert configuration_table() in README


def test_the_diagram_is_the_graph(tmp_path: Path) -> None:
    """Each node and edge."""
    assert diagram(tmp_path) in README


def test_every_command_is_described() -> None:
    """And every described one exists."""
    (commands,) = [a.choices for a in parser()._actions if a.choices and isinstance(a.choices, dict)]
    described = set(re.findall(r"^datamorph (\w+)", README, re.MULTILINE))
    assert described == set(commands)


def test_exit_codes_are_told_alike() -> None:
    """In the help and in README."""
    codes = "0 success, 2 bad input or conflict, 3 failed run, 4 unavailable, 5 suspended"
    assert codes in EPILOG
    assert codes in README


def test_every_file_that_readme_names_is_there() -> None:
    """Links and recordings."""
    root = Path(__file__).parents[1]
    named = set(re.findall(r"\]\(([\w./-]+)\)", README)) | set(re.findall(r"examples/[\w/.]+\.jsonl?", README))
    assert len(named) > 6
    assert [name for name in named if not (root / name).exists()] == []


def test_the_rules_of_a_bucket_are_the_tested_ones() -> None:
    """The command that a reader copies gives the bucket that the tests have, at which the doctor finds nothing."""
    indented = LIFECYCLE.replace("\n", "\n  ")
    assert f"--lifecycle-configuration '{indented}'" in README


@pytest.mark.parametrize("pattern", [COMPLETION_PATTERN, REFUSED_PATTERN])
def test_the_patterns_are_the_tested_ones(pattern: str) -> None:
    """The rules that a reader copies are those by which the tests listen."""
    assert f"```json\n{pattern}\n```" in README


def test_every_bad_day_has_a_row() -> None:
    """Under the name that its test has."""
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| ")]
    names = [case[0] for case in UNAVAILABLE] + [case[0] for case in ENDED]
    assert [name for name in names if not any(name in row for row in rows)] == []


def test_lessons_stay_few() -> None:
    """At most 20 lines, for they go into every prompt."""
    from prompts import lessons

    assert len(lessons().splitlines()) <= 20
