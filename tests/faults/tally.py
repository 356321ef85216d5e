"""Counts of a fault sweep: how many cases were tried, and which of them broke an invariant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

PROPERTY = "tally"
"""The name under which a test's report carries its counts, from whatever process it ran in."""
_TOLD = 20


@dataclass
class Tally:
    """The cases of one test."""

    cases: dict[str, int] = field(default_factory=dict)
    """By sweep."""
    violations: list[tuple[str, str]] = field(default_factory=list)
    """Sweep and detail of each case that went wrong."""

    def case(self, sweep: str, ok: bool, detail: str = "") -> None:
        """Count one case; `detail` says which one it was, and what was wrong."""
        self.cases[sweep] = self.cases.get(sweep, 0) + 1
        if not ok:
            self.violations.append((sweep, detail))

    def check(self) -> None:
        """Raise AssertionError that tells the first violations, or that nothing was tried."""
        assert self.cases, "no case was tried"
        told = "\n".join(f"{sweep}: {detail}" for sweep, detail in self.violations[:_TOLD])
        assert not self.violations, f"{len(self.violations)} of {sum(self.cases.values())} cases:\n{told}"

    def packed(self) -> str:
        """The counts as a report's property: `{sweep: [cases, violations]}`."""
        wrong = [sweep for sweep, _ in self.violations]
        return json.dumps({sweep: [count, wrong.count(sweep)] for sweep, count in self.cases.items()})


def summary(packed: Iterable[str]) -> list[str]:
    """A line for each sweep, and the totals."""
    counts: dict[str, list[int]] = {}
    for one in packed:
        for sweep, (cases, violations) in json.loads(one).items():
            so_far = counts.setdefault(sweep, [0, 0])
            so_far[0] += cases
            so_far[1] += violations
    lines = [
        f"{sweep}: {cases} cases, {violations} violations" for sweep, (cases, violations) in sorted(counts.items())
    ]
    totals = [sum(column) for column in zip(*counts.values(), strict=True)] or [0, 0]
    return [*lines, f"faults: {totals[0]} cases, {totals[1]} violations"]
