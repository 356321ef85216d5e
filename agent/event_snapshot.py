"""The snapshot that an event alone allows: its own schemas and samples, nothing known of the target."""

from __future__ import annotations

from agent.errors import InvalidRequestError, Problem, UnsupportedTypeError
from agent.request import Request, SourceTable
from agent.snapshot import Column, Snapshot, Source, Target
from agent.types import near_type, spark_type


def event_snapshot(request: Request) -> Snapshot:
    """The snapshot of an event. Raises InvalidRequestError for a source without a schema or with an unknown type."""
    problems: list[Problem] = []
    sources = [_source(request, table, problems) for table in request.specs.source_tables]
    if problems:
        raise InvalidRequestError(problems)
    target = Target(name=request.specs.target_table.name, exists=False)
    return Snapshot(sources=tuple(sources), target=target, origin="event")


def _source(request: Request, table: SourceTable, problems: list[Problem]) -> Source:
    schema = request.source_schemas.get(table.key) or request.source_schemas.get(table.table_name)
    if schema is None:
        message = "no database is at hand, and the event does not describe this table"
        problems.append(Problem(f"source_schemas.{table.table_name}", message))
    columns = schema.columns if schema else ()
    for index, column in enumerate(columns):
        try:
            spark_type(column.type, column.name)
        except UnsupportedTypeError as error:
            near = near_type(column.type)
            message = f"{error.told}{near}" if near else str(error)
            problems.append(Problem(f"source_schemas.{table.table_name}.columns[{index}].type", message))
    samples = request.source_data_samples.get(table.key) or request.source_data_samples.get(table.table_name) or []
    return Source(
        key=table.key,
        table=table.table_name,
        columns=tuple(Column(name=c.name, type=c.type) for c in columns),
        samples=tuple(samples),
        samples_from="event" if samples else "none",
    )
