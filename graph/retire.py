"""Ends what an earlier generation of a run left behind, before a new one begins."""

from __future__ import annotations

from dataclasses import replace

from agent.errors import EngineError, UnavailableError
from agent.keys import staging_prefix
from tools.ports import Toolbox
from tools.records import Launch, RunRecord

_STOP_SECONDS = 120.0
_LOOK_SECONDS = 0.5


def retire(tools: Toolbox, record: RunRecord) -> None:
    """Stop the generation's live jobs, then drop its staging tables and job definitions.

    Raises UnavailableError when a job does not stop in two minutes: no second one is started beside it.
    """
    for launch in tools.ledger.launches(record.run_id, record.generation):
        if launch.state == "CLEANED":
            continue
        for run in tools.jobs.list_runs(launch.job_name):
            _stop(tools, launch, run.job_run_id)
            launch = replace(launch, job_run_id=launch.job_run_id or run.job_run_id)
        key = launch.key
        if tools.database is not None:
            prefix = staging_prefix(key.run_id, key.generation, key.attempt, key.launch, record.accepted_at)
            tools.database.drop_staging(prefix)
        tools.jobs.delete(launch.job_name)
        tools.ledger.advance(replace(launch, state="CLEANED"))


def _stop(tools: Toolbox, launch: Launch, job_run_id: str) -> None:
    until = tools.clock.now() + _STOP_SECONDS
    tools.jobs.stop(launch.job_name, job_run_id)
    while not tools.jobs.get(launch.job_name, job_run_id).terminal:
        if tools.clock.now() >= until:
            told = f"job run {job_run_id} of generation {launch.key.generation} does not stop; try again later"
            raise UnavailableError("engine", told) from EngineError("OperationTimeoutException", job_run_id)
        tools.clock.sleep(_LOOK_SECONDS)
