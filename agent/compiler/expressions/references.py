"""Columns that an expression or a step refers to, and expressions whose names are resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from agent.compiler.expressions.column_kinds import Kind

_PART = re.compile(r"`((?:[^`]|``)*)`|([^.`]+)")
"""A part of a dotted name: in backquotes, where two stand for one, or plain."""


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source."""

    source: str
    """The source's key."""
    name: str
    kind: Kind
    nullable: bool = field(default=True, compare=False)


@dataclass(frozen=True)
class MergedColumn:
    """A shared join key after an outer join: the first member that is not NULL."""

    name: str
    members: tuple[SourceColumn, ...]

    @property
    def kind(self) -> Kind:
        """The kind of the first member, wide enough for all members."""
        kinds = [member.kind for member in self.members]
        families = {kind.family for kind in kinds}
        return replace(
            kinds[0],
            family="decimal" if families == {"integer", "decimal"} else kinds[0].family,
            whole=max(kind.whole for kind in kinds),
            scale=max(kind.scale for kind in kinds),
            held=None,
        )

    @property
    def nullable(self) -> bool:
        """True where no member is certain to have a value."""
        return all(member.nullable for member in self.members)


@dataclass(frozen=True)
class NamedColumn:
    """A column without a source: a derived column, a window, an aggregate or a group key."""

    name: str
    kind: Kind | None = None
    """None when it is not known."""
    nullable: bool = field(default=True, compare=False)


Reference = SourceColumn | MergedColumn | NamedColumn


@dataclass(frozen=True)
class Constant:
    """A constant. `cast` is the Spark type that its text is cast to; None without a cast."""

    value: str | int | float | bool
    cast: str | None = None


def unquoted(text: str) -> str:
    """A plain reference without backquotes: `` `sales.orders`.`x` `` is `sales.orders.x`."""
    if "`" not in text:
        return text.strip()
    return ".".join(quoted.replace("``", "`") or plain for quoted, plain in _PART.findall(text.strip()))
