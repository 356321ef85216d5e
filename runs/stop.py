"""Stops a run from outside its workflow: it was cancelled, restarted, is past its deadline, or made no progress.

The order is the same for all: record the intent, so that a stop that is cut off is continued by the next wake; let no
worker publish any more; stop the jobs; drop staging and definitions; record the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from agent.errors import ConflictError, UnavailableError
from agent.findings import Diagnosis
from agent.redaction import clip, redact
from agent.run_status import RunEvent, is_announcing
from graph.builder import NO_DATABASE
from graph.launches import drop_staged, stop_run, visible_run
from graph.response import Response, ended_response, remembered, warned
from runs.completion import conclude, tell
from tools.records import Change, Launch, RunRecord, Withdrawal
from tools.toolbox import Toolbox

_LOOKS_SECONDS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Pauses before each look for a job run that may have been started: afterwards nobody looks for it any more."""
_ERROR_CHARACTERS = 300
_INTENTS: dict[Withdrawal, RunEvent] = {"cancelled": "cancel", "superseded": "cancel", "overdue": "overrun"}

Look = Callable[[RunRecord], Response]
"""Gives how an open run stands."""


def cancel(tools: Toolbox, record: RunRecord, look: Look) -> Response | None:
    """End a run as `cancelled`; None for one that is published already: only its finish is left.

    Raises UnavailableError, also when a job does not stop in two minutes.
    """
    return _end(tools, record, look, "cancelled", None)


def overrun(tools: Toolbox, record: RunRecord, look: Look, diagnosis: Diagnosis) -> Response | None:
    """End a run that has reached a limit as `failed`; None for one that is published already: only its finish is left.

    Raises UnavailableError, also when a job does not stop in two minutes.
    """
    return _end(tools, record, look, "failed", diagnosis)


def supersede(tools: Toolbox, record: RunRecord, *, appends: bool) -> None:
    """Stop the generation that a new one follows.

    Raises ConflictError where it is published, and the new one would append its rows once more; UnavailableError.
    """
    if is_announcing(record.status) and not tell(tools, record):
        raise UnavailableError("events", f"generation {record.generation} has ended, and nobody can be told; try again")
    if not _withdraw(tools, record, "superseded") and appends:
        tools.ledger.change(record.key, Change("spare"))
        message = f"generation {record.generation} was published, and its rows would be appended again"
        raise ConflictError(record.run_id, f"{message}: choose another run_id")
    _retire(tools, record)


def _end(
    tools: Toolbox, record: RunRecord, look: Look, status: Literal["cancelled", "failed"], diagnosis: Diagnosis | None
) -> Response | None:
    """Stop a run, and record how it stood by `look` as its end.

    `look` is asked last: no job goes on because checkpoints cannot be read.
    """
    if not _withdraw(tools, record, "overdue" if diagnosis else "cancelled"):
        tools.ledger.change(record.key, Change("spare"))
        return None
    left = _retire(tools, record)
    response = warned(ended_response(_stood(record, look), status, diagnosis), *left)
    conclude(tools, record, response, stopped=True)
    tools.journal.write(record.run_id, "error" if diagnosis else "end", f"run {status}")
    return response


def _withdraw(tools: Toolbox, record: RunRecord, why: Withdrawal) -> bool:
    """Record the intent, and let no worker publish the generation any more; False when it is published already.

    A worker that sleeps past its lease is kept from publishing too. Raises UnavailableError.
    """
    if tools.database is None:
        raise UnavailableError("database", f"whether run {record.run_id} is published cannot be seen: {NO_DATABASE}")
    tools.ledger.change(record.key, Change(_INTENTS[why]))
    return tools.database.withdraw(record.key, why)


def _retire(tools: Toolbox, record: RunRecord) -> list[str]:
    """Stop the generation's live jobs, then drop its staging tables and job definitions; returns warnings.

    Raises UnavailableError when a job does not stop in two minutes: no second one is started beside it.
    """
    warnings: list[str] = []
    for launch in tools.ledger.launches(record.key):
        if launch.state != "CLEANED":
            launch = _stopped(tools, launch)
        # Also of launches that have ended: rows that were never published lie there.
        if tools.database is not None:
            warnings += drop_staged(tools.database, launch.key, record.accepted_at)
        if launch.state != "CLEANED":
            tools.jobs.delete(launch.job_name)
            tools.ledger.advance(replace(launch, state="CLEANED"))
    for warning in warnings:
        tools.journal.write(record.run_id, "warning", "staging is left to a sweep", warning)
    return warnings


def _stopped(tools: Toolbox, launch: Launch) -> Launch:
    """The launch with its job run, where it has one, ended."""
    if launch.state == "INTENT":
        visible_run(tools.jobs, tools.clock, launch, _LOOKS_SECONDS)
    known = [run.job_run_id for run in tools.jobs.list_runs(launch.job_name)]
    if launch.job_run_id:
        # The list may lag behind; the ledger does not.
        known.append(launch.job_run_id)
    for job_run_id in dict.fromkeys(known):
        stop_run(tools.jobs, tools.clock, launch.job_name, job_run_id)
        launch = replace(launch, job_run_id=launch.job_run_id or job_run_id)
    return launch


def _stood(record: RunRecord, look: Look) -> Response:
    """The run's answer before the stop; the recorded one when its checkpoints cannot be read."""
    try:
        return look(record)
    except UnavailableError:
        raise
    except Exception as error:
        # A checkpoint that breaks the reader breaks it at each wake: the run would never end.
        told = f"{type(error).__name__}: {clip(redact(str(error)), _ERROR_CHARACTERS)}"
        return remembered(record, f"the run's checkpoints cannot be read, so its last answer is repeated: {told}")
