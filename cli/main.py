"""The terminal door: `datamorph run`, `resume`, `cancel`, `status`, `prompt`, `eval` and `doctor`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent.errors import DatamorphError, InvalidRequestError, Problem, UnavailableError
from agent.settings import Settings
from bootstrap import open_ledger, open_service
from cli.choices import record_of, settings_of
from cli.eval_command import eval_command
from cli.parser import parser
from runs.respond import respond

if TYPE_CHECKING:
    from agent.request import Request
    from agent.snapshot import Snapshot
    from cli.view import View
    from graph.response import Response
    from runs.service import Service
    from tools.records import RunRecord

EXIT_CODES = {200: 0, 202: 5, 400: 2, 409: 2, 410: 3, 422: 3, 503: 4}
"""Exit code of a response's status code."""

_MARKS = {"ok": "✓", "warning": "!", "missing": "✗", "not needed": "–"}

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
        if options.command != "prompt":
            _require_home(settings.home)
        return _COMMANDS[options.command](options, settings)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except Exception as error:
        # The one broad catch of this door: nobody is shown a stack trace unless it is asked for.
        if not isinstance(error, DatamorphError):
            if os.environ.get("DATAMORPH_DEBUG"):
                raise
            _log.exception("cli.failed")
        return _refuse(options, respond(error, _run_id(options), trace="set DATAMORPH_DEBUG=1 to see where"))


def run_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph run`."""
    event = _read_event(options.event)
    if isinstance(event, dict):
        options.run_id = event["run_id"]
    with open_service(settings) as service, _view(options) as view:
        run_id = str(event.get("run_id")) if isinstance(event, dict) else ""
        view.begin(run_id, options.event, settings)
        return _watched(options, service, view, run_id, partial(service.run, event, view.step))


def resume_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph resume`: with the model and engine that the run began with."""
    record = record_of(settings, options.run_id)
    settings = settings.model_copy(update={"model": record.model})
    with open_service(settings) as service, _view(options) as view:
        view.begin(options.run_id, "resumed", settings)
        return _watched(options, service, view, options.run_id, partial(service.resume, options.run_id, view.step))


def cancel_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph cancel`: stop the run's jobs and drop its staging; the target stays as it is."""
    from runs.actions import Actions

    record_of(settings, options.run_id)
    with open_service(settings) as service, _view(options) as view:
        response = Actions(service).cancel(options.run_id)
        if options.json:
            _print_json(response)
        view.response(response, service.tools)
    return EXIT_CODES[response["statusCode"]]


def status_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph status`: what the ledger knows; nothing is started."""
    if options.run_id:
        record = record_of(settings, options.run_id)
        answer: Any = {**_summary(record), "response": json.loads(record.response) if record.response else None}
    else:
        with open_ledger(settings) as ledger:
            answer = [_summary(record) for record in ledger.runs()]
    if options.json:
        _print_json(answer)
    else:
        with _view(options) as view:
            view.status(answer)
    return 0


def prompt_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph prompt`: with the schemas and samples of the database where there is one, else of the event."""
    from agent.prompting import generation_prompt
    from runs.accept import request_in

    request = request_in(_read_event(options.event))
    prompt = generation_prompt(request, _snapshot(request, settings), settings.sample_rows, settings.glue_version)
    if options.json:
        _print_json({"system": prompt.system, "user": prompt.user})
    else:
        sys.stdout.write(prompt.text() + "\n")
    return 0


def _snapshot(request: Request, settings: Settings) -> Snapshot:
    from agent.prompting import rows_read
    from agent.snapshot import event_snapshot
    from tools.database import PostgresDatabase
    from tools.local.local_toolbox import local_database

    if settings.database_url is None and not (settings.home / "postgres").exists():
        return event_snapshot(request)
    with local_database(settings) as database:
        return PostgresDatabase(database.url).snapshot(request, rows_read(settings.sample_rows))


def doctor_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph doctor`: 0 when nothing that these settings need is missing, else 4."""
    from tools.doctor.aws_services import examine_function
    from tools.doctor.this_machine import examine

    checks = examine_function(options.function, settings.region) if options.function else examine(settings)
    if options.json:
        _print_json([vars(check) for check in checks])
    else:
        # Plain lines: this command must work where the terminal view is not installed.
        for check in checks:
            told = check.detail if check.status == "ok" else f"{check.status}: {check.detail}"
            sys.stdout.write(f"{_MARKS[check.status]} {check.name:<16} {told}\n")
    return 4 if any(check.status == "missing" for check in checks) else 0


