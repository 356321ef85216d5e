"""The three ways that a run can go, as plans of the engine."""

from __future__ import annotations

from base64 import b64encode

from tests.faults.tables import STAGED
from tests.lambda_handler.scene import CANARY, URL_CANARY
from tools.fakes import PlannedRun

LEAKED = (
    f"login with password={CANARY} at postgresql://canary:{URL_CANARY}@db.internal/sales: "
    f"{CANARY}, {URL_CANARY}, {b64encode(f'canary:{CANARY}'.encode()).decode()} was refused"
)
"""Texts of a driver: the secret with its label, in a URL, as it is, percent-encoded, and in base64."""
SUCCEEDS = PlannedRun(rows=len(STAGED), columns=("customer", "total"), looks=1, log=f"{LEAKED}\ndone\n")
FAILS = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 60; JobPhaseError: [datamorph phase="cast" line=60] '
    f"ValueError: column total: 3 values do not fit numeric(12,2); {LEAKED}",
    looks=1,
    log=f"{LEAKED}\n",
)
FAILS_OTHERWISE = PlannedRun(
    "FAILED",
    'Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 40; JobPhaseError: [datamorph phase="transform" line=40] '
    "AnalysisException: Column 'x' does not exist. Did you mean one of the following? [customer, amount]; "
    f"{LEAKED}",
    looks=1,
    log=f"{LEAKED}\n",
)

PATHS: dict[str, list[PlannedRun]] = {
    "right at once": [SUCCEEDS],
    "repaired": [FAILS, SUCCEEDS],
    "given up": [FAILS, FAILS_OTHERWISE],
}
CANCELLED = "cancelled"
"""A run that waits for its job, and is cancelled: no way of its own."""
WOKEN_BY_EVENT = "woken by its event"
"""A run that waited for its job, which has ended and says so."""
WOKEN_BY_TICK = "woken by a tick"
"""The same one, of whose job no event came."""
SWEPT = "swept"
"""A tick that finds what a run left which died at its very end, and an old definition of nobody here."""
WAITS = [PlannedRun(rows=len(STAGED), columns=("customer", "total"), looks=12)]
ENDS = {"right at once": 200, "repaired": 200, "given up": 422, CANCELLED: 410} | dict.fromkeys(
    (WOKEN_BY_EVENT, WOKEN_BY_TICK, SWEPT), 200
)
"""The status code that each one ends with."""
