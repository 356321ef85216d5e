"""A tally of the cases of fault sweeps, shown at the end; samples of the sweeps are slow tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.tally import PROPERTY, Tally, summary

_QUIET = -2
"""With `-qq` pytest has no closing line of its own."""


_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow whatever is no whole sweep, before pytest selects by marker."""
    for item in items:
        if _HERE in item.path.parents and not item.get_closest_marker("faults"):
            item.add_marker("slow")


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """Count this test's cases; shown in the terminal's summary."""
    made = Tally()
    yield made
    record_property(PROPERTY, made.packed())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the counts of all sweeps, before pytest's closing line."""
    if terminalreporter.verbosity > _QUIET:
        _show(terminalreporter)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Show them after all else where pytest has no closing line: the totals are the last line, green or red."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(reporter, pytest.TerminalReporter) and reporter.verbosity <= _QUIET:
        _show(reporter)


def _show(reporter: pytest.TerminalReporter) -> None:
    packed, failed = dict[str, str](), set[str]()
    for group in reporter.stats.values():
        for report in group:
            if told := dict(getattr(report, "user_properties", ())).get(PROPERTY):
                packed[report.nodeid] = str(told)
            if getattr(report, "failed", False):
                failed.add(report.nodeid)
    untold = [test for test in sorted(failed) if not _wrong(packed.get(test, "{}"))]
    if packed or untold:
        for line in summary(packed.values(), untold):
            reporter.write_line(line)


def _wrong(packed: str) -> bool:
    """Whether a test told of a violation."""
    return any(wrong for _, wrong in json.loads(packed).values())