def _watched(options: argparse.Namespace, service: Service, view: View, run_id: str, work: Any) -> int:
    """Do the work; Ctrl-C, a closed terminal or `kill` let the current step end and suspend the run."""
    from langgraph.runtime import RunControl

    control = RunControl()

    def stop(number: int, frame: object) -> None:
        if control.drain_requested:
            os._exit(EXIT_CODES[202])
        control.request_drain("signal")
        view.stopping(run_id)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    response = cast("Response", work(control))
    if options.json:
        _print_json(response)
    view.response(response, service.tools)
    return EXIT_CODES[response["statusCode"]]


@contextmanager
def _view(options: argparse.Namespace) -> Iterator[View]:
    try:
        from cli.view import View
    except ModuleNotFoundError as error:
        message = f"the terminal view needs {error.name}: pip install -e '.[local]'"
        raise UnavailableError("datamorph", message) from None
    with View(to_stderr=options.json) as view:
        yield view


def _read_event(source: str) -> Any:
    """The event in a file or on standard input, with a run_id. Raises InvalidRequestError naming line and column."""
    from runs.accept import new_run_id

    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidRequestError([Problem(source, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise InvalidRequestError(
            [Problem(source, f"is not UTF-8 text: {error.reason} at byte {error.start}")]
        ) from None
    try:
        event = json.loads(text)
    except RecursionError:
        raise InvalidRequestError([Problem(source, "is nested too deeply")]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequestError([Problem(source, f"is not JSON: {error.msg} at {where}")]) from None
    if isinstance(event, dict):
        event.setdefault("run_id", new_run_id())
    return event


def _summary(record: RunRecord) -> dict[str, Any]:
    fields = ("run_id", "generation", "status", "model", "engine", "accepted_at")
    return {name: getattr(record, name) for name in fields}


def _refuse(options: argparse.Namespace, response: Response) -> int:
    """Tell why a command did not come to a run; with `--json` as the response that every door gives."""
    body = response["body"]
    if options.json:
        _print_json(response)
    for error in body.get("errors", []):
        sys.stderr.write(f"datamorph: {error['path']}: {error['message']}\n")
    if "message" in body:
        sys.stderr.write(f"datamorph: {body['message']}\n")
    return EXIT_CODES[response["statusCode"]]


def _require_home(home: Path) -> None:
    """Make the folder of state and artifacts. Raises InvalidRequestError when it cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        message = f"{home.absolute()} cannot be written ({error.strerror}); choose another folder"
        raise InvalidRequestError([Problem("--home", message)]) from None


def _run_id(options: argparse.Namespace) -> str | None:
    run_id = getattr(options, "run_id", None)
    return run_id if isinstance(run_id, str) else None


def _print_json(value: Any) -> None:
    # An argument that is no UTF-8 comes as halves of surrogates: these are written as JSON's own escapes.
    text = json.dumps(value, indent=1, ensure_ascii=False).encode(errors="backslashreplace").decode()
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on, as after `| head`: the run is recorded, and its exit code still stands.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_COMMANDS = {
    "run": run_command,
    "resume": resume_command,
    "cancel": cancel_command,
    "status": status_command,
    "prompt": prompt_command,
    "eval": eval_command,
    "doctor": doctor_command,
}


if __name__ == "__main__":
    sys.exit(main())
