"""A call in a transform: its arguments as values, and the port through which rules evaluate further calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Protocol

from agent.sanitizing.value_kinds import NOTHING, Value


@dataclass(frozen=True)
class Arguments:
    """The arguments of a call."""

    positional: tuple[Value, ...]
    named: dict[str, Value] = field(default_factory=dict)
    starred: Value = NOTHING
    """Values from `*arguments` on: each may stand at any later place."""

    def at(self, index: int, name: str = "") -> Value:
        """The argument at a place or of a name."""
        place = self.positional[index] if index < len(self.positional) else NOTHING
        return place | self.named.get(name, NOTHING) | self.starred

    def all(self) -> Value:
        """All arguments as one value."""
        return NOTHING.union(*self.positional, *self.named.values(), self.starred)

    def then(self, more: Arguments) -> Arguments:
        """These arguments followed by `more`, as `partial` passes them; behind a star no place is known."""
        if self.starred:
            behind = NOTHING.union(self.starred, *more.positional, more.starred)
            return Arguments(self.positional, self.named | more.named, behind)
        return Arguments(self.positional + more.positional, self.named | more.named, more.starred)


class Caller(Protocol):
    """The results of calls and operators within a call, as of a function that is handed to `map`."""

    def apply(self, node: ast.AST, called: Value, arguments: Arguments) -> Value:
        """The possible results of calling a value."""
        ...

    def escape(self, value: Value) -> None:
        """Let functions that are handed on to unknown code be called with anything."""
        ...

    def partial(self, node: ast.AST, function: Value, arguments: Arguments) -> Value:
        """A function with some of its arguments, as `functools.partial` makes it."""
        ...

    def operation(self, node: ast.AST, left: Value, op: ast.operator, right: Value) -> Value:
        """The result of an operator between two values."""
        ...
