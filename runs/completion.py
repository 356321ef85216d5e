"""Recording that a run has ended, and telling listeners of it.

The end is recorded first, for good, as `announcing`. A process that dies before the event is sent, or a bus that cannot
take it, leaves a run that is woken, and told of as it stands on record: two different ends are never heard of.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from agent.errors import ConflictError
from graph.response import Response
from tools.records import ANNOUNCING, ENDED_STATUSES, RunEnded, RunRecord
from tools.toolbox import Toolbox

_GIVE_UP_SECONDS = 86_400.0
"""After its end; a bus that cannot be reached for so long is not there."""


def conclude(tools: Toolbox, record: RunRecord, response: Response, *, stopping: bool = False) -> Response:
    """Record `response` as the run's end, tell listeners of it, and return it; `stopping` as Ledger.finish has it.

    Raises ConflictError where the run is being stopped, was restarted, or has another end on record.
    """
    text = json.dumps(response)
    status = response["body"]["execution_status"] if tools.announcer is None else ANNOUNCING
    ended_at = datetime.fromtimestamp(tools.clock.now(), UTC).isoformat(timespec="milliseconds")
    ledger, key = tools.ledger, (record.run_id, record.generation)
    if not ledger.finish(*key, status, text, stopping=stopping, ended_at=ended_at):
        known = ledger.run(record.run_id)
        if known is None or (known.generation, known.response) != (record.generation, text):
            message = f"run {record.run_id} was cancelled, restarted or ended meanwhile: what this worker found is void"
            raise ConflictError(record.run_id, message)
    if tools.announcer is not None:
        told(tools, replace(record, status=ANNOUNCING, response=text, ended_at=ended_at))
    return response


def told(tools: Toolbox, record: RunRecord) -> bool:
    """Tell of the end on record; False when nobody could hear it now: the run stays open, so that it is told again."""
    response = cast(Response, json.loads(record.response))
    if tools.announcer is not None and not tools.announcer.announce(_ended(record, response)):
        waited = tools.clock.now() - datetime.fromisoformat(record.ended_at).timestamp()
        if waited <= _GIVE_UP_SECONDS:
            return False
    tools.ledger.announced(record.run_id, record.generation, response["body"]["execution_status"])
    return True


def recorded(record: RunRecord) -> Response | None:
    """The recorded answer of a run that has ended; None of one that has not."""
    if record.status in (*ENDED_STATUSES, ANNOUNCING) and record.response:
        return cast(Response, json.loads(record.response))
    return None


def _ended(record: RunRecord, response: Response) -> RunEnded:
    body = response["body"]
    return RunEnded(
        run_id=record.run_id,
        generation=record.generation,
        execution_status=body["execution_status"],
        target_table=body["target_table"] or "",
        rows_written=body["rows_written"],
        job_run_id=body["job_run_id"],
        attempts=body["attempts"],
    )
