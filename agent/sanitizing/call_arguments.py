"""The arguments of a call, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.sanitizing.value_kinds import NOTHING, Value


@dataclass(frozen=True)
class Given:
    """The arguments of a call."""

    positional: tuple[Value, ...]
    named: dict[str, Value] = field(default_factory=dict)
    starred: Value = NOTHING
    """Values from `*arguments` on: each may land in any later place."""

    def at(self, index: int, name: str = "") -> Value:
        """One argument by place or name."""
        place = self.positional[index] if index < len(self.positional) else NOTHING
        return place | self.named.get(name, NOTHING) | self.starred

    def all(self) -> Value:
        """All arguments as one value."""
        return NOTHING.union(*self.positional, *self.named.values(), self.starred)

    def then(self, more: Given) -> Given:
        """These arguments and more of them, as `partial` passes them; behind a star no place is known."""
        if self.starred:
            behind = NOTHING.union(self.starred, *more.positional, more.starred)
            return Given(self.positional, self.named | more.named, behind)
        return Given(self.positional + more.positional, self.named | more.named, more.starred)
