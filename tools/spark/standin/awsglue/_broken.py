"""The error that a dry run raises within a script when its own bookkeeping fails."""

from __future__ import annotations


class DryRunBrokenError(BaseException):
    """The dry run could not find its samples or keep the result; the message is the cause.

    A BaseException, so that a script's own handlers cannot catch it and report it as the script's failure.
    """
