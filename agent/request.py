"""The request: the event that a caller sends, as typed and frozen models.

`parse_request` is the only way in. Shape errors are reported all together, each with its path.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, Strict, ValidationError

from agent.errors import InvalidRequestError, Problem
from agent.names import is_run_id
from agent.raw_event import checked_event
from agent.validation_messages import follows, shape_problem

JoinType = Literal["inner", "left", "right", "outer"]
AggregateFunction = Literal["sum", "avg", "count", "min", "max", "count_distinct"]
WriteMode = Literal["overwrite", "append", "merge"]

_OPERATORS = {
    "==": "=", "<>": "!=", "=": "=", "!=": "!=", ">": ">", "<": "<", ">=": ">=", "<=": "<=",
    "LIKE": "LIKE", "NOT LIKE": "NOT LIKE", "IN": "IN", "NOT IN": "NOT IN", "BETWEEN": "BETWEEN",
    "IS NULL": "IS NULL", "IS NOT NULL": "IS NOT NULL",
}  # fmt: skip
_SHOWN_OPERATORS: list[JsonValue] = [*dict.fromkeys(_OPERATORS.values())]
_JOIN_TYPES = {
    "full": "outer", "full_outer": "outer", "full outer": "outer",
    "left_outer": "left", "left outer": "left", "right_outer": "right", "right outer": "right",
}  # fmt: skip


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _join_type(value: object) -> object:
    value = _lower(value)
    return _JOIN_TYPES.get(value, value) if isinstance(value, str) else value


def _operator(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = " ".join(value.upper().split())
    if word not in _OPERATORS:
        raise ValueError(f"unknown operator {value!r}; use one of {', '.join(_OPERATORS)}")
    return _OPERATORS[word]


def _source(value: object) -> object:
    return {"table_name": value} if isinstance(value, str) else value


def _target_column(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _names(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1)]
Flag = Annotated[bool, Strict()]
NameList = Annotated[tuple[Name, ...], BeforeValidator(_names)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Open(BaseModel):
    """Unknown keys are listed in `warnings`; those of `specs` go to the model."""

    model_config = ConfigDict(frozen=True, extra="allow")


class SourceTable(_Open):
    """One table that is read. `transform` finds it under `key`."""

    table_name: Name = Field(description="The table, as `customers` or `sales.customers`.")
    alias: Name | None = Field(default=None, description="Short name for the table in expressions.")

    @property
    def key(self) -> str:
        """The alias, else the table's name as it was written."""
        return self.alias or self.table_name


class TargetColumn(_Strict):
    """A column of the target in the order wanted; `type` is PostgreSQL's name, `None` when not declared."""

    name: Name = Field(description="The column's name.")
    type: str | None = Field(default=None, description="PostgreSQL's name of its type; not declared when null.")


class TargetTable(_Strict):
    """The one table that is filled."""

    name: Name = Field(description="The table that is filled; created when missing.")
    description: str = Field(default="", description="Purpose of the table.")
    columns: tuple[Annotated[TargetColumn, BeforeValidator(_target_column)], ...] = Field(
        default=(), description="Its columns, in order."
    )
    write_mode: Annotated[WriteMode | None, BeforeValidator(_lower)] = Field(
        default=None, description="How rows are written."
    )
    keys: NameList = Field(default=(), description="The columns that identify a row, for `merge`.")


class Transformation(_Open):
    """A step in words, with or without structured `details`."""

    type: Annotated[Name, BeforeValidator(_lower)] = Field(description="The kind of step: sort, limit, window …")
    description: str = Field(default="", description="The step in words.")
    details: dict[str, JsonValue] = Field(default={}, description="The step's structured form.")


class JoinCondition(_Open):
    """Two tables joined on `on_columns`, on `left_column` = `right_column`, on a SQL `condition`, or on several."""

    left_table: Name = Field(description="Name or alias of the left table.")
    right_table: Name = Field(description="Name or alias of the right table.")
    join_type: Annotated[JoinType, BeforeValidator(_join_type)] = Field(
        default="inner", description="Type of the join."
    )
    on_columns: NameList = Field(default=(), description="Columns that have the same name in both tables.")
    left_column: Name | None = Field(default=None, description="The left table's column, where the names differ.")
    right_column: Name | None = Field(default=None, description="The right table's column, where the names differ.")
    condition: Name | None = Field(default=None, description="The join's condition as SQL.")


