"""The names of the sources, as a specification lists them: enough to tell one table from another."""

from __future__ import annotations

from collections.abc import Iterable

from agent.compiler.spec.sql_texts import bare, column_parts
from agent.request import SourceTable


class SourceNames:
    """Resolves aliases and table names to the key of a listed source."""

    def __init__(self, tables: Iterable[SourceTable]) -> None:
        self.keys: list[str] = []
        """The keys in the order listed."""
        self._known: dict[str, str | None] = {}
        self.derived: dict[str, str] = {}
        """Expressions of the derived columns by casefolded name."""
        tables = list(tables)
        for table in tables:
            self.keys.append(table.key)
            self._known[table.key.casefold()] = table.key
        for table in tables:
            for name in {table.table_name.casefold(), table.table_name.rpartition(".")[2].casefold()}:
                known = self._known.get(name, table.key)
                # A table that is listed twice is known by its aliases alone.
                self._known[name] = known if known == table.key or name in map(str.casefold, self.keys) else None

    def key(self, name: str) -> str | None:
        """The key of the source that a name means; None for a name of no source or of several."""
        return self._known.get(bare(name).casefold())

    def same(self, name: str) -> str:
        """A name to compare tables by: the key of its source, else the name itself."""
        return (self.key(name) or bare(name)).casefold()

    def column(self, text: str) -> tuple[str, str]:
        """Table and column to compare columns by; the table is empty where the column is not qualified."""
        qualifier, name = column_parts(text)
        return self.same(qualifier) if qualifier else "", name.casefold()

    def same_column(self, one: str, other: str) -> bool:
        """True when two names can only mean one column: equal names, and equal tables where both name one."""
        (table, name), (other_table, other_name) = self.column(one), self.column(other)
        return name == other_name and (not table or not other_table or table == other_table)

    def position(self, key: str) -> int:
        """The place of a source in the list; behind all when it is not listed."""
        return self.keys.index(key) if key in self.keys else len(self.keys)
