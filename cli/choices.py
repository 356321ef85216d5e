"""The settings and the run that the options of a command name."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import InvalidRequestError, Problem, UnknownRunError
from agent.names import is_run_id
from agent.settings import Settings
from bootstrap import open_ledger, read_settings

if TYPE_CHECKING:
    from tools.records import RunRecord


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of a command. `doctor` reports secrets that cannot be read among its checks."""
    given = {name: value for name, value in vars(options).items() if name in Settings.model_fields}
    return read_settings(given, os.environ, examine=options.command == "doctor")


def record_of(settings: Settings, run_id: str) -> RunRecord:
    """The run as the ledger has it. Raises UnknownRunError."""
    with open_ledger(settings) as ledger:
        record = ledger.run(run_id) if is_run_id(run_id) else None
    if record is None:
        raise UnknownRunError(run_id)
    return record


def require_home(home: Path) -> None:
    """Create the folder of state and artifacts. Raises InvalidRequestError when it cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        message = f"{home.absolute()} cannot be written ({error.strerror}); choose another folder"
        raise InvalidRequestError([Problem("--home", message)]) from None
