"""A script's exception in the words of a Glue job run."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from agent.redaction import mask_secrets

_MESSAGE_LINES = 30
_MESSAGE_CHARACTERS = 4000
_FRAME = re.compile(r"^\s+(at \S+\(|\.\.\. \d+ more)")


@dataclass(frozen=True)
class Failure:
    """What ended a script."""

    exception: str
    message: str
    line: int | None
    """The innermost line of the script that was being executed, 1-based."""

    @property
    def glue_error(self) -> str:
        """As GetJobRun's ErrorMessage has it."""
        where = f"Failed Line Number: {self.line}; " if self.line else ""
        return f"Error Category: UNCLASSIFIED_ERROR; {where}{self.exception}: {self.message}"


def failure(error: BaseException, script: str, secrets: Sequence[str] = ()) -> Failure:
    """The failure that an exception of a script means; its message is without Java's stack frames and `secrets`."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == script else None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == script:
            line = number
    # Before anything is cut: a part of a secret would not be found any more.
    lines = [text for text in mask_secrets(str(error), secrets).splitlines() if not _FRAME.match(text)]
    message = "\n".join(lines[:_MESSAGE_LINES])[:_MESSAGE_CHARACTERS]
    return Failure(type(error).__name__, message, line)
