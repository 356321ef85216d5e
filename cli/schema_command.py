"""`datamorph schema`: JSON Schema of events, and the prompt for programs that write specifications."""

from __future__ import annotations

import argparse
import sys

from agent.settings import Settings
from cli.answers import print_json


def add_schema(command: argparse.ArgumentParser) -> None:
    """Add the options of `datamorph schema`."""
    told = "the specification alone, every key required: for a language model's structured output"
    command.add_argument("--specs", action="store_true", help=told)
    command.add_argument("--prompt", action="store_true", help="a prompt for language models that write specifications")


def schema_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph schema`: the recommended forms, as JSON Schema or as a prompt."""
    from agent.event_schema import event_schema, specification_prompt, specification_schema

    if options.prompt:
        sys.stdout.write(specification_prompt())
    else:
        print_json(specification_schema() if options.specs else event_schema())
    return 0
