"""Computed columns: those that a specification names, and the expressions and calls that its other elements hold.

An expression where a column may stand becomes a column of its own, and so does an aggregate or a window inside an
expression. Later steps know names alone.
"""

from __future__ import annotations

import re
from dataclasses import replace

from agent.compiler.expressions.references import unquoted
from agent.compiler.expressions.syntax import parse_expression
from agent.compiler.expressions.syntax_tree import AggregateCall, DialectChoice, Expression, Mention, WindowCall
from agent.compiler.plan.call_entries import aggregation_of, window_of
from agent.compiler.plan.computed_columns import Computed
from agent.compiler.plan.expression_texts import conjuncts, folded, made_name
from agent.compiler.plan.resolution import Names
from agent.compiler.problems import Problems, cannot, fitting, refuse, within
from agent.elements import (
    Aggregation,
    Comparison,
    Condition,
    ConditionGroup,
    DerivedColumn,
    Entries,
    Located,
    PivotedAggregation,
    SqlCondition,
    WindowEntry,
)

_NAME = re.compile(r"[^\W\d][\w$]*(\.[^\W\d][\w$]*)*")


class Computations:
    """Reads every computed column of a specification."""

    def __init__(self, names: Names, entries: Entries, dialect: DialectChoice = "auto") -> None:
        self._names, self._entries, self._dialect = names, entries, dialect
        self.items: dict[str, Computed] = {}
        """By casefolded name, in the order listed."""
        self.aggregations: list[Located[Aggregation]] = []
        """The aggregates, and behind them those inside expressions."""
        self._declared = {name.casefold() for name in self.declared_names()}
        self._aliases = {one.alias.casefold() for _, one in entries.aggregations}
        self._columns = {name.casefold() for name in names.shown() if "." not in name} | self._declared
        self._late = set(self._aliases)
        self._made: dict[str, str] = {}
        self._expressions: dict[str, Expression] = {}

    def declared_names(self) -> list[str]:
        """The names of aggregates, windows and derived columns."""
        listed = self._entries
        aliases = [one.alias for _, one in listed.aggregations]
        return [*aliases, *(one.name for _, one in listed.windows), *(one.name for _, one in listed.derived)]

    def read(self, problems: Problems) -> None:
        """Read derived columns, windows and aggregates."""
        for path, derived in self._entries.derived:
            with problems.at(path, derived.name):
                self._check_name(derived.name, ".name")
                with within(".expression"):
                    self._add_derived(derived, path)
        for path, window in self._entries.windows:
            with problems.at(path, window.name):
                self._add_window(self._lifted_window(window, path), path, window.name)
        found = list(self._entries.aggregations)
        for located in found:
            path, entry = located
            with problems.at(details_of(located), entry.alias):
                self.aggregations.append(Located(path, self._lifted_aggregation(entry, path)))

    def named_aggregations(self) -> list[Located[Aggregation]]:
        """The aggregates that the specification lists."""
        return [one for one in self.aggregations if not self.is_hidden(one.value.alias)]

    def is_hidden(self, alias: str) -> bool:
        """True for an aggregate inside an expression."""
        return alias.casefold() not in self._aliases

    def is_made(self, name: str) -> bool:
        """True for an expression that has no name of its own."""
        item = self.items.get(name.casefold())
        return item is not None and not item.shown

    def made_name(self, alias: str) -> str:
        """The name in the plan of an aggregate inside an expression."""
        return self._made.setdefault(alias.casefold(), self._free(made_name(alias)))

    def made_names(self) -> dict[str, str]:
        """The names that were made, by the casefolded text of the aggregate."""
        return dict(self._made)

    def late(self, name: str) -> bool:
        """True for an aggregate, and for a column that needs one."""
        return name.casefold() in self._late

    def wait(self, name: str) -> None:
        """Record that `name` is computed after grouping."""
        self._late.add(name.casefold())

    def expression(self, text: str) -> Expression:
        """The expression of a text, read once."""
        if text not in self._expressions:
            self._expressions[text] = parse_expression(text, self._dialect)
        return self._expressions[text]

    def operand(self, text: str, path: str, wish: str = "") -> str:
        """The name of the column that a text stands for; an expression becomes a column, called `wish` if it may be."""
        name = unquoted(text)
        known = self._names.find(name) or name.casefold() in self._declared or name.casefold() in self.items
        if known or _NAME.fullmatch(text):
            return name
        expression = fitting(lambda: self.expression(text))
        if expression is None and self._looks_like_a_name(text):
            return name
        expression = self.expression(text)
        self._add_calls(expression, path)
        if isinstance(expression.tree, Mention):
            return expression.tree.name
        same = next((one for one in self.items.values() if self._is_same(one.source, expression)), None)
        if same is None:
            same = Computed(text.strip(), path, expression, self._free(wish or made_name(text)), shown=False)
            self.items[same.name.casefold()] = same
        return same.name

    def conditions(self, entry: Condition, path: str) -> list[Condition]:
        """The conditions that must all hold for a condition to hold, each as `condition` gives it."""
        if isinstance(entry, ConditionGroup) and entry.operator == "and":
            return [one for part in entry.parts for one in self.conditions(part, path)]
        if isinstance(entry, SqlCondition):
            return [self.condition(SqlCondition(text), path) for text in conjuncts(self.expression(entry.text))]
        return [self.condition(entry, path)]

    def hidden_window(self, entry: WindowEntry, path: str) -> str:
        """The name of a window that the specification does not name."""
        lifted = self._lifted_window(entry, path)
        name = f"{entry.function} of {path}"
        self._add_window(lifted, path, name, shown=False)
        self.items[name.casefold()] = replace(self.items[name.casefold()], column=self._free(entry.function))
        return name

    def condition(self, entry: Condition, path: str) -> Condition:
        """The condition with names in the place of expressions and calls."""
        match entry:
            case Comparison():
                with within(".column"):
                    return replace(entry, column=self.operand(entry.column, path))
            case SqlCondition(text):
                self._add_calls(self.expression(text), path)
                return entry
            case ConditionGroup(_, parts):
                return replace(entry, parts=tuple(self.condition(part, path) for part in parts))

    def uses(self, entry: Condition) -> tuple[str, ...]:
        """The names of the columns that a condition compares."""
        match entry:
            case Comparison():
                values = entry.value if isinstance(entry.value, list) else [entry.value]
                return (entry.column, *(unquoted(value) for value in values if isinstance(value, str)))
            case SqlCondition(text):
                return self.expression(text).names
            case ConditionGroup(_, parts):
                return tuple(name for part in parts for name in self.uses(part))

    def _is_same(self, source: Expression | WindowEntry, other: Expression) -> bool:
        return isinstance(source, Expression) and self._normal(source) == self._normal(other)

    def _normal(self, expression: Expression) -> tuple[object, ...]:
        """The text without blanks and in small letters outside quotes, with each name resolved where it can be."""
        parts: list[object] = []
        end = 0
        for mention in expression.mentions:
            start = mention.start - expression.origin
            parts += [folded(expression.text[end:start]), self._resolved(mention.name)]
            end = mention.end - expression.origin
        return (*parts, folded(expression.text[end:]))

    def _looks_like_a_name(self, text: str) -> bool:
        return not any(sign in text for sign in "()*+/|<>=,'")

    def _check_name(self, name: str, at: str = "") -> None:
        """Refuse the name of a new column that another new column has."""
        if name.casefold() in self._aliases:
            refuse(f"{name!r} is the alias of an aggregate too; rename one of them", at)
        if name.casefold() in self.items:
            refuse(f"{name!r} is derived twice; rename one of them", at)

    def _add_derived(self, entry: DerivedColumn, path: str) -> None:
        expression = self.expression(entry.expression)
        call = expression.tree.call if isinstance(expression.tree, Mention) else None
        if isinstance(call, WindowCall):
            self._add_window(self._lifted_window(window_of(call, entry.name), path), path, entry.name)
            return
        self._add_calls(expression, path)
        column = self._column(entry.name)
        item = Computed(entry.name, f"{path}.expression", expression, column, declared=entry.data_type)
        self.items[entry.name.casefold()] = item

    def _add_window(self, entry: WindowEntry, path: str, name: str, shown: bool = True) -> None:
        """Add a window, unless the same one is there under its name."""
        known = self.items.get(name.casefold())
        if known is not None:
            if not isinstance(known.source, WindowEntry) or self._meaning(known.source) != self._meaning(entry):
                refuse(f"{name!r} is another column at {known.path}; rename one of them")
            return
        if name.casefold() in self._aliases:
            refuse(f"{name!r} is the alias of an aggregate too; rename one of them")
        column = self._column(name) if shown else self._free(made_name(name))
        self.items[name.casefold()] = Computed(name, path, entry, column, shown)

    def _meaning(self, entry: WindowEntry) -> object:
        """The window with its names resolved where they can be."""
        order = [(self._resolved(item.column), *item[1:]) for item in entry.order_by]
        partition = [self._resolved(name) for name in entry.partition_by]
        column = None if entry.column is None else self._resolved(entry.column)
        return entry.function, column, partition, order, entry.offset, repr(entry.default), entry.frame

    def _resolved(self, name: str) -> object:
        found = self._names.find(name)
        return found[0] if len(found) == 1 else name.casefold()

    def _lifted_window(self, entry: WindowEntry, path: str) -> WindowEntry:
        column = entry.column
        if column is not None:
            with within(".column"):
                column = self.operand(column, path)
        partition = []
        for place, text in enumerate(entry.partition_by):
            with within(f".partition_by[{place}]"):
                partition.append(self.operand(text, path))
        order = []
        for place, item in enumerate(entry.order_by):
            with within(f".order_by[{place}]"):
                order.append(item._replace(column=self.operand(item.column, path)))
        return replace(entry, column=column, partition_by=tuple(partition), order_by=tuple(order))

    def _lifted_aggregation(self, entry: Aggregation, path: str) -> Aggregation:
        column = entry.column
        if column is not None and column != "*":
            with within(".column"):
                column = self._aggregated(entry, column, path)
        where = entry.where
        if where is not None:
            with within(".filter"):
                where = self.condition(where, path)
        group_by = []
        for place, text in enumerate(entry.group_by):
            with within(f".group_by[{place}]"):
                group_by.append(self.operand(text, path))
        return replace(entry, column=column, where=where, group_by=tuple(group_by))

    def _aggregated(self, entry: Aggregation, column: str, path: str) -> str | None:
        """The column that is aggregated; None for count(1)."""
        if entry.function == "count" and column.strip().isdigit():
            return None
        return self.operand(column, path, f"{made_name(entry.alias)}_input")

    def _add_calls(self, expression: Expression, path: str) -> None:
        """Make columns of the aggregates and windows inside an expression."""
        for call in expression.calls:
            if isinstance(call, AggregateCall):
                self._add_aggregate(call, path)
            elif call.name.casefold() not in self.items:
                self._add_window(self._lifted_window(window_of(call, call.name), path), path, call.name, shown=False)

    def _add_aggregate(self, call: AggregateCall, path: str) -> None:
        if not self._entries.aggregations and self._entries.grouped_by is None:
            cannot(f"{call.name} is an aggregate; write it as an entry of `aggregations`, with its `group_by`")
        if any(one.value.alias.casefold() == call.name.casefold() for one in self.aggregations):
            return
        keys = () if self._entries.aggregations else self._entries.grouped_by or ()
        entry = self._lifted_aggregation(replace(aggregation_of(call), group_by=keys), path)
        self.aggregations.append(Located(path, entry))
        self.wait(call.name)

    def _column(self, name: str) -> str:
        """The name in the plan of a column that the specification names."""
        taken = bool(self._names.find(name))
        return self._free(f"derived_{name}") if taken else name

    def _free(self, name: str) -> str:
        """A name that no other column has."""
        free, count = name, 1
        while free.casefold() in self._columns:
            count += 1
            free = f"{name}_{count}"
        self._columns.add(free.casefold())
        return free


def details_of(entry: Located[Aggregation]) -> str:
    """The path of an entry's fields; the aggregates of a pivot share the pivot's details."""
    return entry.path.removesuffix(entry.value.value_at) if isinstance(entry.value, PivotedAggregation) else entry.path
