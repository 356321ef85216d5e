"""Declared types of new columns: a type of another family is a cast, and no number is rounded in silence."""

from __future__ import annotations

from agent.compiler.expressions.column_kinds import Kind, kind_of
from agent.compiler.expressions.syntax import parse_expression
from agent.compiler.expressions.syntax_tree import DialectChoice, Expression, LiteralValue, NamedCall, Operation, Syntax
from agent.compiler.expressions.typed_values import BoundExpression
from agent.compiler.notes import Notes
from agent.compiler.plan.computed_columns import Computed
from agent.compiler.plan.derivations import bind
from agent.compiler.plan.resolution import Scope
from agent.compiler.problems import refuse
from agent.errors import UnsupportedTypeError

_OTHER_NAMES = {
    "string": "text", "str": "text", "double": "double precision", "long": "bigint", "short": "smallint",
    "datetime": "timestamp", "number": "numeric",
}  # fmt: skip
_ROUNDING = ("floor", "ceil", "ceiling", "round", "trunc")
"""Functions that give whole numbers where no number of decimals is given."""
_PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "doy", "dow", "isodow")
"""Parts of a date that are whole numbers, which PostgreSQL gives as numeric."""
_NUMBERS = ("integer", "decimal", "float")


def declared_kind(name: str) -> Kind | None:
    """The kind of a declared type; None for a type that is not known."""
    text = name.strip().casefold()
    try:
        return kind_of(_OTHER_NAMES.get(text, text))
    except UnsupportedTypeError:
        return None


def as_declared(
    item: Computed, value: BoundExpression, scope: Scope, dialect: DialectChoice, notes: Notes
) -> BoundExpression:
    """The value in the type that the specification declares for its column."""
    kind, own = declared_kind(item.declared), value.kind
    if not isinstance(item.source, Expression) or kind is None or own is None or not item.declared:
        return value
    if own.family in _NUMBERS and kind.family in _NUMBERS:
        _check_number(item, kind, own, notes)
        return value
    if own.family == kind.family:
        return value
    name = _OTHER_NAMES.get(item.declared.strip().casefold(), item.declared.strip())
    notes.add(item.path, f"is cast to {name}, as the column declares")
    return bind(parse_expression(f"CAST({item.source.text} AS {name})", dialect), scope)


def _check_number(item: Computed, kind: Kind, own: Kind, notes: Notes) -> None:
    """Refuse a whole number of a fraction; tell where a value keeps more decimals than its column declares."""
    assert isinstance(item.source, Expression)
    text, name = item.source.text, item.declared
    if kind.family == "integer" and not _is_whole(own, item.source.tree):
        refuse(
            f"computes a fraction, and the column declares {name}: this may be the whole part or the rounded number; "
            f"write CAST(FLOOR({text}) AS {name}) or CAST(ROUND({text}) AS {name})"
        )
    if kind.family == "decimal" and "(" in name and (own.family == "float" or own.scale > kind.scale):
        notes.add(
            item.path,
            f"keeps its decimals, though the column declares {name}",
            f"rounded: ROUND({text}, {kind.scale})",
        )


def _is_whole(kind: Kind, tree: Syntax) -> bool:
    """True when no value of the expression has a fraction."""
    # A decimal of no digits at all is one whose digits are not known.
    known = kind.family == "integer" or (kind.family == "decimal" and kind.whole > 0 and not kind.scale)
    return known or _gives_whole(tree)


def _gives_whole(tree: Syntax) -> bool:
    """True for a whole constant, a rounded number, a part of a date, and sums and products of these."""
    match tree:
        case LiteralValue(family="number", value=number):
            return str(number).isdigit()
        case NamedCall(name=name, arguments=[LiteralValue(value=part), _]) if name.casefold() in (
            "extract",
            "date_part",
        ):
            return str(part).casefold() in _PARTS
        case NamedCall(name=name, arguments=[_]):
            return name.casefold() in _ROUNDING
        case Operation(operator="+" | "-" | "*", operands=operands):
            return all(_gives_whole(one) for one in operands)
    return False
