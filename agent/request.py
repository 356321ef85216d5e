"""The request: the event that a caller sends, as typed and frozen models.

`parse_request` is the only way in. Shape errors are reported all together, each with its path.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    Strict,
    TypeAdapter,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from agent.errors import InvalidRequestError, Problem
from agent.event_forms import AggregationForm, DerivedColumnForm, FilterForm, JoinForm, TransformationForm
from agent.names import is_run_id
from agent.raw_event import checked_event
from agent.target_spellings import refused_target_keys
from agent.validation_messages import follows, shape_problem

WriteMode = Literal["overwrite", "append", "merge"]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


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

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which the event may describe the table, the nearest one first."""
        return tuple(dict.fromkeys((self.key, self.table_name, self.table_name.rpartition(".")[2])))

    def listed_columns(self) -> list[str]:
        """The columns that a further key `columns` names; other forms of that key describe the table."""
        listed = (self.model_extra or {}).get("columns")
        items = listed if isinstance(listed, list) else []
        found = [item.get("name") if isinstance(item, dict) else item for item in items]
        return [name for name in found if isinstance(name, str) and name not in ("", "*")]


class TargetColumn(_Strict):
    """A column of the target in the order wanted; `type` is PostgreSQL's name, `None` when not declared."""

    name: Name = Field(description="The column's name.")
    type: str | None = Field(default=None, description="PostgreSQL's name of its type; not declared when null.")


class TargetTable(_Open):
    """The one table that is filled. Keys of other tools stay beside the fields; a misspelt one is refused."""

    name: Name = Field(description="The table that is filled; created when missing.")
    description: str = Field(default="", description="Purpose of the table.")
    columns: tuple[Annotated[TargetColumn, BeforeValidator(_target_column)], ...] = Field(
        default=(), description="Its columns, in order."
    )
    write_mode: Annotated[WriteMode | None, BeforeValidator(_lower)] = Field(
        default=None, description="How rows are written."
    )
    keys: NameList = Field(default=(), description="The columns that identify a row, for `merge`.")


@dataclass(frozen=True)
class _ListOf:
    """Any JSON is accepted; the JSON Schema describes a list of the recommended form."""

    form: type[BaseModel]

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(TypeAdapter(list[self.form]).core_schema)  # type: ignore[name-defined]


class Specification(_Open):
    """The specification: sources and target are typed, the steps are open (`agent.compiler.spec` reads them)."""

    source_tables: tuple[Annotated[SourceTable, BeforeValidator(_source)], ...] = Field(
        min_length=1, description="The tables that are read."
    )
    target_table: TargetTable = Field(description="The table that is filled, and how.")
    transformations: Annotated[JsonValue, _ListOf(TransformationForm)] = Field(
        default=[], description="Further steps: sort, limit, window …"
    )
    join_conditions: Annotated[JsonValue, _ListOf(JoinForm)] = Field(default=[], description="The joins, in order.")
    filters: Annotated[JsonValue, _ListOf(FilterForm)] = Field(default=[], description="Filters on rows.")
    aggregations: Annotated[JsonValue, _ListOf(AggregationForm)] = Field(
        default=[], description="Aggregates of each group."
    )
    derived_columns: Annotated[JsonValue, _ListOf(DerivedColumnForm)] = Field(
        default=[], description="New columns, computed from others."
    )


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
    refused = refused_target_keys(event)
    try:
        request = Request.model_validate(event)
    except ValidationError as error:
        problems = refused + [shape_problem(detail, Request) for detail in error.errors()]
        raise InvalidRequestError([p for p in problems if not follows(p, problems)]) from None
    if refused:
        raise InvalidRequestError(refused)
    if not is_run_id(request.run_id):
        message = "1 to 100 letters, digits, `_` or `-`, beginning with a letter or digit, as 20250113_123456_abc123"
        raise InvalidRequestError([Problem("run_id", message)])
    return request
