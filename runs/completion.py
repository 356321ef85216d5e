"""Records the end of a run, and tells listeners of it.

The end is recorded first, for good, as `announcing`. If the process dies before the event is sent, or the event bus
refuses it, the next wake sends the recorded end: listeners never hear of two different ends.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from agent.errors import ConflictError
from agent.run_status import concluded, has_end, told
from graph.response import Response, run_body
from tools.records import Change, RunEnded, RunRecord
from tools.toolbox import Toolbox

_GIVE_UP_SECONDS = 86_400.0
"""Time after the end until a run counts as told although the event bus never took the event."""


def conclude(tools: Toolbox, record: RunRecord, response: Response, *, stopped: bool = False) -> Response:
    """Record `response` as the run's end, tell listeners of it, and return it; `stopped`: from outside its workflow.

    Raises ConflictError where the run is being stopped, was restarted, or has another end on record.
    """
    text = json.dumps(response)
    ended_at = datetime.fromtimestamp(tools.clock.now(), UTC).isoformat(timespec="milliseconds")
    listeners = tools.announcer is not None
    event = concluded(response["body"]["execution_status"], stopped=stopped, listeners=listeners)
    if not tools.ledger.change(record.key, Change(event, text, ended_at)):
        known = tools.ledger.run(record.run_id)
        if known is None or (known.generation, known.response) != (record.generation, text):
            message = f"run {record.run_id} was cancelled, restarted or ended meanwhile: what this worker found is void"
            raise ConflictError(record.run_id, message)
    if listeners:
        tell(tools, replace(record, response=text, ended_at=ended_at))
    return response


def tell(tools: Toolbox, record: RunRecord) -> bool:
    """Tell listeners of the recorded end; False when they cannot be reached: the run stays open for the next wake."""
    response = cast(Response, json.loads(record.response))
    if tools.announcer is not None and not tools.announcer.announce(_ended(record, response)):
        waited = tools.clock.now() - datetime.fromisoformat(record.ended_at).timestamp()
        if waited <= _GIVE_UP_SECONDS:
            return False
    tools.ledger.change(record.key, Change(told(response["body"]["execution_status"])))
    return True


def recorded(record: RunRecord) -> Response | None:
    """The recorded answer of a run that has ended; None for an open run."""
    if has_end(record.status) and record.response:
        return cast(Response, json.loads(record.response))
    return None


def _ended(record: RunRecord, response: Response) -> RunEnded:
    body = run_body(response)
    return RunEnded(
        run_id=record.run_id,
        generation=record.generation,
        execution_status=body["execution_status"],
        target_table=body["target_table"] or "",
        rows_written=body["rows_written"],
        job_run_id=body["job_run_id"],
        attempts=body["attempts"],
    )
