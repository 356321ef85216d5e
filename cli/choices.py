"""The settings and the run that the options of a command name."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from agent.errors import UnknownRunError
from agent.names import is_run_id
from agent.settings import Settings, load_settings
from bootstrap import open_ledger

if TYPE_CHECKING:
    from tools.records import RunRecord


def settings_of(options: argparse.Namespace) -> Settings:
    """Settings from options and environment; for the engine `glue` with what Secrets Manager holds.

    `doctor` goes on without secrets that cannot be read, and tells of them among its checks.
    """
    given = {name: value for name, value in vars(options).items() if name in Settings.model_fields}
    settings = load_settings(given, os.environ)
    if settings.engine == "local":
        return settings
    from tools.aws.configuration import aws_settings, settings_to_examine

    return (settings_to_examine if options.command == "doctor" else aws_settings)(given, os.environ)


def record_of(settings: Settings, run_id: str) -> RunRecord:
    """What the ledger knows of a run. Raises UnknownRunError."""
    with open_ledger(settings) as ledger:
        record = ledger.run(run_id) if is_run_id(run_id) else None
    if record is None:
        raise UnknownRunError(run_id)
    return record
