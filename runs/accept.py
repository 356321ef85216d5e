"""Accepts a request: every door does this before its workflow begins."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from agent.errors import ConflictError, InvalidRequestError
from agent.request import Request, parse_request
from agent.request_checks import misread, unknown_tables, unsupported
from agent.run_status import at_work, is_invalid, is_open
from agent.settings import Settings
from graph.inputs import document_key
from graph.state import InputState
from runs.completion import recorded
from runs.limits import deadline
from runs.stop import supersede
from tools.records import RunRecord
from tools.toolbox import Toolbox


def new_run_id() -> str:
    """A run_id for an event that brings none: `20250113_123456_abc123`."""
    return f"{datetime.now(UTC):%Y%m%d_%H%M%S}_{secrets.token_hex(3)}"


def run_id_of(event: object) -> str | None:
    """The run_id that an input names; None when it names none."""
    run_id = event.get("run_id") if isinstance(event, dict) else None
    return run_id if isinstance(run_id, str) else None


def request_in(event: object) -> Request:
    """The request in an event. Raises InvalidRequestError, also for a request that this version cannot carry out."""
    request = parse_request(event)
    if problems := [*unsupported(request), *unknown_tables(request), *misread(request)]:
        raise InvalidRequestError(problems)
    return request


def accept(request: Request, tools: Toolbox, settings: Settings, database: str) -> RunRecord:
    """Record the run, and return it as it stands on record.

    Raises ConflictError when another payload has the run_id, when another process was faster to restart the run, and
    when the generation to be replaced cannot be stopped from here; UnavailableError.
    """
    ledger = tools.ledger
    record = _record(request, tools, settings, database)
    known = ledger.accept(record)
    if request.options.restart or is_invalid(known.status):
        if known == record or _under_way(known, record):
            return known
        # A run that was invalid from the start has nothing to stop.
        if not is_invalid(known.status) or ledger.launches(known.key):
            if is_open(known.status):
                check_database(known, settings, database)
            supersede(tools, known, appends=request.specs.target_table.write_mode == "append")
        return ledger.new_generation(known, record)
    if known.payload_sha != record.payload_sha:
        message = (
            f"run_id {request.run_id} was accepted on {known.accepted_at} with another payload, model or engine; "
            "choose another run_id, or set options.restart to begin a new generation"
        )
        raise ConflictError(request.run_id, message)
    # The answer of a run that has ended is the same in every thread of Studio, and at every other door.
    if recorded(known) is None or _database(known.database) != _database(database):
        check_doors(known, settings, database)
    return known


def _under_way(known: RunRecord, record: RunRecord) -> bool:
    """True when the same restart is at work already: callers and Lambda repeat a request after a time-out."""
    # A first generation counts as that restart when its request was the same, `options.restart` included.
    restarted = known.generation > 1 or known.request_ref == record.request_ref
    return restarted and at_work(known.status) and known.payload_sha == record.payload_sha


IN_THREAD = ", in Studio's thread "
"""Separates database and thread in the place of a run of Studio: its checkpoints lie in that thread alone."""


def _database(place: str) -> str:
    """The database of a recorded place, without Studio's thread."""
    return place.partition(IN_THREAD)[0]


def check_database(record: RunRecord, settings: Settings, database: str) -> None:
    """Raise ConflictError where a run's jobs, staging and target cannot be seen: from another engine or database."""
    began, now = (record.engine, _database(record.database)), (settings.engine, _database(database))
    if began != now:
        message = f"run {record.run_id} is on engine {began[0]!r}, {began[1]!r}, not on {now[0]!r}, {now[1]!r}"
        raise ConflictError(record.run_id, f"{message}; cancel it from there")


def check_doors(record: RunRecord, settings: Settings, database: str) -> None:
    """Raise ConflictError where a run would go on with another model, engine, database or thread than it began with."""
    began = {"model": record.model, "engine": record.engine, "database": record.database}
    now = {"model": settings.model, "engine": settings.engine, "database": database}
    if differing := [f"{name} {began[name]!r}, not {now[name]!r}" for name in began if began[name] != now[name]]:
        message = f"run {record.run_id} was started with {'; '.join(differing)}; give the same again"
        raise ConflictError(record.run_id, message)


def first_state(record: RunRecord) -> InputState:
    """The first state of an accepted run's workflow."""
    return InputState(
        run_id=record.run_id,
        generation=record.generation,
        engine=record.engine,
        model=record.model,
        request_ref=record.request_ref,
        accepted_at=record.accepted_at,
    )


def _record(request: Request, tools: Toolbox, settings: Settings, database: str) -> RunRecord:
    text = request.model_dump_json(indent=1, exclude_defaults=True)
    return RunRecord(
        run_id=request.run_id,
        generation=1,
        payload_sha=request.payload_sha(settings.model, settings.engine),
        request_ref=tools.artifacts.put(document_key(request.run_id, 0, "request", text, "json"), text),
        model=settings.model,
        engine=settings.engine,
        database=database,
        accepted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        status="running",
        deadline=deadline(tools.clock.now(), settings.run_deadline_minutes),
    )
