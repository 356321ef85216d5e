"""Counts of a fault sweep: how many cases were tried, and which of them broke a promise."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

PROPERTY = "tally"
"""Under this name a test's report carries its counts, from whatever process it ran in."""
_TOLD = 20


@dataclass
class Tally:
    """The cases of one test."""

    cases: Counter[str] = field(default_factory=Counter)
    """How many were tried, by sweep."""
    violations: list[tuple[str, str]] = field(default_factory=list)
    """Sweep and detail of each that went wrong."""

    def case(self, sweep: str, ok: bool, detail: str = "") -> None:
        """Count a case; `detail` says which one it was and what was wrong."""
        self.cases[sweep] += 1
        if not ok:
            self.violations.append((sweep, detail))

    def check(self) -> None:
        """Raise AssertionError for violations, and for a sweep that tried nothing."""
        assert self.cases, "no case was tried"
        told = "\n".join(f"{sweep}: {detail}" for sweep, detail in self.violations[:_TOLD])
        assert not self.violations, f"{len(self.violations)} of {self.cases.total()} cases:\n{told}"

    def packed(self) -> str:
        """`{sweep: [cases, violations]}` as JSON."""
        wrong = Counter(sweep for sweep, _ in self.violations)
        return json.dumps({sweep: [count, wrong[sweep]] for sweep, count in self.cases.items()})


def summary(packed: Iterable[str], failed: Iterable[str] = ()) -> list[str]:
    """A line for each sweep, and one with the totals; each test that failed with no violation counts as one."""
    cases: Counter[str] = Counter()
    violations: Counter[str] = Counter()
    for one in packed:
        for sweep, (tried, wrong) in json.loads(one).items():
            cases[sweep] += tried
            violations[sweep] += wrong
    for test in failed:
        cases[test] += 1
        violations[test] += 1
    lines = [f"{sweep}: {cases[sweep]} cases, {violations[sweep]} violations" for sweep in sorted(cases)]
    return [*lines, f"faults: {cases.total()} cases, {violations.total()} violations"]
