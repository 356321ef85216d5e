"""Values: expressions whose names, functions and types are resolved. Both dialects are rendered from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.references import Reference
from agent.compiler.expressions.syntax_tree import Expression

OR, AND, NOT, IS, COMPARED, OTHER, SUM, PRODUCT, SIGN, ATOM = range(10)
"""Strength of an operator: the higher, the closer it binds."""


@dataclass(frozen=True)
class SqlForm:
    """The text of a computation in both dialects; `{0}` is its first operand, `{*}` are all with commas between.

    An operand between parentheses or commas stands as it is; elsewhere a weaker one gets parentheses.
    """

    spark: str
    postgres: str | None
    """None for a function that is Spark's alone."""
    strength: int = ATOM
    """Of the whole text."""
    same: bool = False
    """True for an operator that is associative: `a AND b AND c` needs no parentheses."""
    postgres_strength: int | None = None
    """Of PostgreSQL's text, where it is another one."""


def alike(text: str, strength: int = ATOM, same: bool = False) -> SqlForm:
    """A form that both dialects write alike."""
    return SqlForm(text, text, strength, same)


@dataclass(frozen=True)
class ColumnValue:
    """A column."""

    reference: Reference
    kind: Kind | None
    nullable: bool = True


@dataclass(frozen=True)
class ConstantValue:
    """A constant; `value` is a text, a bool, the digits of a number, or None."""

    value: str | bool | None
    kind: Kind | None
    """None for NULL. A text that stands beside a date is a date."""

    @property
    def nullable(self) -> bool:
        """True for NULL."""
        return self.value is None

    @property
    def is_text(self) -> bool:
        """True for a text."""
        return self.kind is not None and self.kind.family == "string"


@dataclass(frozen=True)
class LengthOfTime:
    """A constant interval."""

    months: int
    days: int
    microseconds: int
    kind: Kind = field(default=Kind("interval"))
    nullable: bool = False


@dataclass(frozen=True)
class ComputedValue:
    """An operator, a function or a cast over other values."""

    form: SqlForm
    operands: tuple[TypedValue, ...]
    kind: Kind | None
    nullable: bool = True
    name: str = ""
    """The operator or function, as `=` or `upper`."""


TypedValue = ColumnValue | ConstantValue | LengthOfTime | ComputedValue


@dataclass(frozen=True)
class BoundExpression:
    """An expression whose names are resolved: the columns that it reads, in their order, and its value."""

    expression: Expression
    references: tuple[Reference, ...]
    value: TypedValue
    remarks: tuple[tuple[str, str], ...] = ()
    """How parts were read that the other dialect reads differently: the reading, and the other one."""

    @property
    def kind(self) -> Kind | None:
        """The kind of the value; None where it is not certain."""
        return self.value.kind


def is_null(value: TypedValue) -> bool:
    """True for the constant NULL."""
    return isinstance(value, ConstantValue) and value.value is None


def computed(
    form: SqlForm, *operands: TypedValue, kind: Kind | None, name: str = "", nullable: bool | None = None
) -> TypedValue:
    """A computation that is NULL where an operand is, unless `nullable` says otherwise."""
    found = any(operand.nullable for operand in operands) if nullable is None else nullable
    return ComputedValue(form, operands, kind, found, name)


def columns_of(value: TypedValue) -> list[ColumnValue]:
    """The columns in a value, in their order."""
    if isinstance(value, ColumnValue):
        return [value]
    if isinstance(value, ComputedValue):
        return [column for operand in value.operands for column in columns_of(operand)]
    return []


def over_columns(bound: BoundExpression, columns: Sequence[Reference]) -> BoundExpression:
    """The expression over other columns of the same kinds, in the order of its references."""
    places = dict(zip(bound.references, columns, strict=True))
    return replace(bound, references=tuple(columns), value=_moved(bound.value, places))


def _moved(value: TypedValue, places: dict[Reference, Reference]) -> TypedValue:
    if isinstance(value, ColumnValue):
        return replace(value, reference=places[value.reference])
    if isinstance(value, ComputedValue):
        return replace(value, operands=tuple(_moved(operand, places) for operand in value.operands))
    return value


def equal_columns(value: TypedValue) -> list[tuple[Reference, Reference]]:
    """The pairs of columns that must be equal where the condition is true."""
    if isinstance(value, ComputedValue) and value.name == "and":
        return [pair for operand in value.operands for pair in equal_columns(operand)]
    if not isinstance(value, ComputedValue) or value.name != "=":
        return []
    sides = [_bare(operand) for operand in value.operands]
    return [(sides[0].reference, sides[1].reference)] if sides[0] is not None and sides[1] is not None else []


def _bare(value: TypedValue) -> ColumnValue | None:
    """The column, with or without its padding trimmed."""
    if isinstance(value, ComputedValue) and value.name == "trimmed":
        value = value.operands[0]
    return value if isinstance(value, ColumnValue) else None
