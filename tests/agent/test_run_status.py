"""The state machine of a run, printed, and the only place that compares statuses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.run_status import EVENTS, STATUSES, after, has_ended, is_open

ROOT = Path(__file__).parents[2]
PRINTED = """
                 run  pend inte canc over anno succ fail canc inva unav
drive            run  run  run  .    .    .    .    .    .    run  run
settle           run  .    .    .    .    .    .    .    .    .    .
suspend          run  run  run  .    .    .    .    .    .    .    .
postpone         pend pend pend .    .    .    .    .    .    .    .
interrupt        inte inte inte .    .    .    .    .    .    .    .
reject           inva inva inva .    .    .    .    .    .    .    .
refuse           unav unav unav .    .    .    .    .    .    .    .
succeed          succ succ succ .    .    .    .    .    .    .    .
fail             fail fail fail .    .    .    .    .    .    .    .
announce         anno anno anno .    .    .    .    .    .    .    .
cancel           CANC CANC CANC CANC CANC .    .    .    .    CANC CANC
overrun          over over over .    over .    .    .    .    .    .
spare            .    .    .    run  run  .    .    .    .    .    .
end_cancel       .    .    .    canc .    .    .    .    .    .    .
end_overrun      .    .    .    .    fail .    .    .    .    .    .
announce_cancel  .    .    .    anno .    .    .    .    .    .    .
announce_overrun .    .    .    .    anno .    .    .    .    .    .
told_success     .    .    .    .    .    succ .    .    .    .    .
told_failed      .    .    .    .    .    fail .    .    .    .    .
told_cancelled   .    .    .    .    .    canc .    .    .    .    .
restart          .    .    .    run  .    .    run  run  run  run  .
"""
SHORT = {"running": "run", "publish_pending": "pend", "cancelling": "CANC", None: "."}


def printed() -> str:
    """The table: a row an event, a column a status, in each cell the status that follows, `.` where it is refused."""
    head = [" " * 16, *(SHORT.get(status, status[:4]).lower().ljust(4) for status in STATUSES)]
    rows = [[event.ljust(16), *(_cell(after(status, event)) for status in STATUSES)] for event in EVENTS]
    return "\n".join(" ".join(row).rstrip() for row in (head, *rows))


def _cell(status: str | None) -> str:
    return SHORT.get(status, (status or "")[:4]).ljust(4)


def test_the_table_reads_as_printed() -> None:
    """Whoever changes the table sees here what it does to every status; CANC is `cancelling`."""
    assert printed() == PRINTED.strip("\n")


def test_every_run_that_is_open_can_end() -> None:
    """From each open status some events lead to an end; an end allows a restart and nothing else."""
    reached = {status for status in STATUSES if has_ended(status)}
    assert all(after(status, event) is None for status in reached for event in EVENTS if event != "restart")
    while (
        more := {
            status
            for status in STATUSES
            if any(after(status, event) in reached for event in EVENTS) and is_open(status)
        }
        - reached
    ):
        reached |= more
    assert {status for status in STATUSES if is_open(status)} <= reached


def comparisons(module: Path) -> Iterator[str]:
    """Comparisons of a module with a word of the state machine, and collections of such words; a Literal is a type."""
    words = {*STATUSES} - {"success", "failed"}
    tree = ast.parse(module.read_text(encoding="utf-8"))
    types = {node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    for node in ast.walk(tree):
        least = 1 if isinstance(node, ast.Compare | ast.MatchValue) else 2
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Tuple | ast.List | ast.Set) and node not in types:
            constants = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            told = sum(isinstance(value, str) and value in words for value in constants)
            if told >= least and "execution_status" not in constants:
                yield f"{module.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("folder", ["runs", "graph", "tools", "studio", "cli", "evals", "."])
def test_no_other_module_compares_statuses(folder: str) -> None:
    """They ask the table, and keep no tuples of statuses.

    The `execution_status` of an answer is another word; `success` and `failed` are also the workflow's own.
    """
    modules = (ROOT / folder).glob("*.py") if folder == "." else (ROOT / folder).rglob("*.py")
    assert [found for module in modules for found in comparisons(module)] == []
