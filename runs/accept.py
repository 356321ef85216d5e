"""Accepting a request: what every door does before its workflow begins."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from agent.errors import ConflictError, InvalidRequestError, UnavailableError
from agent.request import Request, parse_request
from agent.request_checks import unknown_tables, unsupported
from agent.settings import Settings
from graph.inputs import document_key
from graph.state import InputState
from runs.completion import recorded, told
from runs.limits import deadline
from runs.retire import retire, withdraw
from tools.records import ANNOUNCING, ENDING_STATUSES, OPEN_STATUSES, RunRecord
from tools.toolbox import Toolbox


def new_run_id() -> str:
    """A run_id for an event that brings none: `20250113_123456_abc123`."""
    return f"{datetime.now(UTC):%Y%m%d_%H%M%S}_{secrets.token_hex(3)}"


def run_id_of(event: object) -> str | None:
    """The run_id that an input names; None when it names none."""
    run_id = event.get("run_id") if isinstance(event, dict) else None
    return run_id if isinstance(run_id, str) else None


def request_in(event: object) -> Request:
    """The request that an event makes. Raises InvalidRequestError for a bad one, and for one that asks too much."""
    request = parse_request(event)
    if problems := [*unsupported(request), *unknown_tables(request)]:
        raise InvalidRequestError(problems)
    return request


def accept(request: Request, tools: Toolbox, settings: Settings, database: str) -> RunRecord:
    """The run as it stands recorded.

    Raises ConflictError when another payload has the run_id, and where another process was faster to restart the run.
    """
    ledger = tools.ledger
    record = _record(request, tools, settings, database)
    known = ledger.accept(record)
    if request.options.restart or known.status == "invalid":
        if known == record or _under_way(known, record):
            return known
        # Of an invalid request nothing was begun that could be withdrawn.
        if known.status != "invalid" or ledger.launches(known.run_id, known.generation):
            _supersede(request, known, tools, settings, database)
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
    """True for a restart that is at work and asked for once more, as callers and Lambda do after a time-out."""
    at_work = known.status in OPEN_STATUSES and known.status not in (*ENDING_STATUSES, ANNOUNCING)
    # The first generation was a restart where the very same was asked, `options.restart` included.
    restarted = known.generation > 1 or known.request_ref == record.request_ref
    return restarted and at_work and known.payload_sha == record.payload_sha


def _supersede(request: Request, known: RunRecord, tools: Toolbox, settings: Settings, database: str) -> None:
    """End the generation that a new one follows.

    Raises ConflictError where that cannot be done from here, and where its rows would be appended once more;
    UnavailableError.
    """
    if known.status in OPEN_STATUSES:
        check_database(known, settings, database)
    if known.status == ANNOUNCING and not told(tools, known):
        raise UnavailableError("events", f"generation {known.generation} has ended, and nobody can be told; try again")
    published = not withdraw(tools, known, "superseded")
    if published and request.specs.target_table.write_mode == "append":
        # It is not being stopped any more: where it is open, what is left to do is to finish it.
        tools.ledger.finish(known.run_id, known.generation, "running", known.response, stopping=True)
        message = f"generation {known.generation} was published, and its rows would be appended again"
        raise ConflictError(known.run_id, f"{message}: choose another run_id")
    retire(tools, known)


IN_THREAD = ", in Studio's thread "
"""Stands in the place of a run of Studio between its database and its thread, whose checkpoints nobody else has."""


def _database(place: str) -> str:
    """A place without its thread."""
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
    """What the workflow of an accepted run begins with."""
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
        deadline=deadline(tools.clock.now(), settings.ends_after),
    )
