"""Derived columns: computed before grouping, unless they need an aggregate or a window."""

from __future__ import annotations

from dataclasses import dataclass

from agent.compiler.expressions.conversions import refuse_silent_casts
from agent.compiler.expressions.inference import kind_of_expression
from agent.compiler.expressions.parsing import Expression, parse_expression, string_literals
from agent.compiler.expressions.references import BoundExpression, NamedColumn, Reference
from agent.compiler.plan.joins import refuse_padded
from agent.compiler.plan.resolution import Names, Scope, Sources
from agent.compiler.problems import Problems, cannot, refuse, within
from agent.elements import DerivedColumn, Located


@dataclass(frozen=True)
class Derivation:
    """A derived column. `value` is None until it is bound: after grouping, or where the windows are."""

    name: str
    path: str
    expression: Expression
    value: BoundExpression | None


class Derivations:
    """Reads derived columns in order; each may use the sources, the aggregates and the earlier ones."""

    def __init__(self, sources: Sources, before: Names, aliases: list[str], windows: list[str]) -> None:
        self.found: list[Derivation] = []
        self.windowed: list[Derivation] = []
        """Derived columns that need a window, directly or through another one."""
        self._sources = sources
        self._before = before
        self._late = {alias.casefold() for alias in aliases}
        self._aliases = frozenset(self._late)
        self._later: set[str] = set()
        self._windowed = {window.casefold() for window in windows}

    def late(self, name: str) -> bool:
        """True for an aggregate and for a derived column that needs one."""
        return name.casefold() in self._late

    def wait(self, name: str) -> None:
        """Record that `name` is computed after grouping."""
        self._late.add(name.casefold())

    def needs_window(self, name: str) -> bool:
        """True for a window and for a derived column that needs one."""
        return name.casefold() in self._windowed

    def read(self, entries: list[Located[DerivedColumn]], problems: Problems) -> None:
        """Add the entries in their order."""
        folds = [entry.name.casefold() for _, entry in entries]
        for position, (path, entry) in enumerate(entries):
            self._later = set(folds[position:])
            with problems.at(path, entry.name):
                self.check_name(entry.name, ".name")
                with within(".expression"):
                    expression = parse_expression(entry.expression)
                    if not problems.follows(entry.name, expression.names):
                        self._add(entry.name, expression, f"{path}.expression")

    def check_name(self, name: str, at: str = "") -> None:
        """Refuse the name of a new column that another column has."""
        columns = self._sources.of_name(name)
        if columns:
            refuse(f"{name!r} is a column of {columns[0].source!r} too, so later uses are ambiguous; rename it", at)
        if name.casefold() in self._aliases:
            refuse(f"{name!r} is the alias of an aggregate too; rename one of them", at)
        if any(known.name.casefold() == name.casefold() for known in (*self.found, *self.windowed)):
            refuse(f"{name!r} is derived twice; rename one of them", at)

    def _add(self, name: str, expression: Expression, path: str) -> None:
        for text in string_literals(expression):
            if self._before.find(text) or self.late(text) or self.needs_window(text):
                cannot(f'"{text}" in double quotes is a text to Spark; write `{text}` for the column')
        if any(self.needs_window(use) for use in expression.names):
            self._windowed.add(name.casefold())
            self.windowed.append(Derivation(name, path, expression, None))
            return
        late = [self._needs_aggregate(use) for use in expression.names]
        if any(late):
            self._late.add(name.casefold())
            self.found.append(Derivation(name, path, expression, None))
            return
        value = bind(expression, self._before)
        self.found.append(Derivation(name, path, expression, value))
        self._before.add(name, NamedColumn(name, kind_of_expression(value)))

    def _needs_aggregate(self, name: str) -> bool:
        known = self._before.find(name)
        if known and self.late(name):
            refuse(f"{name!r} is a source column and an aggregate's alias; rename the alias or qualify the column")
        if not known and not self.late(name) and name.casefold() in self._later:
            refuse(f"{name!r} is derived later; list it before this one")
        return self.late(name)


def bind(expression: Expression, scope: Scope) -> BoundExpression:
    """The expression with each mention resolved."""
    references: list[Reference] = []
    for mention in expression.mentions:
        reference = scope.resolve(mention.name)
        refuse_padded(reference, mention)
        references.append(reference)
    bound = BoundExpression(expression, tuple(references))
    refuse_silent_casts(bound)
    return bound
