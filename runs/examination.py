"""Examination of a request: how it is read, and its dry run. Nothing is executed, recorded or written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.compiler.notes import Note, Unread
from agent.compiler.plan_words import plan_words
from agent.compiler.reading import Reading, read_specification
from agent.errors import Problem
from agent.findings import Finding
from agent.request import Request
from agent.request_checks import unused
from agent.settings import Settings
from agent.snapshot import Snapshot
from agent.target_checks import refusals, warnings_for
from agent.target_names import long_names
from graph.inputs import store
from graph.nodes.generate import generate
from graph.nodes.preflight import preflight
from graph.nodes.sanitize import sanitize
from graph.state import Preflight, State
from tools.local.artifacts import LocalArtifacts
from tools.ports import DryRun
from tools.records import DryRunResult, SampleTable

COMPILER = "compiler"


@dataclass(frozen=True)
class Examination:
    """The beginning of a run: plan, notes, problems and transform, without running a job."""

    words: dict[str, list[str]]
    """The plan, as `plan_words` gives it; empty where the reading has no plan."""
    notes: tuple[Note, ...]
    unread: tuple[Unread, ...]
    problems: tuple[Problem, ...]
    """Reasons for which a run would be refused."""
    warnings: tuple[str, ...]
    transform: str = ""
    """The compiled transform; empty where a model would write it, and where there are problems."""
    preflight: Preflight | None = None
    """Result of the dry run; None without a transform, and where it was not asked for."""
    findings: tuple[Finding, ...] = ()
    """Faults that the checks of the transform and the dry run found."""
    tried: DryRunResult = field(default_factory=DryRunResult)
    """The newest result of the dry run."""


def examine_request(
    request: Request, snapshot: Snapshot, settings: Settings, dry_run: DryRun | None, *, with_dry_run: bool = True
) -> Examination:
    """Read a request, compile it where the compiler is the model, and run the transform on sample rows.

    Raises InvalidRequestError for sample rows of the event that do not fit their columns.
    """
    reading = read_specification(request, snapshot)
    words = plan_words(reading.plan, snapshot) if reading.plan is not None else {}
    warnings = (*unused(request), *warnings_for(request, snapshot))
    names = long_names(request.specs.target_table, snapshot.target, reading.entries)
    problems = dict.fromkeys([*refusals(request, snapshot), *names, *reading.problems])
    if settings.model != COMPILER:
        notes = tuple(note for note in reading.told() if note not in _of_words(reading))
        return Examination(words, notes, reading.unread, tuple(problems), warnings)
    problems |= dict.fromkeys(reading.beyond)
    found = Examination(words, reading.notes, reading.unread, tuple(problems), warnings)
    if problems or reading.unread:
        return found
    with tempfile.TemporaryDirectory(prefix="datamorph-check-") as folder:
        return _tried(found, request, snapshot, settings, _Course(Path(folder), dry_run, with_dry_run))


def _of_words(reading: Reading) -> set[Note]:
    """The notes about unread words, which the examination lists apart."""
    paths = {one.path for one in reading.unread}
    return {note for note in reading.told() if note.path in paths and note not in reading.notes}


@dataclass(frozen=True)
class _Course:
    """The folder and the Spark of an examination."""

    folder: Path
    dry_run: DryRun | None
    with_dry_run: bool


class _Watched:
    """A dry run that keeps its newest result."""

    def __init__(self, dry_run: DryRun) -> None:
        self._dry_run = dry_run
        self.result = DryRunResult()

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        self.result = self._dry_run.run(script, tables)
        return self.result

    def close(self) -> None:
        self._dry_run.close()


def _tried(
    found: Examination, request: Request, snapshot: Snapshot, settings: Settings, course: _Course
) -> Examination:
    """The course of a run from `generate` to `preflight`, with its nodes, in a folder that is gone afterwards."""
    from tools.models.compiled import CompilerModel

    artifacts = LocalArtifacts(course.folder)
    state = State(
        run_id=request.run_id, generation=1, model=COMPILER, warnings=[*found.warnings], model_calls=0,
        usage={"input_tokens": 0, "output_tokens": 0, "dpu_seconds": 0.0, "usd": 0.0},
    )  # fmt: skip
    state["request_ref"] = store(state, artifacts, "request", request.model_dump_json(exclude_defaults=True), "json")
    state["snapshot_ref"] = store(state, artifacts, "snapshot", snapshot.model_dump_json(), "json")
    rows, version = settings.sample_rows, settings.glue_version
    state |= generate(state, artifacts=artifacts, model=CompilerModel(), sample_rows=rows, glue_version=version)
    state |= sanitize(state, artifacts=artifacts, connection=settings.connection, glue_version=version)
    watched = _Watched(course.dry_run) if course.dry_run is not None else None
    if state["verdict"]["passed"] and course.with_dry_run:
        state |= preflight(state, artifacts=artifacts, dry_run=watched)
    return Examination(
        found.words, found.notes, found.unread, found.problems, tuple(state["warnings"]),
        transform=artifacts.get(state["transform_ref"]),
        preflight=state.get("preflight"),
        findings=tuple(state["verdict"]["findings"]),
        tried=watched.result if watched is not None else DryRunResult(),
    )  # fmt: skip
