"""Binding: an expression with its names resolved becomes a typed value, with the remarks on how it was read."""

from __future__ import annotations

from collections.abc import Sequence

from agent.compiler.expressions.ages import age_in_years, is_age_in_years
from agent.compiler.expressions.call_reading import CallReader
from agent.compiler.expressions.casts import CAST_FUNCTIONS, CastReader
from agent.compiler.expressions.column_kinds import Kind
from agent.compiler.expressions.literals import digits_of
from agent.compiler.expressions.moments import refuse_interval
from agent.compiler.expressions.operands import aligned, check_compared, check_operand, chosen, trimmed, whole_number
from agent.compiler.expressions.operators import OperatorReader
from agent.compiler.expressions.references import Reference
from agent.compiler.expressions.remarks import Remarks, refuse_two_readings
from agent.compiler.expressions.rendering import spark_sql
from agent.compiler.expressions.syntax_tree import (
    CaseWhen,
    Expression,
    IntervalConstant,
    LiteralValue,
    Mention,
    NamedCall,
    Operation,
    Syntax,
    TypeCast,
    parts_of,
)
from agent.compiler.expressions.typed_values import (
    BoundExpression,
    ColumnValue,
    ConstantValue,
    LengthOfTime,
    TypedValue,
    alike,
    computed,
)
from agent.compiler.problems import refuse
from agent.sql_limits import excess


def bind_expression(expression: Expression, references: Sequence[Reference | None]) -> BoundExpression:
    """The expression over its columns, in the order of `mentions`. Refuses each part that is not certain.

    None stands for a word in double quotes that is no column: a text, as Spark reads it.
    """
    binder = _Binder(expression, references)
    value = binder.value(expression.tree)
    refuse_interval(expression.text, value, binder.shown)
    too_much = excess(spark_sql(value, lambda reference: reference.name))
    if too_much:
        refuse(f"{too_much.message}; {too_much.hint}")
    found = tuple(reference for reference in references if reference is not None)
    return BoundExpression(expression, found, value, tuple(binder.remarks.found))


class _Binder:
    def __init__(self, expression: Expression, references: Sequence[Reference | None]) -> None:
        self._expression = expression
        self._columns = {
            mention.start: reference for mention, reference in zip(expression.mentions, references, strict=True)
        }
        self.remarks = Remarks()
        self.shown: dict[int, str] = {}
        """The text of each value, by the value's identity."""
        self._kept: list[TypedValue] = []
        dialect = expression.dialect
        self._operators = OperatorReader(dialect, self.remarks)
        self._casts = CastReader(dialect, self.remarks)
        self._calls = CallReader(dialect, self.remarks)

    def value(self, node: Syntax) -> TypedValue:
        found = self._value(node)
        self.shown[id(found)] = self._expression.text_of(node)
        self._kept.append(found)
        return found

    def _value(self, node: Syntax) -> TypedValue:
        text = self._expression.text_of(node)
        match node:
            case Mention():
                return self._column(node)
            case LiteralValue():
                return self._literal(text, node)
            case IntervalConstant(months, days, microseconds):
                return LengthOfTime(months, days, microseconds)
            case NamedCall():
                return self._call(text, node)
            case Operation(operator, operands):
                return self._operators.read(text, operator, [self.value(operand) for operand in operands])
            case TypeCast(inner, type_name, tries):
                return self._casts.read(text, self.value(inner), type_name, tries)
            case CaseWhen():
                return self._case(text, node)

    def _call(self, text: str, call: NamedCall) -> TypedValue:
        if is_age_in_years(call):
            return age_in_years(text, [self.value(part) for part in parts_of(call.arguments[1])])
        arguments = [self.value(argument) for argument in call.arguments]
        if call.name in CAST_FUNCTIONS and len(arguments) == 1:
            return self._casts.read(text, arguments[0], call.name, tries=False)
        return self._calls.read(text, call.name, arguments)

    def _column(self, mention: Mention) -> TypedValue:
        reference = self._columns[mention.start]
        if reference is None:
            return ConstantValue(mention.name, Kind("string"))
        return ColumnValue(reference, reference.kind, reference.nullable)

    def _literal(self, text: str, literal: LiteralValue) -> TypedValue:
        match literal.family:
            case "null":
                return ConstantValue(None, None)
            case "boolean":
                return ConstantValue(literal.value, Kind("boolean"))
            case "number":
                return ConstantValue(literal.value, _kind_of_number(str(literal.value)))
        if literal.spark_value is not None:
            both = (repr(one).replace("\\\\", "\\") for one in (literal.value, literal.spark_value))
            refuse_two_readings(text, *both)
        return ConstantValue(literal.value, Kind("string"))

    def _case(self, text: str, case: CaseWhen) -> TypedValue:
        conditions, results = zip(*((self.value(one), self.value(other)) for one, other in case.branches), strict=True)
        otherwise = [self.value(case.otherwise)] if case.otherwise is not None else []
        values, kind = chosen(text, [*results, *otherwise])
        subject: list[TypedValue] = []
        if case.subject is not None:
            subject, conditions = self._subject(text, self.value(case.subject), conditions)
        else:
            for condition in conditions:
                check_operand(text, condition, "true or false")
        operands = [*subject, *(part for pair in zip(conditions, values, strict=False) for part in pair)]
        operands += values[len(conditions) :]
        nullable = not otherwise or any(value.nullable for value in values)
        form = alike(_case_template(bool(subject), len(conditions), bool(otherwise)))
        return computed(form, *operands, kind=kind, name="case", nullable=nullable)

    def _subject(
        self, text: str, subject: TypedValue, compared: Sequence[TypedValue]
    ) -> tuple[list[TypedValue], tuple[TypedValue, ...]]:
        found = aligned([trimmed(subject), *compared])
        for one in found[1:]:
            check_compared(text, found[0], one)
        return found[:1], tuple(found[1:])


def _case_template(subject: bool, branches: int, otherwise: bool) -> str:
    place = 1 if subject else 0
    parts = ["CASE {0}" if subject else "CASE"]
    for _ in range(branches):
        parts.append(f"WHEN {{{place}}} THEN {{{place + 1}}}")
        place += 2
    return " ".join([*parts, *([f"ELSE {{{place}}}"] if otherwise else []), "END"])


def _kind_of_number(text: str) -> Kind:
    return digits_of(text) if "." in text else whole_number(text)
