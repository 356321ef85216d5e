"""Ends a run from outside its workflow: it was cancelled, or it reached a limit."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import UnavailableError
from agent.findings import Diagnosis
from agent.redaction import clip, redact
from graph.response import Response, ended_response, remembered, warned
from runs.completion import conclude
from runs.retire import retire
from tools.records import RunRecord
from tools.toolbox import Toolbox

_ERROR_CHARACTERS = 300


def end(
    tools: Toolbox,
    record: RunRecord,
    look: Callable[[RunRecord], Response],
    status: str,
    diagnosis: Diagnosis | None = None,
) -> Response:
    """Stop and put away what a run has that was withdrawn, record its answer for good, and tell everybody.

    The answer is how the run stands by `look`, with warnings of what could not be put away. That is asked for last: no
    job goes on because checkpoints cannot be read. What a refusal cuts off is gone on with by the next wake.
    """
    left = retire(tools, record)
    response = warned(ended_response(_stood(record, look), status), *left)
    if diagnosis is not None:
        response["body"]["diagnosis"] = diagnosis
    conclude(tools, record, response, stopping=True)
    tools.journal.write(record.run_id, "end" if status == "cancelled" else "error", f"run {status}")
    return response


def _stood(record: RunRecord, look: Callable[[RunRecord], Response]) -> Response:
    """How the run stood; what its record tells where its checkpoints are there and cannot be made sense of."""
    try:
        return look(record)
    except UnavailableError:
        raise
    except Exception as error:
        # Whatever a stored checkpoint breaks with, the next wake would meet it again: the run would never end.
        told = f"{type(error).__name__}: {clip(redact(str(error)), _ERROR_CHARACTERS)}"
        return remembered(record, f"the run's checkpoints cannot be read, so its last answer is repeated: {told}")