class Filter(_Open):
    """A filter `column operator value`. IN and NOT IN take a list, BETWEEN two values."""

    column: Name = Field(description="The column, where needed with its alias.")
    operator: Annotated[str, BeforeValidator(_operator)] = Field(
        description="Comparison of column and value.", json_schema_extra={"enum": _SHOWN_OPERATORS}
    )
    value: JsonValue = Field(default=None, description="Value to compare with.")


class Aggregation(_Open):
    """One aggregate; `column` is `*` or left out for count(*)."""

    function: Annotated[AggregateFunction, BeforeValidator(_lower)] = Field(description="Function of the aggregate.")
    column: Name | None = Field(default=None, description="Column to aggregate; `*` or null counts rows.")
    alias: Name = Field(description="Name of the result.")
    group_by: NameList = Field(default=(), description="Columns that make the groups; in every aggregation the same.")


class DerivedColumn(_Open):
    """A new column as a Spark SQL expression."""

    name: Name = Field(description="The new column's name.")
    expression: Name = Field(description="Its value, as a Spark SQL expression.")


class Specification(_Open):
    """The specification: sources, steps and target."""

    source_tables: tuple[Annotated[SourceTable, BeforeValidator(_source)], ...] = Field(
        min_length=1, description="The tables that are read."
    )
    target_table: TargetTable = Field(description="The table that is filled, and how.")
    transformations: tuple[Transformation, ...] = Field(default=(), description="Further steps: sort, limit, window …")
    join_conditions: tuple[JoinCondition, ...] = Field(default=(), description="The joins, in order.")
    filters: tuple[Filter, ...] = Field(default=(), description="Filters on rows.")
    aggregations: tuple[Aggregation, ...] = Field(default=(), description="Aggregates of each group.")
    derived_columns: tuple[DerivedColumn, ...] = Field(default=(), description="New columns, computed from others.")


class ColumnSchema(_Open):
    """A source column as the caller describes it."""

    name: Name = Field(description="The column's name.")
    type: Name = Field(description="PostgreSQL's name of its type.")


class TableSchema(_Open):
    """A source table as the caller describes it."""

    columns: tuple[ColumnSchema, ...] = Field(description="The table's columns.")


class Options(_Strict):
    """The options of a run. `wait` and `restart` do not belong to the payload's identity."""

    wait: Literal["poll", "event"] = Field(default="poll", description="Wait for the job, or suspend at once.")
    restart: Flag = Field(default=False, description="Begin a new generation of a run that is known.")
    allow_empty: Flag = Field(default=False, description="Publish a result without rows over a target.")
    allow_udfs: Flag = Field(default=False, description="Allow Python UDFs in the transform.")
    mask_samples: Flag = Field(default=False, description="Show the model masked sample rows.")
    expression_dialect: Literal["auto", "postgres", "spark"] = Field(
        default="auto", description="The SQL of expressions, where PostgreSQL and Spark read them differently."
    )
    approve: tuple[str, ...] = Field(default=(), description="Findings that are accepted.")
    budget_usd: Annotated[float, Strict()] | None = Field(
        default=None, description="Largest cost of the run, in US dollars."
    )


class Request(_Strict):
    """One accepted event."""

    run_id: str = Field(description="Name of the run.")
    specs: Specification = Field(description="Sources, steps and target of the run.")
    source_schemas: dict[str, TableSchema] = Field(default={}, description="Columns of source tables, by name.")
    source_data_samples: dict[str, list[dict[str, JsonValue]]] = Field(default={}, description="Sample rows, by table.")
    options: Options = Field(default=Options(), description="Options of the run.")

    def payload_sha(self, model: str, engine: str) -> str:
        """SHA-256 in hex of what decides the result: all but `run_id`, `options.wait` and `options.restart`."""
        payload = self.model_dump(mode="json", exclude={"run_id": True, "options": {"wait", "restart"}})
        text = json.dumps([payload, model, engine], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def parse_request(event: object, *, stored: bool = False) -> Request:
    """The request in an event. Raises InvalidRequestError with every shape error and its path.

    A `stored` event passed its limits when it was accepted; the form in which it is stored may be longer.
    """
    event = event if stored else checked_event(event)
    try:
        request = Request.model_validate(event)
    except ValidationError as error:
        problems = [shape_problem(detail, Request) for detail in error.errors()]
        raise InvalidRequestError([p for p in problems if not follows(p, problems)]) from None
    if not is_run_id(request.run_id):
        message = "1 to 100 letters, digits, `_` or `-`, beginning with a letter or digit, as 20250113_123456_abc123"
        raise InvalidRequestError([Problem("run_id", message)])
    return request
