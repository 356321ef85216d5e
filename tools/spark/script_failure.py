"""A script's exception in the words of a Glue job run."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from agent.redaction import mask_secrets

_MESSAGE_LINES = 30
_MESSAGE_CHARACTERS = 4000
# A frame of a Java stack trace.
_FRAME = re.compile(r"^\s+(at \S+\(|\.\.\. \d+ more)")


@dataclass(frozen=True)
class Failure:
    """The exception that ended a script."""

    exception: str
    message: str
    line: int | None
    """The innermost line of the script that was being executed, 1-based."""

    @property
    def glue_error(self) -> str:
        """The failure in the form of GetJobRun's ErrorMessage."""
        where = f"Failed Line Number: {self.line}; " if self.line else ""
        return f"Error Category: UNCLASSIFIED_ERROR; {where}{self.exception}: {self.message}"


def failure(error: BaseException, script: str, secrets: Sequence[str] = ()) -> Failure:
    """The failure for a script's exception; its message is without Java's stack frames and `secrets`."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == script else None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == script:
            line = number
    # Secrets are removed before the text is cut: half a secret would not be found.
    lines = [text for text in mask_secrets(str(error), secrets).splitlines() if not _FRAME.match(text)]
    message = "\n".join(lines[:_MESSAGE_LINES])[:_MESSAGE_CHARACTERS]
    return Failure(type(error).__name__, message, line)
