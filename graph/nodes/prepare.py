"""prepare: take the snapshot of sources and target, and refuse a request that cannot be published."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.notes import Note
from agent.errors import InvalidRequestError
from agent.prompting import rows_read
from agent.redaction import clip
from agent.request_checks import unknown_keys, unused
from agent.settings import SampleRows
from agent.target_checks import refusals, warnings_for
from agent.target_names import long_names
from graph.inputs import load_request, store
from graph.state import State, ToldNote
from tools.ports import ArtifactStore, Database

_NOTES = 40
"""Limit of notes in the state: a checkpoint stays small."""

_CHARACTERS = 300
"""Limit of each text of a note."""


def prepare(
    state: State,
    *,
    artifacts: ArtifactStore,
    database: Database,
    sample_rows: SampleRows,
    worker_type: str = "G.1X",
) -> State:
    """Store the snapshot that all later nodes use. Raises InvalidRequestError with all reasons to refuse.

    Names that no source has and contradictions are refused whatever the model is.
    With sample rows `none` no row is read from the sources, and the snapshot holds those of the event alone.
    """
    from agent.compiler.reading import read_specification  # the reader is loaded when a request is read

    request = load_request(state, artifacts)
    snapshot = database.snapshot(request, rows_read(sample_rows))
    reading = read_specification(request, snapshot)
    names = long_names(request.specs.target_table, snapshot.target, reading.entries)
    if problems := [*refusals(request, snapshot), *names, *reading.problems]:
        raise InvalidRequestError(list(dict.fromkeys(problems)))
    database.prepare_staging()
    return State(
        target_table=request.specs.target_table.name,
        snapshot_ref=store(state, artifacts, "snapshot", snapshot.model_dump_json(indent=1), "json"),
        warnings=[*unknown_keys(request), *unused(request), *warnings_for(request, snapshot)],
        notes=_told(reading.told()),
        usage={"input_tokens": 0, "output_tokens": 0, "dpu_seconds": 0.0, "usd": 0.0},
        model_calls=0,
        attempt=1,
        launch=1,
        executions=0,
        rewrites=0,
        rewrites_total=0,
        wait=request.options.wait,
        worker_type=worker_type,
        preflight=None,
        verified="none",
        outcome=None,
        publish_failure=None,
        rows_written=None,
        diagnosis=None,
        signatures=[],
        status="running",
    )


def _told(notes: Sequence[Note]) -> list[ToldNote]:
    """The first notes, within the limits of a checkpoint, and the number of the others."""
    told = [
        ToldNote(
            path=clip(one.path, _CHARACTERS), message=clip(one.message, _CHARACTERS), other=clip(one.other, _CHARACTERS)
        )
        for one in notes[:_NOTES]
    ]
    more = len(notes) - len(told)
    rest = f"{more} more parts were not certain either; `datamorph check` tells them all"
    return [*told, ToldNote(path="specs", message=rest, other="")] if more > 0 else told
