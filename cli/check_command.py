"""`datamorph check`: how a specification is read, and its dry run; nothing is executed, recorded or written."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.settings import Settings
from cli.answers import EXIT_CODES, print_json
from cli.event_files import read_event
from cli.printable import printable
from cli.sources import snapshot_at_hand

if TYPE_CHECKING:
    from agent.snapshot import Snapshot
    from runs.examination import Examination
    from tools.ports import DryRun

_PREFLIGHT = {
    "ok": "the transform ran and gave rows",
    "partial": "the transform ran; no row reached the result, or only rows made up for the dry run failed",
    "skipped": "skipped; the warnings say why",
    "failed": "failed: a run would stop here",
}


def add_check(command: argparse.ArgumentParser) -> None:
    """Add the options of `datamorph check`."""
    command.add_argument("event", metavar="EVENT", help="the event, JSON or YAML, or - for standard input")
    command.add_argument("--no-dry-run", action="store_true", help="read and compile only; Spark is not started")
    command.epilog = "exit codes: 0 a run can begin, 2 it would be refused, 3 the dry run fails, 4 unavailable"


def check_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph check`: the course of a run up to its dry run, told in words."""
    from runs.accept import request_in
    from runs.examination import examine_request

    request = request_in(read_event(options.event))
    snapshot, warning = snapshot_at_hand(request, settings)
    with _spark(settings, wanted=not options.no_dry_run) as dry_run:
        found = examine_request(request, snapshot, settings, dry_run, with_dry_run=not options.no_dry_run)
    code, status = _status(found, settings)
    body = _body(found, snapshot, settings, warning) | {"run_id": request.run_id, "execution_status": status}
    if options.json:
        print_json({"statusCode": code, "body": body})
    else:
        sys.stdout.write("\n".join(_lines(body)) + "\n")
    return EXIT_CODES[code]


@contextmanager
def _spark(settings: Settings, *, wanted: bool) -> Iterator[DryRun | None]:
    """Local Spark, which starts with its first use; None where it is not installed or not wanted."""
    if not wanted or importlib.util.find_spec("pyspark") is None:
        yield None
        return
    from tools.spark.dry_run import LocalDryRun

    with (
        tempfile.TemporaryDirectory(prefix="datamorph-dry-run-") as folder,
        closing(LocalDryRun(Path(folder), settings.dry_run_seconds)) as dry_run,
    ):
        yield dry_run


def _status(found: Examination, settings: Settings) -> tuple[int, str]:
    if found.problems or (found.unread and settings.model == "compiler"):
        return 400, "invalid"
    return (422, "failed") if found.findings else (200, "ready")


def _body(found: Examination, snapshot: Snapshot, settings: Settings, warning: str) -> dict[str, Any]:
    from runs.respond import told_problems

    return {
        "target_table": snapshot.target.name,
        "model": settings.model,
        "columns_from": snapshot.origin,
        "reading": found.words,
        "notes": [vars(note) for note in found.notes],
        "unread": [vars(words) for words in found.unread],
        "errors": told_problems(found.problems),
        "warnings": [*([warning] if warning else []), *found.warnings],
        "transform": found.transform or None,
        "preflight": found.preflight,
        "findings": list(found.findings),
        "columns": [{"name": name, "type": kind} for name, kind in found.tried.columns],
    }


def _lines(body: dict[str, Any]) -> Iterator[str]:
    origin = "the database" if body["columns_from"] == "database" else "the event"
    yield f"{body['target_table']}: {body['execution_status']} (model {body['model']}, columns from {origin})"
    for kind, sentences in body["reading"].items():
        yield from _section(kind, sentences)
    yield from _section("notes", (_note(note) for note in body["notes"]))
    yield from _section("unread words", (f'{one["path"]}: "{one["words"]}"' for one in body["unread"]))
    yield from _section("problems", (f"{one['path']}: {one['message']}" for one in body["errors"]))
    yield from _section("warnings", body["warnings"])
    if body["transform"]:
        yield from _section("transform", body["transform"].rstrip().split("\n"))
    elif body["model"] != "compiler":
        yield from _section("transform", [f"{body['model']} would write it; `datamorph prompt` shows its prompt"])
    if body["preflight"]:
        yield from _section("dry run on sample rows", _dry_run(body))


def _dry_run(body: dict[str, Any]) -> Iterator[str]:
    yield _PREFLIGHT[body["preflight"]]
    for finding in body["findings"]:
        where = f"line {finding['line']} of the transform: " if finding["line"] else ""
        yield f"{where}{finding['message']}" + (f" ({finding['hint']})" if finding["hint"] else "")
    if columns := body["columns"]:
        yield "columns: " + ", ".join(f"{column['name']} {column['type']}" for column in columns)


def _note(note: dict[str, str]) -> str:
    other = f" (another reading: {note['other']})" if note["other"] else ""
    return f"{note['path']}: {note['message']}{other}"


def _section(kind: str, lines: Iterable[str]) -> Iterator[str]:
    told = [f"  {printable(line)}" for line in lines]
    if told:
        yield from ("", kind, *told)
