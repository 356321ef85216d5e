"""What a model is told: the prompts, filled in from request, snapshot and diagnosis."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agent.diagnosis.findings import Diagnosis
from agent.diagnosis.redact import clip, redact
from agent.request import Request
from agent.sampling.masking import cut_cells, mask_rows
from agent.script import target_columns
from agent.snapshot import Column, Snapshot, Source
from prompts import lessons, render

SAMPLE_ROWS = 10
"""Rows of a table that a prompt shows at most."""

SHOWN_LABELS = 20
"""Values of an enum that a prompt shows at most."""


@dataclass(frozen=True)
class Prompt:
    """One question to a model."""

    system: str
    user: str

    def text(self) -> str:
        """Both parts as one text, as it is stored and as `datamorph prompt` prints it."""
        return f"{self.system}\n\n---\n\n{self.user}"


def generation_prompt(request: Request, snapshot: Snapshot) -> Prompt:
    """The first question: write `transform`."""
    return Prompt(_system(), render("generate", **_task(request, snapshot)))


def repair_prompt(request: Request, snapshot: Snapshot, transform: str, diagnosis: Diagnosis) -> Prompt:
    """The second question: why did this `transform` fail, and what does it look like mended."""
    parts = [f"{diagnosis['failure_class']}: {diagnosis['root_cause']}"]
    if diagnosis["line"]:
        parts.append(f"Line {diagnosis['line']} of the function.")
    if diagnosis["hint"]:
        parts.append(f"Hint: {diagnosis['hint']}")
    return Prompt(
        _system(),
        render(
            "repair",
            diagnosis=_inert(" ".join(parts)),
            evidence=_inert(clip(diagnosis["evidence"], 4000)),
            transform=transform.rstrip("\n"),
            **_task(request, snapshot),
        ),
    )


def _system() -> str:
    return render("system", lessons=lessons()).strip()


def _task(request: Request, snapshot: Snapshot) -> dict[str, str]:
    return {
        "specification": _inert(redact(_specification(request))),
        "sources": "\n\n".join(_source(source, request.options.mask_samples) for source in snapshot.sources),
        "target": _target(request, snapshot),
    }


def _specification(request: Request) -> str:
    """The specification as JSON, one item of a list a line: easy to read, and few tokens."""
    specs = request.specs.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return "{\n" + ",\n".join(f'"{name}": {_lines(value)}' for name, value in specs.items()) + "\n}"


def _lines(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(f" {json.dumps(item, ensure_ascii=False)}" for item in value) + "\n]"


def _source(source: Source, mask: bool) -> str:
    columns = ", ".join(f"{_word(c.name)} {_type(c)}{'' if c.nullable else ' not null'}" for c in source.columns)
    size = f", about {source.rows_estimate:,} rows" if source.rows_estimate else ""
    head = f"- `{_word(source.key)}` is table {_word(source.table)}{size}: {columns}"
    rows = source.samples[:SAMPLE_ROWS]
    if not rows:
        return f"{head}\n  (no sample rows)"
    shown = cut_cells(mask_rows(rows, source.columns) if mask else rows)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in shown)
    return f"{head}\n  sample rows{' (masked)' if mask else ''}:\n<data>\n{_inert(redact(lines))}\n</data>"


def _type(column: Column) -> str:
    """A column's type, of an enum with its values."""
    labels = ", ".join(f"'{_word(label)}'" for label in column.labels[:SHOWN_LABELS])
    more = ", …" if len(column.labels) > SHOWN_LABELS else ""
    kind = _word(column.type)
    return f"{kind} ({labels}{more})" if labels else kind


def _target(request: Request, snapshot: Snapshot) -> str:
    columns, table = target_columns(request, snapshot), _word(snapshot.target.name)
    if not columns:
        return f"- table {table}, which takes the columns that you return; name them well"
    listed = ", ".join(
        f"{_word(name)} {_word(sql_type)}" if spark else _word(name) for name, spark, sql_type, _ in columns
    )
    return f"- table {table} with the columns, in this order: {listed}"


def _word(name: str) -> str:
    """A name on one line, as long as PostgreSQL's names are: no room for instructions."""
    return _inert(" ".join(name.split()))[:128]


def _inert(text: str) -> str:
    """Keep data from closing its own block."""
    return text.replace("</data>", "<\\/data>")
