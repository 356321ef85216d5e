"""Ends a run from outside its workflow: it was cancelled, or it reached a limit."""

from __future__ import annotations

import json
from typing import Literal

from graph.announcing import announced
from graph.response import Response
from graph.retire import retire
from tools.ports import Toolbox
from tools.records import RunRecord


def end(tools: Toolbox, record: RunRecord, response: Response, status: Literal["cancelled", "failed"]) -> Response:
    """Stop and put away what a run has that was withdrawn, tell everybody, and record `response` for good.

    What a refusal cuts off, and an end that nobody could hear of, is gone on with by the next wake.
    """
    retire(tools, record)
    if announced(tools, record, response):
        tools.journal.write(record.run_id, "end" if status == "cancelled" else "error", f"run {status}")
        tools.ledger.finish(record.run_id, record.generation, status, json.dumps(response))
    return response
