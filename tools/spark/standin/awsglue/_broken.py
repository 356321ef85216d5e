"""What a dry run raises within a script when its own bookkeeping fails."""

from __future__ import annotations


class DryRunBrokenError(BaseException):
    """The dry run could not find its samples or keep the result; the message is the cause.

    No Exception, so that a script's own handlers neither catch it nor dress it as a failure of theirs.
    """
