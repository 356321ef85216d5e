"""Report of an eval run: totals for both tiers, and every score with its explanation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from evals.run import Result, broken_promises

TIERS = {True: "must hold", False: "recorded"}
VALUES = ("holds", "fails", "not run")


def report(results: Sequence[Result], model: str) -> dict[str, Any]:
    """The report of a run as JSON data."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "model": model,
        "passed": not broken_promises(results),
        "totals": totals(results),
        "usage": usage(results),
        "cases": [_case_report(result) for result in results],
    }


def totals(results: Sequence[Result]) -> dict[str, dict[str, int]]:
    """Counts of the cases of each tier that hold, fail, or were not run."""
    counted = {}
    for must_hold, tier in TIERS.items():
        values = Counter(result.value for result in results if result.case.must_hold is must_hold)
        counted[tier] = {value: values[value] for value in VALUES}
    return counted


def usage(results: Sequence[Result]) -> dict[str, float]:
    """Token usage and cost of the model calls; recorded replies count with their recorded usage."""
    used = [result.trial.usage for result in results]
    return {
        "input_tokens": sum(one["input_tokens"] for one in used),
        "output_tokens": sum(one["output_tokens"] for one in used),
        "usd": round(sum(one["usd"] for one in used), 6),
    }


def _case_report(result: Result) -> dict[str, Any]:
    case, trial = result.case, result.trial
    return {
        "case": case.name,
        "about": case.about,
        "tier": TIERS[case.must_hold],
        "phase": case.phase,
        "value": result.value,
        "repaired_by": trial.way if trial.asked else None,
        "seconds": round(result.seconds, 2),
        "scores": [vars(score) for score in result.scores],
        "diagnoses": list(trial.diagnoses),
        "sample": list(trial.result.sample) if trial.result else None,
        "usage": trial.usage,
    }
