"""Telling listeners that a run has ended.

That comes before its record: a process that dies in between leaves a run that is woken, and told of again.
"""

from __future__ import annotations

from datetime import datetime

from graph.response import Response
from tools.ports import Toolbox
from tools.records import RunEnded, RunRecord

_GIVE_UP_SECONDS = 86_400.0
"""After its acceptance; a bus that cannot be reached for so long is not there."""


def announced(tools: Toolbox, record: RunRecord, response: Response) -> bool:
    """Tell of the end; False when nobody could hear it now, and the run has to stay open so that it is told again."""
    if tools.announcer is None or tools.announcer.announce(_ended(record, response)):
        return True
    return tools.clock.now() - datetime.fromisoformat(record.accepted_at).timestamp() > _GIVE_UP_SECONDS


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
