"""Elements of arrays: Spark counts from 0, PostgreSQL from 1."""

from __future__ import annotations

from agent.compiler.expressions.column_kinds import Kind, kind_of
from agent.compiler.expressions.remarks import refuse_two_readings
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import ComputedValue, SqlForm, TypedValue, computed
from agent.compiler.problems import USE_A_MODEL, cannot, refuse

_ELEMENT = SqlForm("{0}[{1}]", "({0})[{1} + 1]")
_ONLY_SPARKS = ("split", "regexp_extract_all")
"""Functions that PostgreSQL does not have: whoever uses them counts from 0."""


def element(text: str, array: TypedValue, index: TypedValue, dialect: DialectChoice) -> TypedValue:
    """The element of an array."""
    if array.kind is not None and array.kind.family != "array":
        refuse(f"{text}: {array.kind.named or array.kind.family} has no elements")
    if index.kind is None or index.kind.family != "integer":
        refuse(f"{text} needs a whole number between the brackets")
    sparks = isinstance(array, ComputedValue) and array.name in _ONLY_SPARKS
    if dialect == "postgres" and not sparks:
        cannot(f"{text} counts from 1 and is NULL beyond the end; {USE_A_MODEL}")
    if dialect == "auto" and not sparks:
        refuse_two_readings(text, "the element counted from 1", "the one counted from 0")
    return computed(_ELEMENT, array, index, kind=_kind_of_element(array), name="[]", nullable=True)


def _kind_of_element(array: TypedValue) -> Kind | None:
    if isinstance(array, ComputedValue):
        return Kind("string") if array.name in _ONLY_SPARKS else None
    named = array.kind.named if array.kind is not None else ""
    return kind_of(named.removesuffix("[]")) if named.endswith("[]") else None
