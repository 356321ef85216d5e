"""`datamorph prompt`: the text that a model would be sent."""

from __future__ import annotations

import argparse
import sys

from agent.errors import InvalidRequestError
from agent.settings import Settings
from cli.answers import print_json
from cli.event_files import read_event
from cli.sources import snapshot_at_hand


def prompt_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph prompt`: schemas and samples come from the database where there is one, else from the event."""
    from agent.compiler.reading import read_specification
    from agent.prompting import generation_prompt
    from runs.accept import request_in

    request = request_in(read_event(options.event))
    snapshot, warning = snapshot_at_hand(request, settings)
    if warning:
        sys.stderr.write(f"datamorph: {warning}\n")
    reading = read_specification(request, snapshot)
    if reading.problems:
        raise InvalidRequestError(list(reading.problems))
    prompt = generation_prompt(request, snapshot, settings.sample_rows, settings.glue_version, reading.told())
    if options.json:
        print_json({"system": prompt.system, "user": prompt.user})
    else:
        sys.stdout.write(prompt.text() + "\n")
    return 0
