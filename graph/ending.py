"""Ends a run from outside its workflow: it was cancelled, or it reached a limit."""

from __future__ import annotations

from graph.announcing import conclude
from graph.response import Response
from graph.retire import retire
from tools.records import RunRecord
from tools.toolbox import Toolbox


def end(tools: Toolbox, record: RunRecord, response: Response) -> Response:
    """Stop and put away what a run has that was withdrawn, record the answer for good, and tell everybody.

    The answer is `response`, with warnings of what could not be put away. What a refusal cuts off is gone on with by
    the next wake.
    """
    warnings = [*response["body"]["warnings"], *retire(tools, record)]
    response = Response(statusCode=response["statusCode"], body={**response["body"], "warnings": warnings})
    conclude(tools, record, response, stopping=True)
    status = response["body"]["execution_status"]
    tools.journal.write(record.run_id, "end" if status == "cancelled" else "error", f"run {status}")
    return response
