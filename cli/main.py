"""The terminal door: `datamorph` with its commands."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

from agent.errors import DatamorphError
from agent.settings import Settings
from cli.answers import refuse
from cli.check_command import check_command
from cli.choices import require_home, settings_of
from cli.doctor_command import doctor_command
from cli.eval_command import eval_command
from cli.parser import parser
from cli.prompt_command import prompt_command
from cli.run_commands import cancel_command, resume_command, run_command
from cli.schema_command import schema_command
from cli.status_command import status_command
from runs.respond import respond

_COMMANDS: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
    "run": run_command,
    "resume": resume_command,
    "cancel": cancel_command,
    "status": status_command,
    "check": check_command,
    "prompt": prompt_command,
    "schema": schema_command,
    "eval": eval_command,
    "doctor": doctor_command,
}

_WITHOUT_HOME = ("check", "prompt", "schema")
"""Commands that write nothing."""

_log = logging.getLogger("datamorph")
# Without a handler of its own Python would print the stack trace after all.
_log.addHandler(logging.NullHandler())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Read by langgraph at its first import: without it a forged checkpoint runs code when it is loaded.
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    options = parser().parse_args(arguments)
    try:
        settings = settings_of(options)
        if options.command not in _WITHOUT_HOME:
            require_home(settings.home)
        return _COMMANDS[options.command](options, settings)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except Exception as error:
        # The one broad catch of this door: a stack trace is shown only where the user asks for it.
        if not isinstance(error, DatamorphError):
            if os.environ.get("DATAMORPH_DEBUG"):
                raise
            _log.exception("cli.failed")
        return refuse(options, respond(error, _run_id(options), trace="set DATAMORPH_DEBUG=1 to see where"))


def _run_id(options: argparse.Namespace) -> str | None:
    run_id = getattr(options, "run_id", None)
    return run_id if isinstance(run_id, str) else None


if __name__ == "__main__":
    sys.exit(main())
