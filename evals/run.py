"""Runs cases in order and scores them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.case import Case
from evals.scorers import Score, scores_of
from evals.target import Bench, Trial, attempt


@dataclass(frozen=True)
class Result:
    """A case with its scores."""

    case: Case
    trial: Trial
    scores: tuple[Score, ...]
    seconds: float

    @property
    def failures(self) -> list[Score]:
        """The checks that do not hold."""
        return [score for score in self.scores if score.value == "fails"]

    @property
    def value(self) -> str:
        """`holds`, `fails`, or `not run` when nothing fails but a reply is missing."""
        if self.failures:
            return "fails"
        return "not run" if any(score.value == "not run" for score in self.scores) else "holds"


def run_cases(cases: Sequence[Case], bench: Bench, watch: Callable[[Result], None]) -> list[Result]:
    """The results in order; `watch` gets each as it comes. Raises UnavailableError for Spark and models."""
    results = []
    for case in cases:
        started = time.monotonic()
        trial = attempt(case, bench)
        result = Result(case, trial, tuple(scores_of(case, trial)), time.monotonic() - started)
        watch(result)
        results.append(result)
    return results


def broken_promises(results: Sequence[Result]) -> list[Result]:
    """Results of `must_hold` cases that fail, or that could not be scored for lack of a reply."""
    return [result for result in results if result.case.must_hold and result.value != "holds"]
