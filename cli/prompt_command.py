"""`datamorph prompt`: the text that a model would be sent."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from agent.settings import Settings
from cli.answers import print_json
from cli.event_files import read_event

if TYPE_CHECKING:
    from agent.request import Request
    from agent.snapshot import Snapshot


def prompt_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph prompt`: schemas and samples come from the database where there is one, else from the event."""
    from agent.prompting import generation_prompt
    from runs.accept import request_in

    request = request_in(read_event(options.event))
    prompt = generation_prompt(request, _snapshot(request, settings), settings.sample_rows, settings.glue_version)
    if options.json:
        print_json({"system": prompt.system, "user": prompt.user})
    else:
        sys.stdout.write(prompt.text() + "\n")
    return 0


def _snapshot(request: Request, settings: Settings) -> Snapshot:
    from agent.prompting import rows_read
    from agent.snapshot import event_snapshot
    from tools.database import PostgresDatabase
    from tools.local_toolbox import local_database

    if settings.database_url is None and not (settings.home / "postgres").exists():
        return event_snapshot(request)
    with local_database(settings) as database:
        return PostgresDatabase(database.url).snapshot(request, rows_read(settings.sample_rows))
