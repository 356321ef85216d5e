"""Ends what a run left behind, before it is cancelled or a new generation begins."""

from __future__ import annotations

from dataclasses import replace

from agent.errors import UnavailableError
from graph.builder import NO_DATABASE
from graph.launches import drop_staged, stop_run, visible_run
from tools.records import Launch, RunRecord, Withdrawal
from tools.toolbox import Toolbox

_VISIBLE_AFTER_SECONDS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""When to look again for a run whose start may have been applied: afterwards nobody looks for it any more."""


def withdraw(tools: Toolbox, record: RunRecord, why: Withdrawal) -> bool:
    """Let no worker publish the generation any more, also one that sleeps past its lease; False when it is published.

    The intent is recorded first: what is cut off here, or in `retire`, is gone on with by whoever wakes the run. Raises
    UnavailableError.
    """
    if tools.database is None:
        raise UnavailableError("database", f"whether run {record.run_id} is published cannot be seen: {NO_DATABASE}")
    intent = "overdue" if why == "overdue" else "cancelling"
    tools.ledger.finish(record.run_id, record.generation, intent, record.response, stopping=True)
    return tools.database.withdraw(record.run_id, record.generation, why)


def retire(tools: Toolbox, record: RunRecord) -> list[str]:
    """Stop the generation's live jobs, then drop its staging tables and job definitions; returns warnings.

    Raises UnavailableError when a job does not stop in two minutes: no second one is started beside it.
    """
    warnings: list[str] = []
    for launch in tools.ledger.launches(record.run_id, record.generation):
        if launch.state != "CLEANED":
            launch = _stopped(tools, launch)
        # Also of launches that have ended: rows that were never published lie there.
        if tools.database is not None:
            warnings += drop_staged(tools.database, launch.key, record.accepted_at)
        if launch.state != "CLEANED":
            tools.jobs.delete(launch.job_name)
            tools.ledger.advance(replace(launch, state="CLEANED"))
    for warning in warnings:
        tools.journal.write(record.run_id, "warning", "staging is left to the sweep", warning)
    return warnings


def _stopped(tools: Toolbox, launch: Launch) -> Launch:
    """The launch with its job run, where it has one, ended."""
    if launch.state == "INTENT":
        visible_run(tools.jobs, tools.clock, launch, _VISIBLE_AFTER_SECONDS)
    known = [run.job_run_id for run in tools.jobs.list_runs(launch.job_name)]
    if launch.job_run_id:
        # The list may lag behind; the ledger does not.
        known.append(launch.job_run_id)
    for job_run_id in dict.fromkeys(known):
        stop_run(tools.jobs, tools.clock, launch.job_name, job_run_id)
        launch = replace(launch, job_run_id=launch.job_run_id or job_run_id)
    return launch
