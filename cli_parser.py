"""The command line's words: commands, options and help."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli_eval import add_eval

EPILOG = """exit codes: 0 success, 2 bad input or conflict, 3 failed run, 4 unavailable, 5 suspended
every option can also be given as an environment variable: DATAMORPH_ENGINE, DATAMORPH_MODEL, ..."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="datamorph",
        description="Turn an ETL specification into a PySpark job, run it, repair it, publish its result.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    raw = argparse.RawDescriptionHelpFormatter
    run = commands.add_parser("run", help="run a specification", epilog=EPILOG, formatter_class=raw)
    run.add_argument("event", metavar="EVENT.json", help="the event, or - for standard input")
    _add_engine(run)
    _add_model(run)
    _add_database(run)
    _add_common(run, "run")

    told = "go on with a run that was interrupted"
    resume = commands.add_parser("resume", help=told, epilog=EPILOG, formatter_class=raw)
    resume.add_argument("run_id", metavar="RUN_ID")
    _add_engine(resume)
    _add_database(resume)
    _add_common(resume, "resume")

    told = "end a run: its jobs are stopped, its target stays as it is"
    cancel = commands.add_parser("cancel", help=told, epilog=EPILOG, formatter_class=raw)
    cancel.add_argument("run_id", metavar="RUN_ID")
    _add_engine(cancel)
    _add_database(cancel)
    _add_common(cancel, "cancel")

    status = commands.add_parser("status", help="show one run, or the newest ones")
    status.add_argument("run_id", metavar="RUN_ID", nargs="?")
    _add_engine(status)
    _add_common(status, "status")

    prompt = commands.add_parser("prompt", help="print exactly what the model would be sent")
    prompt.add_argument("event", metavar="EVENT.json", help="the event, or - for standard input")
    _add_engine(prompt)
    _add_database(prompt)
    _add_common(prompt, "prompt")

    add_eval(commands, _add_common)

    doctor = commands.add_parser("doctor", help="what this machine has, what is missing and what to do")
    doctor.add_argument("--lambda", metavar="NAME", dest="function", help="let a deployed function look, from inside")
    _add_engine(doctor)
    _add_model(doctor)
    _add_database(doctor)
    _add_common(doctor, "doctor")
    return top


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


def _add_common(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("--home", metavar="FOLDER", type=Path, help="state and artifacts (default: .datamorph)")
    command.add_argument("--json", action="store_true", help="the answer alone on standard output, as JSON")
    command.set_defaults(command=name)
