"""Ends a run from outside its workflow: it was cancelled, or it reached a limit."""

from __future__ import annotations

import json
from typing import Literal

from graph.response import Response
from graph.retire import retire
from tools.ports import Toolbox
from tools.records import RunEnded, RunRecord


def end(tools: Toolbox, record: RunRecord, response: Response, status: Literal["cancelled", "failed"]) -> Response:
    """Stop and put away what a run has that was withdrawn, tell everybody, and record `response` for good.

    What a refusal cuts off is gone on with by the next wake. Listeners are told before the end is recorded: who dies
    in between tells them again, and the other way round nobody would.
    """
    retire(tools, record)
    tools.journal.write(record.run_id, "end" if status == "cancelled" else "error", f"run {status}")
    body = response["body"]
    if tools.announcer is not None:
        tools.announcer.announce(
            RunEnded(
                run_id=record.run_id,
                generation=record.generation,
                execution_status=status,
                target_table=body["target_table"] or "",
                rows_written=None,
                job_run_id=body["job_run_id"],
                attempts=body["attempts"],
            )
        )
    tools.ledger.finish(record.run_id, record.generation, status, json.dumps(response))
    return response
