"""The parser of the command line: commands, options and help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.check_command import add_check
from cli.eval_command import add_eval
from cli.schema_command import add_schema

EPILOG = """exit codes: 0 success, 2 bad input or conflict, 3 failed run, 4 unavailable, 5 suspended
each setting of docs/configuration.md is an environment variable too: DATAMORPH_ENGINE, DATAMORPH_MODEL, ..."""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="datamorph",
        description="Turn an ETL specification into a PySpark job, run it, repair it, publish its result.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = _command(commands, "run", "run a specification", _add_engine, _add_model, _add_database)
    run.add_argument("event", metavar="EVENT", help="the event, JSON or YAML, or - for standard input")
    resume = _command(commands, "resume", "go on with a run that was interrupted", _add_engine, _add_database)
    resume.add_argument("run_id", metavar="RUN_ID")
    told = "end a run: its jobs are stopped, its target stays as it is"
    cancel = _command(commands, "cancel", told, _add_engine, _add_database)
    cancel.add_argument("run_id", metavar="RUN_ID")
    status = _command(commands, "status", "show one run, or the newest ones", _add_engine)
    status.add_argument("run_id", metavar="RUN_ID", nargs="?")
    told = "tell how a specification is read, and try it on sample rows; nothing is executed"
    add_check(_command(commands, "check", told, _add_engine, _add_model, _add_database))
    prompt = _command(commands, "prompt", "print exactly what the model would be sent", _add_engine, _add_database)
    prompt.add_argument("event", metavar="EVENT", help="the event, JSON or YAML, or - for standard input")
    add_schema(
        _command(commands, "schema", "print the JSON Schema of events, or a prompt for programs that write them")
    )
    add_eval(_command(commands, "eval", "hold diagnosis and repair to recorded failures"))
    told = "what this machine has, what is missing and what to do"
    doctor = _command(commands, "doctor", told, _add_engine, _add_model, _add_database)
    doctor.add_argument("--lambda", metavar="NAME", dest="function", help="let a deployed function look, from inside")
    return top


def _command(
    commands: Any, name: str, told: str, *groups: Callable[[argparse.ArgumentParser], None]
) -> argparse.ArgumentParser:
    """A command with its groups of options and the options that all commands have."""
    raw = argparse.RawDescriptionHelpFormatter
    command: argparse.ArgumentParser = commands.add_parser(name, help=told, epilog=EPILOG, formatter_class=raw)
    for add in groups:
        add(command)
    command.add_argument("--home", metavar="FOLDER", type=Path, help="state and artifacts (default: .datamorph)")
    command.add_argument("--json", action="store_true", help="the answer alone on standard output, as JSON")
    command.set_defaults(command=name)
    return command


def _add_engine(command: argparse.ArgumentParser) -> None:
    help_text = "where scripts run: on this machine (default) or on AWS Glue"
    command.add_argument("--engine", metavar="local|glue", help=help_text)
    command.add_argument("--region", metavar="REGION", help="AWS region (default: AWS_REGION, else us-east-1)")


def _add_model(command: argparse.ArgumentParser) -> None:
    help_text = "compiler (default), recorded:FILE, bedrock, bedrock:MODEL_ID, or PROVIDER:MODEL"
    command.add_argument("--model", metavar="MODEL", help=help_text)


def _add_database(command: argparse.ArgumentParser) -> None:
    help_text = "PostgreSQL of sources and target (default: an embedded one)"
    command.add_argument("--database-url", metavar="URL", help=help_text)
    help_text = "the same as the jobs' user (default: the publisher's, or the embedded one's own)"
    command.add_argument("--job-database-url", metavar="URL", help=help_text)
