"""The recommended form of each list of a specification: JSON Schema, documentation and the reader use these models.

The lists themselves are open: `agent.compiler.spec` reads other spellings too.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.elements import AggregateFunction, JoinType

_OPERATORS: list[JsonValue] = [
    "=", "!=", ">", "<", ">=", "<=", "LIKE", "NOT LIKE", "IN", "NOT IN", "BETWEEN", "IS NULL", "IS NOT NULL",
]  # fmt: skip
_Text = Annotated[str, Field(min_length=1)]
_TextList = tuple[_Text, ...]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class TransformationForm(_Form):
    """A step in words, with or without structured `details`."""

    type: _Text = Field(description="The kind of step: sort, limit, window …")
    description: str = Field(default="", description="The step in words.")
    details: dict[str, JsonValue] = Field(default={}, description="The step's structured form.")


class JoinForm(_Form):
    """Two tables joined on `on_columns`, on `left_column` = `right_column`, on a SQL `condition`, or on several."""

    left_table: _Text = Field(description="Name or alias of the left table.")
    right_table: _Text = Field(description="Name or alias of the right table.")
    join_type: JoinType = Field(default="inner", description="Type of the join.")
    on_columns: _TextList = Field(default=(), description="Columns that have the same name in both tables.")
    left_column: _Text | None = Field(default=None, description="The left table's column, where the names differ.")
    right_column: _Text | None = Field(default=None, description="The right table's column, where the names differ.")
    condition: _Text | None = Field(default=None, description="The join's condition as SQL.")


class FilterForm(_Form):
    """A filter `column operator value`. IN and NOT IN take a list, BETWEEN two values."""

    column: _Text = Field(description="The column, where needed with its alias.")
    operator: str = Field(description="Comparison of column and value.", json_schema_extra={"enum": _OPERATORS})
    value: JsonValue = Field(default=None, description="Value to compare with.")


class AggregationForm(_Form):
    """One aggregate; `column` is `*` or left out for count(*)."""

    function: AggregateFunction = Field(description="Function of the aggregate.")
    column: _Text | None = Field(default=None, description="Column to aggregate; `*` or null counts rows.")
    alias: _Text = Field(description="Name of the result.")
    group_by: _TextList = Field(default=(), description="Columns that make the groups; in every aggregation the same.")


class DerivedColumnForm(_Form):
    """A new column as a SQL expression."""

    name: _Text = Field(description="The new column's name.")
    expression: _Text = Field(description="Its value, as a SQL expression.")
