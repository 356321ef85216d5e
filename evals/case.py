"""An eval case: a failing transform, the engine's error verbatim, and the properties of a right repair.

Each case is a JSON file, `cases/NAME.json`; `evals/README.md` says how to add one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, ValidationInfo, model_validator

from agent.errors import InvalidRequestError, Problem
from agent.findings import FailureClass, RepairableBy
from agent.nearest import did_you_mean
from agent.request import Request, parse_request
from agent.snapshot import Row, Snapshot, Target, event_snapshot
from agent.validation_messages import path_of

CASES = Path(__file__).with_name("cases")
RECORDING = "recording"
"""Validation context of a case whose recordings do not exist yet."""

Phase = Literal["sanitize", "preflight", "job", "publish", "none"]
"""Check or step at which the transform fails; `none`: Spark accepts it."""
Way = Literal["rule", "model", "resources", "retry", "nobody"]
"""Means of the repair; `retry` and `nobody` leave the transform as it is."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Failing(_Strict):
    """The reply whose transform fails."""

    lines: tuple[str, ...]
    fenced: bool = True
    """False for a reply without a fence around the lines."""
    stop_reason: str = "end_turn"
    broken_on_purpose: bool
    model: str = ""
    """Author of a recorded reply; empty for a handwritten one."""
    date: str = ""

    @property
    def reply(self) -> str:
        """The reply's text."""
        text = "\n".join(self.lines) + "\n"
        return f"```python\n{text}```\n" if self.fenced else text


class Wording(_Strict):
    """The failure in the words of one engine or database; `evals/record.py` writes it, nobody edits it."""

    error: str
    """Verbatim: Spark's or Python's error, the job run's error, or PostgreSQL's refusal."""
    log: str = ""
    """End of the job's log, for an error that says too little."""
    phase: str = ""
    """The script's failed phase, as preflight reports it."""
    line: int | None = None
    """The script's failing line, as preflight reports it."""
    transform_line: int = 0
    """The script's line on which the transform begins."""
    state: str = ""
    """State of the job run."""
    kind: str = ""
    """Kind of the refused publish, as in PublishError."""
    spark: str = ""
    postgres: str = ""
    date: str


class Scene(_Strict):
    """Environment that `evals/record.py` sets up for a job that must fail."""

    setup: tuple[str, ...] = ()
    """SQL after the sources are filled: the target, rows by the million."""
    sabotage: tuple[str, ...] = ()
    """SQL between the run's snapshot and the job's start."""
    role: str = ""
    """Database role of the job; empty: the owner."""
    memory: str = "1g"
    unreachable: bool = False
    """True when the job gets the address of a missing server."""
    keep_log: int = 0
    """Characters of the log's end to keep."""


class Expected(_Strict):
    """Properties that the diagnosis must have."""

    failure_class: FailureClass | None = None
    """None when there is nothing to diagnose."""
    repairable_by: RepairableBy | None = None
    line: int | None = None
    """Line of the transform, 1-based."""
    names: tuple[str, ...] = ()
    """Words that root cause and hint must name."""
    noticed: bool = True
    """For a case that Spark accepts: True when a check should find something."""


class Repair(_Strict):
    """Result of a right repair on the case's rows."""

    by: Way
    sql: str = ""
    """Handwritten query for the right rows; empty when the transform is not rewritten."""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[JsonValue, ...], ...] = ()
    """Rows of that query, recorded by `evals/record.py`."""
    ordered: bool = False


class Reply(_Strict):
    """A model's recorded answer to the case's repair prompt, verbatim."""

    completion: str
    model: str
    date: str
    stop_reason: str = "end_turn"
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0


class Case(_Strict):
    """A recorded failure."""

    name: str
    """The file's name without `.json`."""
    about: str
    must_hold: bool
    """False: the scores are only recorded, and a failed one breaks nothing."""
    phase: Phase
    event: dict[str, JsonValue]
    rows: dict[str, list[Row]] = {}
    """All rows of a source table, when there are more than the event's samples."""
    target: Target | None = None
    """The target as PostgreSQL's catalogue described it; recorded."""
    transform: Failing
    scene: Scene = Scene()
    wordings: tuple[Wording, ...] = ()
    """The first wording is repaired; others are the same failure on another Spark."""
    expected: Expected
    repair: Repair
    completions: tuple[Reply, ...] = ()

    @model_validator(mode="after")
    def _whole(self, info: ValidationInfo) -> Self:
        parse_request(self.event)
        if info.context == RECORDING:
            return self
        if self.phase in ("preflight", "job", "publish") and not self.wordings:
            raise ValueError(f"no error is recorded: python -m evals.record {self.name}")
        if self.repair.by in ("rule", "model") and not self.repair.columns:
            raise ValueError(f"no right rows are recorded: python -m evals.record {self.name}")
        if self.phase != "none" and not (self.expected.failure_class and self.expected.repairable_by):
            raise ValueError("expected needs failure_class and repairable_by")
        return self

    @property
    def request(self) -> Request:
        """The event as the workflow reads it."""
        return parse_request(self.event)

    @property
    def snapshot(self) -> Snapshot:
        """Sources from the event, and the recorded target."""
        found = event_snapshot(self.request)
        return found if self.target is None else found.model_copy(update={"target": self.target})

    def rows_of(self, table: str) -> tuple[Row, ...]:
        """All rows of a source."""
        return tuple(self.rows.get(table) or self.request.source_data_samples.get(table, []))


def case_names(folder: Path = CASES) -> list[str]:
    """The names of all cases, in order."""
    return sorted(path.stem for path in folder.glob("*.json"))


def load_cases(names: Sequence[str] = (), folder: Path = CASES) -> list[Case]:
    """The named cases, or all. Raises InvalidRequestError for an unknown name and for every wrong file."""
    known = case_names(folder)
    unknown = [name for name in names if name not in known]
    if unknown:
        told = "is no case{}; `datamorph eval --list` names them all"
        raise InvalidRequestError(
            [Problem(f"--case {name}", told.format(did_you_mean(name, known))) for name in unknown]
        )
    cases: list[Case] = []
    problems: list[Problem] = []
    for name in names or known:
        path = folder / f"{name}.json"
        try:
            cases.append(read_case(path))
        except InvalidRequestError as error:
            problems += error.problems
    if problems:
        raise InvalidRequestError(problems)
    return cases


def read_case(path: Path, context: str = "") -> Case:
    """The case in a file. Raises InvalidRequestError that names the file and each fault in it."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Case.model_validate_json(json.dumps({**stored, "name": path.stem}), context=context)
    except OSError as error:
        raise InvalidRequestError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except (TypeError, json.JSONDecodeError) as error:
        raise InvalidRequestError([Problem(str(path), f"is not a JSON object: {error}")]) from error
    except ValidationError as error:
        raise InvalidRequestError([_problem(path, detail) for detail in error.errors()]) from None
    except InvalidRequestError as error:
        told = [Problem(str(path), f"event, {problem.path}: {problem.message}") for problem in error.problems]
        raise InvalidRequestError(told) from None


def _problem(path: Path, detail: Any) -> Problem:
    where = path_of(detail["loc"]) if detail["loc"] else "the case"
    return Problem(str(path), f"{where}: {detail['msg'].removeprefix('Value error, ')}")
