"""What a fault sweep uses: a tally that the terminal shows at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.faults.tally import PROPERTY, Tally, summary


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """Count this test's cases."""
    made = Tally()
    yield made
    record_property(PROPERTY, made.packed())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the counts of all sweeps, and in the last line the totals."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    packed = [value for one in reports for name, value in getattr(one, "user_properties", ()) if name == PROPERTY]
    if packed:
        for line in summary(packed):
            terminalreporter.write_line(line)
