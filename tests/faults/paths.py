"""The three ways that a run can go, as plans of the engine."""

from __future__ import annotations

from tests.faults.tables import STAGED
from tools.fakes import PlannedRun

SUCCEEDS = PlannedRun(rows=len(STAGED), columns=("customer", "total"), looks=1, log="done\n")
FAILS = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 60; JobPhaseError: [datamorph phase="cast" line=60] '
    "ValueError: column total: 3 values do not fit numeric(12,2)",
    looks=1,
)
FAILS_OTHERWISE = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 40; JobPhaseError: [datamorph phase="transform" line=40] '
    "AnalysisException: Column 'x' does not exist. Did you mean one of the following? [customer, amount];",
    looks=1,
)

PATHS: dict[str, list[PlannedRun]] = {
    "right at once": [SUCCEEDS],
    "repaired": [FAILS, SUCCEEDS],
    "given up": [FAILS, FAILS_OTHERWISE],
}
CANCELLED = "cancelled"
"""A run that waits for its job, and is cancelled: no way of its own."""
WAITS = [PlannedRun(rows=len(STAGED), columns=("customer", "total"), looks=12)]
ENDS = {"right at once": 200, "repaired": 200, "given up": 422, CANCELLED: 410}
"""The status code that each one ends with."""
