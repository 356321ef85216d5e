"""Prompts to a model, filled in from request, snapshot and diagnosis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from agent.compiler.notes import Note
from agent.data_blocks import block, name_shown, type_shown
from agent.findings import Diagnosis
from agent.redaction import clip, redact
from agent.request import Request
from agent.sampling.masking import cut_cells, mask_rows
from agent.sanitizing.runtime import runtime
from agent.script import target_columns
from agent.settings import SampleRows
from agent.snapshot import Column, Snapshot, Source
from prompts import lessons, render

SAMPLE_ROWS = 10
"""Most sample rows of a table in a prompt."""

SHOWN_LABELS = 20
"""Most values of an enum in a prompt."""


def rows_read(sample_rows: SampleRows) -> int:
    """Number of rows of each source that are read from the database for prompt and dry run."""
    return 0 if sample_rows == "none" else SAMPLE_ROWS


@dataclass(frozen=True)
class Prompt:
    """One prompt to a model."""

    system: str
    user: str

    def text(self) -> str:
        """Both parts as one text, as it is stored and as `datamorph prompt` prints it."""
        return f"{self.system}\n\n---\n\n{self.user}"


def generation_prompt(
    request: Request, snapshot: Snapshot, sample_rows: SampleRows, glue_version: str, notes: Sequence[Note] = ()
) -> Prompt:
    """The prompt to write `transform`. `sample_rows` is the operator's setting; the request can only be stricter."""
    return Prompt(_system(glue_version), render("generate", **_task(request, snapshot, sample_rows, notes)))


def repair_prompt(
    request: Request,
    snapshot: Snapshot,
    transform: str,
    diagnosis: Diagnosis,
    sample_rows: SampleRows,
    glue_version: str,
    notes: Sequence[Note] = (),
) -> Prompt:
    """The prompt to repair a `transform` that failed."""
    parts = [f"{diagnosis['failure_class']}: {diagnosis['root_cause']}"]
    if diagnosis["line"]:
        parts.append(f"Line {diagnosis['line']} of the function.")
    if diagnosis["hint"]:
        parts.append(f"Hint: {diagnosis['hint']}")
    return Prompt(
        _system(glue_version),
        render(
            "repair",
            diagnosis=block("\n".join(parts)),
            evidence=block(clip(diagnosis["evidence"], 4000)),
            transform=block(transform.rstrip("\n")),
            **_task(request, snapshot, sample_rows, notes),
        ),
    )


def _system(glue_version: str) -> str:
    of = runtime(glue_version)
    words = {"glue": of.glue, "spark": of.spark_name, "python": of.python_name}
    return render("system", lessons=lessons(), **words).strip()


def _task(request: Request, snapshot: Snapshot, sample_rows: SampleRows, notes: Sequence[Note]) -> dict[str, str]:
    told = "masked" if sample_rows == "rows" and request.options.mask_samples else sample_rows
    return {
        "specification": block(redact(_specification(request))),
        "reading": block(redact("\n".join(map(_note, notes)) or "nothing is uncertain")),
        "sources": block("\n\n".join(_source(source, told) for source in snapshot.sources)),
        "target": block(_target(request, snapshot)),
    }


def _note(note: Note) -> str:
    other = f" (another reading: {note.other})" if note.other else ""
    return f"{note.path}: {note.message}{other}"


def _specification(request: Request) -> str:
    """The specification as JSON, with one line for each item of a list: easy to read in few tokens."""
    specs = request.specs.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in specs.items()) + "\n}"


def _lines(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(f" {json.dumps(item, ensure_ascii=False)}" for item in value) + "\n]"


def _source(source: Source, sample_rows: SampleRows) -> str:
    size = f", about {source.rows_estimate:,} rows" if source.rows_estimate else ""
    columns = ", ".join(f"{name_shown(c.name)} {_type(c)}{'' if c.nullable else ' not null'}" for c in source.columns)
    head = f"{name_shown(source.key)}: table {name_shown(source.table)}{size}\ncolumns: {columns}{_unreadable(source)}"
    rows = () if sample_rows == "none" else source.samples[:SAMPLE_ROWS]
    if not rows:
        return f"{head}\nno sample rows"
    shown = cut_cells(mask_rows(rows, source.columns) if sample_rows == "masked" else rows)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in shown)
    return f"{head}\nsample rows{' (masked)' if sample_rows == 'masked' else ''}:\n{redact(lines)}"


def _unreadable(source: Source) -> str:
    """A line that names the columns that no job reads; empty without any."""
    names = ", ".join(f"{name_shown(one.name)} {type_shown(one.type)}" for one in source.unreadable)
    return f"\nnot readable, leave these out: {names}" if names else ""


def _type(column: Column) -> str:
    """A column's type; an enum's with its values."""
    labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in column.labels[:SHOWN_LABELS])
    more = ", …" if len(column.labels) > SHOWN_LABELS else ""
    kind = type_shown(column.type)
    kind += f" (its values fit {column.held})" if column.held else ""
    return f"{kind} ({labels}{more})" if labels else kind


def _target(request: Request, snapshot: Snapshot) -> str:
    columns, table = target_columns(request, snapshot), name_shown(snapshot.target.name)
    listed = ", ".join(
        f"{name_shown(name)} {type_shown(sql_type)}" if spark else name_shown(name)
        for name, spark, sql_type, _ in columns
    )
    return f"table {table}\ncolumns, in this order: {listed or 'those that the function returns'}"
