"""A Glue job run as a record, with its cost: billed DPU-seconds at the list price of us-east-1.

Source: https://aws.amazon.com/glue/pricing/ (Spark jobs of class STANDARD, Glue 2.0 and later: billed by the second,
one minute at least). Other regions differ by some cents; the figure is an estimate, not an invoice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.records import JobRun

_ERROR_CHARACTERS = 8_000
USD_PER_DPU_HOUR = 0.44
MINIMUM_SECONDS = 60
"""Billed seconds of a shorter run."""
DPU_OF_WORKER = {
    "Standard": 1.0,
    "G.025X": 0.25,
    "G.1X": 1.0,
    "G.2X": 2.0,
    "G.4X": 4.0,
    "G.8X": 8.0,
    "G.12X": 12.0,
    "G.16X": 16.0,
}
"""DPUs of one worker: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html"""


def dpu_seconds(seconds: float, workers: int, worker_type: str) -> float:
    """Billed DPU-seconds for `seconds` of execution; 0 for a run that never began, and for an unknown worker type."""
    billed = max(seconds, MINIMUM_SECONDS) if seconds else 0.0
    return billed * workers * DPU_OF_WORKER.get(worker_type, 0.0)


def usd(dpu_seconds: float) -> float:
    """The price of DPU-seconds in USD, to a hundredth of a cent."""
    return round(dpu_seconds / 3600 * USD_PER_DPU_HOUR, 4)


def job_run(described: Mapping[str, Any]) -> JobRun:
    """GetJobRun's answer as a record; an unknown state is kept as it is and counts as not terminal."""
    seconds = float(described.get("ExecutionTime") or 0)
    workers, worker_type = described.get("NumberOfWorkers", 0), described.get("WorkerType", "")
    used = described.get("DPUSeconds") or dpu_seconds(seconds, workers, worker_type)
    return JobRun(
        job_name=described["JobName"],
        job_run_id=described["Id"],
        state=described["JobRunState"],
        error=described.get("ErrorMessage", "")[:_ERROR_CHARACTERS],
        seconds=seconds,
        dpu_seconds=used,
        usd=usd(used),
    )
