"""Regular expressions that PostgreSQL and Java read alike: constants without backslashes and POSIX classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.operands import check_operand, trimmed
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.expressions.typed_values import COMPARED, ConstantValue, SqlForm, TypedValue, computed
from agent.compiler.problems import USE_A_MODEL, cannot

MATCHES = ("~", "~*", "!~", "!~*", "rlike", "not rlike")
_ALIKE = re.compile(r"(?:[^\\\[(*+?}]|\[\^?[A-Za-z0-9 ,;_@%#/=<>!'\".-]+\]|\((?!\?)|[*+?}](?![*+?]))*")
"""A pattern of plain characters, simple sets, groups and single quantifiers."""
_ALL = SqlForm("regexp_replace({0}, {1}, {2})", "regexp_replace({0}, {1}, {2}, 'g')")


def matched(text: str, operator: str, operands: Sequence[TypedValue], dialect: DialectChoice) -> TypedValue:
    """`value ~ pattern` or `value RLIKE pattern`."""
    value, pattern = trimmed(operands[0]), operands[1]
    check_operand(text, value, "a text")
    if not is_alike(pattern) and not (dialect == "spark" and operator.endswith("rlike")):
        cannot(f"{text}: PostgreSQL and Spark may read this pattern differently; write LIKE, or {USE_A_MODEL}")
    if isinstance(pattern, ConstantValue) and "[[:" in str(pattern.value):
        cannot(f"{text}: Spark knows no class like [:space:]; write the characters, as [A-Za-z0-9 ]")
    ignores_case, negated = operator.endswith("*"), operator.startswith(("!", "not"))
    spark = "{0} NOT RLIKE {1}" if negated else "{0} RLIKE {1}"
    postgres = f"{{0}} {'!' if negated else ''}~{'*' if ignores_case else ''} {{1}}"
    if ignores_case and isinstance(pattern, ConstantValue):
        pattern = replace(pattern, value=f"(?i){pattern.value}")
        postgres = postgres.replace("*", "")
    form = SqlForm(spark, postgres, COMPARED)
    return computed(form, value, pattern, kind=Kind("boolean"), name=operator)


def replaced_everywhere(name: str, arguments: Sequence[TypedValue]) -> TypedValue | None:
    """`regexp_replace(x, pattern, text, 'g')`; None for another call."""
    if name != "regexp_replace" or len(arguments) != 4 or not is_alike(arguments[1]):
        return None
    text, flags = arguments[2], arguments[3]
    plain = isinstance(text, ConstantValue) and isinstance(text.value, str) and not re.search(r"[\\$]", text.value)
    if not plain or not isinstance(flags, ConstantValue) or flags.value != "g":
        return None
    return computed(_ALL, trimmed(arguments[0]), *arguments[1:3], kind=Kind("string"), name=name)


def is_alike(pattern: TypedValue) -> bool:
    """True for a constant pattern that both engines read alike."""
    if not isinstance(pattern, ConstantValue) or not isinstance(pattern.value, str):
        return False
    return _ALIKE.fullmatch(pattern.value) is not None
