"""The snapshot: sources and target at one moment, from the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.errors import InvalidRequestError, Problem, UnavailableError, UnsupportedTypeError
from agent.nearest import did_you_mean
from agent.request import Request, SourceTable, TargetTable
from agent.snapshot import Column, Row, Snapshot, Source, Target, split_readable
from agent.sql_identifiers import MAX_BYTES, quote_table
from agent.types import element_type
from tools.database import catalog, grants, staging_schema, target_query
from tools.database.catalog import Relation
from tools.database.connection import Connection
from tools.database.digits_query import with_digits
from tools.database.row_values import given_rows
from tools.database.sample_query import sampled

_RIGHTS = {"overwrite": ["DELETE"], "append": [], "merge": ["UPDATE"]}
"""Rights that a write mode needs beside SELECT and INSERT."""


def take_snapshot(connection: Connection, request: Request, sample_rows: int, job_role: str | None = None) -> Snapshot:
    """Describe every source and the target of a request. Raises InvalidRequestError with all problems.

    Raises UnavailableError for a missing right, also of `job_role` where jobs have a role of their own.
    """
    problems: list[Problem] = []
    sources = []
    relations: dict[int, str] = {}
    for index, table in enumerate(request.specs.source_tables):
        try:
            relation, source = _source(connection, request, index, sample_rows, job_role)
        except InvalidRequestError as error:
            problems += error.problems
            continue
        relations[relation.oid] = source.key
        sources.append(source)
        problems += _disagreements(request, table, source)
    try:
        target = _target(connection, request.specs.target_table, relations)
    except InvalidRequestError as error:
        problems += error.problems
    if problems:
        raise InvalidRequestError(problems)
    return Snapshot(sources=tuple(sources), target=target, origin="database")


def _source(
    connection: Connection, request: Request, index: int, sample_rows: int, job_role: str | None
) -> tuple[Relation, Source]:
    table = request.specs.source_tables[index]
    path = f"specs.source_tables[{index}].table_name"
    relation = catalog.resolve(connection, table.table_name)
    if relation is None:
        near = catalog.nearest_table(connection, table.table_name)
        raise InvalidRequestError([Problem(path, f"there is no table {table.table_name!r} in the database{near}")])
    permitted, denied = grants.readable(connection, relation, catalog.columns(connection, relation.oid), job_role)
    columns, unsupported = split_readable(permitted, f"{relation.sql}: ")
    if not columns:
        raise InvalidRequestError([Problem(path, one.reason) for one in unsupported])
    given = _given_samples(request, table)
    samples, warning = (
        (given_rows(given, columns), "") if given else sampled(connection, relation, columns, sample_rows, path)
    )
    columns, rounding = with_digits(connection, relation.sql, columns, request.specs)
    source = Source(
        key=table.key,
        table=table.table_name,
        relation=relation.sql,
        columns=columns,
        unreadable=(*unsupported, *denied),
        unique_keys=_known_keys(catalog.unique_keys(connection, relation.oid), columns),
        rows_estimate=relation.rows_estimate,
        samples=samples,
        samples_from="event" if given else "database" if samples else "none",
        cautions=tuple(text for text in (warning, rounding, _hidden(connection, relation, job_role)) if text),
    )
    return relation, source


def _known_keys(keys: Iterable[tuple[str, ...]], columns: Iterable[Column]) -> tuple[tuple[str, ...], ...]:
    names = {column.name for column in columns}
    return tuple(key for key in keys if names.issuperset(key))


def _hidden(connection: Connection, relation: Relation, job_role: str | None) -> str:
    """Say that row security hides rows from the jobs; empty where it does not."""
    role = catalog.row_security(connection, relation.oid, job_role)
    told = f"{relation.sql} has row security: jobs read the rows that its policies show to role {role!r}"
    return f"{told}, and no others" if role else ""


def _given_samples(request: Request, table: SourceTable) -> Sequence[Row]:
    samples = request.source_data_samples
    return next((samples[name] for name in table.names if samples.get(name)), [])


def _disagreements(request: Request, table: SourceTable, source: Source) -> list[Problem]:
    """List the columns that the event describes and the database lacks; where types differ, the database's count."""
    for key in table.names:
        if key in request.source_schemas:
            existing = source.names
            return [
                Problem(
                    f"source_schemas.{key}.columns[{index}].name",
                    f"{table.table_name!r} has no column {column.name!r} in the database"
                    f"{did_you_mean(column.name, existing)}",
                )
                for index, column in enumerate(request.source_schemas[key].columns)
                if column.name not in existing
            ]
    return []


