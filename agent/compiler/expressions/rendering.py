"""Values as SQL text, for Spark and for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from agent.compiler.expressions.references import Reference
from agent.compiler.expressions.typed_values import (
    ATOM,
    COMPARED,
    IS,
    OTHER,
    SIGN,
    ColumnValue,
    ComputedValue,
    ConstantValue,
    LengthOfTime,
    TypedValue,
)

Spell = Callable[[Reference], str]
"""The text of a column."""
_PLACE = re.compile(r"\{(\d+|\*|\|)\}")
_SPARK_ESCAPES = {"\\": "\\\\", "'": "\\'", "\r": "\\r", "\n": "\\n", "\0": "\\0"}
_UNITS = ((12, "year"), (1, "month"))
_CLOCK = ((3_600_000_000, "hour"), (60_000_000, "minute"), (1_000_000, "second"), (1000, "millisecond"))


def spark_sql(value: TypedValue, spell: Spell) -> str:
    """The text for `F.expr`."""
    return _Renderer("spark", spell).text(value)


def postgres_sql(value: TypedValue, spell: Spell) -> str:
    """The text for PostgreSQL."""
    return _Renderer("postgres", spell).text(value)


class _Renderer:
    def __init__(self, dialect: Literal["spark", "postgres"], spell: Spell) -> None:
        self._spark, self._spell = dialect == "spark", spell

    def text(self, value: TypedValue) -> str:
        match value:
            case ColumnValue(reference):
                return self._spell(reference)
            case ConstantValue():
                return self._constant(value)
            case LengthOfTime():
                return self._interval(value)
            case ComputedValue():
                return self._computed(value)

    def _computed(self, value: ComputedValue) -> str:
        template = value.form.spark if self._spark else value.form.postgres
        if template is None:
            raise ValueError(f"{value.name}() has no form in PostgreSQL")

        def place(found: re.Match[str]) -> str:
            if found[1] == "*":
                return ", ".join(self.text(operand) for operand in value.operands)
            if found[1] == "|":
                return " || ".join(self._operand(operand, ATOM) for operand in value.operands)
            operand = value.operands[int(found[1])]
            if _stands_alone(template, found):
                return self.text(operand)
            return self._operand(operand, self._least(value, operand, found.start() == 0))

        return _PLACE.sub(place, template)

    def _least(self, value: ComputedValue, operand: TypedValue, first: bool) -> int:
        """The strength that an operand needs without parentheses. Comparisons do not stand in a row."""
        strength = self._strength(value)
        if strength in (IS, COMPARED):
            return OTHER
        again = value.form.same and isinstance(operand, ComputedValue) and operand.name == value.name
        return strength if first or again else strength + 1

    def _operand(self, value: TypedValue, least: int) -> str:
        text = self.text(value)
        strength = self._strength(value)
        if text.startswith("-") and strength == ATOM:
            strength = SIGN
        return text if strength >= min(least, ATOM) else f"({text})"

    def _strength(self, value: TypedValue) -> int:
        if not isinstance(value, ComputedValue):
            return ATOM
        form = value.form
        return form.strength if self._spark or form.postgres_strength is None else form.postgres_strength

    def _constant(self, value: ConstantValue) -> str:
        found, kind = value.value, value.kind
        if found is None or kind is None:
            return "NULL"
        if isinstance(found, bool):
            return "true" if found else "false"
        if kind.numeric:
            return found
        quoted = self._quoted(found)
        words = {"date": "DATE", "timestamp": "TIMESTAMP", "time": "TIMESTAMP" if self._spark else "TIME"}
        word = words.get(kind.family)
        return f"{word} {quoted}" if word else quoted

    def _quoted(self, text: str) -> str:
        """A text in quotes. Spark replaces `${…}` before it reads the text, so a dollar sign there is a code."""
        if not self._spark:
            return "'" + text.replace("'", "''") + "'"
        escaped = "".join(_SPARK_ESCAPES.get(sign, sign) for sign in text)
        return "'" + escaped.replace("${", "\\u0024{") + "'"

    def _interval(self, value: LengthOfTime) -> str:
        parts = _amounts(value.months, _UNITS) + _amounts(value.days, ((1, "day"),))
        parts += _amounts(value.microseconds, (*_CLOCK, (1, "microsecond")))
        parts = parts or [(0, "day")]
        if not self._spark:
            return "INTERVAL '" + " ".join(f"{amount} {unit}" for amount, unit in parts) + "'"
        if len(parts) == 1:
            return f"INTERVAL '{parts[0][0]}' {parts[0][1].upper()}"
        return "INTERVAL '" + " ".join(f"{amount} {unit}" for amount, unit in parts) + "'"


def _amounts(amount: int, units: tuple[tuple[int, str], ...]) -> list[tuple[int, str]]:
    """The amount in the largest units that hold it without a rest."""
    found = []
    sign, rest = (-1, -amount) if amount < 0 else (1, amount)
    for size, unit in units:
        if rest >= size:
            found.append((sign * (rest // size), unit))
            rest %= size
    return found


def _stands_alone(template: str, place: re.Match[str]) -> bool:
    """True for an operand between parentheses, brackets or commas, and after a word as WHEN."""
    before = template[: place.start()].rstrip()
    after = template[place.end() :].lstrip()
    opened = before.endswith(("(", ",", "[", "WHEN", "THEN", "ELSE", "CASE"))
    closed = after.startswith((")", ",", "]", "WHEN", "THEN", "ELSE", "END", "AS "))
    return opened and closed
