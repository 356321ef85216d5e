"""`awsglue.utils`: getResolvedOptions.

The contract: every listed option is required, except TempDir; options are `--name value` or `--name=value`, others
are ignored; the reserved ones (JOB_ID, JOB_RUN_ID …) come back unasked, as None where absent, and must not be listed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from ._absent import absent

__getattr__ = absent("awsglue.utils")

_BOOKMARKS = ("job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable")
_REFUSED = (
    "job-bookmark-option", "continuation-option", "--job-bookmark-from", "--job-bookmark-to",
    "--encryption-type", "--enable-data-lineage",
)  # fmt: skip
_RESERVED = (
    "job-bookmark-from", "job-bookmark-to", "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION",
    "encryption-type", "enable-data-lineage", "RedshiftTempDir", "TempDir",
)  # fmt: skip
_TEMP_DIRS = ("TempDir", "RedshiftTempDir")


class GlueArgumentError(Exception):
    """The job's arguments are not what the script asks for."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str | None]:
    """The job's arguments by name; `args` is `sys.argv`. Raises GlueArgumentError for a missing option."""
    for name in _REFUSED:
        if name in options:
            raise RuntimeError(f"Using reserved arguments {name}")
    parser = _Parser()
    parser.add_argument("--job-bookmark-option", choices=_BOOKMARKS)
    for name in _RESERVED:
        parser.add_argument(f"--{name}")
    for name in options:
        if name not in _TEMP_DIRS:
            parser.add_argument(f"--{name}", required=True)
    resolved: dict[str, str | None] = vars(parser.parse_known_args(list(args[1:]))[0])
    temporary = resolved["TempDir"] or resolved["RedshiftTempDir"]
    resolved |= dict.fromkeys(_TEMP_DIRS, temporary)
    resolved["job_bookmark_option"] = resolved["job_bookmark_option"] or "job-bookmark-disable"
    return resolved