def _target(connection: Connection, wanted: TargetTable, sources: dict[int, str]) -> Target:
    name = wanted.name
    relation = catalog.resolve(connection, name)
    if relation is None:
        place = place_for(connection, name)
        if problems := _unknown_enums(connection, wanted):
            raise InvalidRequestError(problems)
        return Target(name=name, relation=place, exists=False)
    if relation.oid in sources:
        raise _refused(f"{name!r} is also the source {sources[relation.oid]!r}; publish into another table")
    _demand_free(relation.schema)
    if relation.kind not in ("table", "partitioned table"):
        raise _refused(f"{name!r} is a {relation.kind}; the target must be a table")
    _demand(connection, relation, "SELECT", "INSERT", *_RIGHTS[wanted.write_mode or "overwrite"])
    return target_query.describe(connection, name, relation)


def _unknown_enums(connection: Connection, wanted: TargetTable) -> list[Problem]:
    """List the declared enums that do not exist: publish creates a table, and no types."""
    problems = []
    for index, column in enumerate(wanted.columns):
        name = _enum_name(column.type or "")
        if name and not catalog.is_enum(connection, name):
            message = f"there is no enum {name} in the database; create the type first, or declare text"
            problems.append(Problem(f"specs.target_table.columns[{index}].type", message))
    return problems


def _enum_name(declared: str) -> str:
    """The name, for SQL, of an enum or of an array's enum; empty for other types."""
    try:
        name = element_type(declared)
    except UnsupportedTypeError:  # the checks of the request tell this by path
        return ""
    return name.removeprefix("enum ") if name.startswith("enum ") else ""


def place_for(connection: Connection, name: str) -> str:
    """Return the name, for SQL, under which publish creates a missing target.

    Raises InvalidRequestError for an impossible name or schema, UnavailableError without the right to create.
    """
    schema, dot, table = name.partition(".")
    if "\0" in name:
        raise _refused("a name holds no zero byte")
    if dot:
        _demand_free(schema)
    if dot and not catalog.schema_exists(connection, schema):
        near = did_you_mean(schema, [known for known in catalog.schemas(connection) if known != staging_schema.SCHEMA])
        raise _refused(f"there is no schema {schema!r}{near}; create it, or name an existing one")
    if not dot:
        created_in = catalog.current_schema(connection)
        if created_in is None:
            raise _refused(f"{name!r} names no schema, and the role's search path has none; write schema.{name}")
        schema, table = created_in, name
        _demand_free(schema)
    try:
        relation = quote_table(schema, table)
    except ValueError:
        raise _refused(f"{name!r} does not fit a PostgreSQL name: 1 to {MAX_BYTES} bytes") from None
    if not catalog.may_create(connection, schema):
        raise UnavailableError(
            "database", f"{relation} cannot be created: grant CREATE on schema {schema!r} to the role"
        )
    return relation


def _demand_free(schema: str) -> None:
    """Raise InvalidRequestError for a schema that belongs to PostgreSQL or to this tool."""
    if schema == staging_schema.SCHEMA:
        raise _refused(f"schema {schema!r} is this tool's own; name a table in another schema")
    if schema == "information_schema" or schema.startswith("pg_"):
        raise _refused(f"schema {schema!r} is PostgreSQL's own; name a table in another schema")


def _refused(message: str) -> InvalidRequestError:
    return InvalidRequestError([Problem("specs.target_table.name", message)])


def _demand(connection: Connection, relation: Relation, *wanted: str) -> None:
    missing = catalog.missing_rights(connection, relation, wanted)
    if missing:
        raise UnavailableError(
            "database", f"the database role may not use {relation.sql}: grant it {', '.join(missing)}"
        )
