"""Name resolution: the one column that a name of the specification stands for, or a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from agent.compiler.expressions.column_kinds import kind_of
from agent.compiler.expressions.references import MergedColumn, NamedColumn, Reference, SourceColumn, unquoted
from agent.compiler.expressions.syntax_tree import DialectChoice
from agent.compiler.problems import Problems, absent, cannot, refuse
from agent.errors import UnsupportedTypeError
from agent.nearest import did_you_mean
from agent.request import SourceTable, Specification
from agent.snapshot import Snapshot


@dataclass(frozen=True)
class Sources:
    """The listed sources with their columns and their names."""

    tables: dict[str, str] = field(default_factory=dict)
    """Table names by key, in the order listed."""
    columns: dict[str, tuple[SourceColumn, ...]] = field(default_factory=dict)
    qualifiers: dict[str, str] = field(default_factory=dict)
    """Keys by casefolded alias or table name."""
    paths: dict[str, str] = field(default_factory=dict)
    """Paths of the entries by key."""
    dialect: DialectChoice = "auto"
    """The SQL of expressions over them."""
    unreadable: dict[str, dict[str, str]] = field(default_factory=dict)
    """By key, the casefolded names of the columns that no job reads, with the reason."""

    def key_of(self, name: str, at: str) -> str:
        """The key of the source with that alias or table name. Refuses an unknown one."""
        key = self.qualifiers.get(unquoted(name).casefold())
        if key is None:
            repeated = [one for one, table in self.tables.items() if table.casefold() == unquoted(name).casefold()]
            if len(repeated) > 1:
                refuse(f"{name!r} is listed as {' and '.join(repeated)}; write the alias that is meant", at)
            known = [*self.tables, *self.tables.values()]
            absent(f"{name!r} is not a listed source{did_you_mean(name, known, listed=True)}", at)
        return key

    def column(self, key: str, text: str, at: str) -> SourceColumn:
        """The column of one source, with or without its qualifier. Refuses an unknown one."""
        own = self.columns[key]
        wanted = unquoted(text).casefold()
        spellings = {wanted} | {
            wanted[len(name) + 1 :]
            for name, owner in self.qualifiers.items()
            if owner == key and wanted.startswith(f"{name}.")
        }
        found = [column for column in own if column.name.casefold() in spellings]
        if len(found) != 1:
            if reason := _first(self.unreadable.get(key, {}), spellings):
                absent(reason, at)
            near = did_you_mean(text, [column.name for column in own], listed=True)
            absent(f"{self.tables[key]} has no column {text!r}{near}", at)
        return found[0]

    def united(self, members: list[str], key: str, columns: tuple[SourceColumn, ...], path: str) -> Sources:
        """A copy with one source in the place of `members`, whose names are gone."""
        order = [key if known == members[0] else known for known in self.tables if known not in members[1:]]
        own = {name: owner for name, owner in self.qualifiers.items() if owner not in members}
        return Sources(
            tables={known: key if known == key else self.tables[known] for known in order},
            columns={known: columns if known == key else self.columns[known] for known in order},
            qualifiers={**own, key.casefold(): key},
            paths={**self.paths, key: path},
            dialect=self.dialect,
            unreadable={known: own for known, own in self.unreadable.items() if known not in members},
        )

    def after_joins(self, optional: Collection[str]) -> Sources:
        """A copy in which the columns of sources whose rows may be missing may be NULL."""
        columns = {
            key: tuple(replace(one, nullable=True) for one in own) if key in optional else own
            for key, own in self.columns.items()
        }
        return replace(self, columns=columns)

    def of_name(self, name: str) -> list[SourceColumn]:
        """All source columns of that bare name, whatever its case."""
        fold = name.casefold()
        return [column for own in self.columns.values() for column in own if column.name.casefold() == fold]


class Names:
    """The names at one point of the plan. They ignore case, as Spark's do."""

    def __init__(self) -> None:
        self._found: dict[str, list[Reference]] = {}
        self._shown: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}
        self._defined: dict[str, str] = {}
        self._shadowed: dict[str, list[Reference]] = {}

    def add(self, spelling: str, reference: Reference) -> None:
        """Let `spelling` stand for `reference`; a spelling with two meanings is ambiguous."""
        known = self._found.setdefault(spelling.casefold(), [])
        self._shown.setdefault(spelling.casefold(), spelling)
        if reference not in known:
            known.append(reference)

    def block(self, spelling: str, reason: str) -> None:
        """Let `spelling` stand for a column that no job reads."""
        self._unreadable.setdefault(spelling.casefold(), reason)

    def define(self, name: str, reference: Reference) -> None:
        """Let the name of a computed column stand for it alone, where source columns have the name too."""
        fold = name.casefold()
        if others := [one for one in self._found.get(fold, ()) if one != reference]:
            self._shadowed[fold] = others
        self._found[fold] = [reference]
        self._unreadable.pop(fold, None)
        self._shown.setdefault(fold, name)
        self._defined[fold] = name

    def shadowed(self, text: str) -> list[Reference]:
        """The source column of the name that a computed column has taken; empty where only one meaning is left."""
        others = self._shadowed.get(text.casefold(), [])
        return others if len(others) == 1 else []

    def name_of(self, text: str, reference: Reference) -> str:
        """The name in a result of the column that `text` stands for."""
        return self._defined.get(text.casefold(), reference.name)

    def find(self, text: str) -> list[Reference]:
        """Everything that `text` may stand for; empty when nothing does."""
        return list(self._found.get(text.casefold(), ()))

    def qualified(self, text: str) -> bool:
        """True when `text` begins with the name of a source."""
        qualifier = text.casefold().rpartition(".")[0]
        return bool(qualifier) and any(name.startswith(f"{qualifier}.") for name in self._found)

    def hint(self, spellings: Iterable[str]) -> None:
        """Show these names in hints too: they stand for columns at another point."""
        for spelling in spellings:
            self._shown.setdefault(spelling.casefold(), spelling)

    def shown(self) -> list[str]:
        """All spellings, as they were first written; the short ones first."""
        return sorted(self._shown.values(), key=lambda name: "." in name)

    def resolve(self, text: str, at: str = "") -> Reference:
        """The one thing that `text` stands for. Refuses a text that stands for none or for several."""
        found = self.find(text)
        if reason := self._unreadable.get(text.casefold()):
            if found:
                refuse(f"{text!r} may be {described(found[0])}; {reason}", at)
            absent(reason, at)
        if not found:
            unknown = absent if self.qualified(text) else refuse
            unknown(f"unknown column {text!r}{did_you_mean(text, self.shown(), listed=True)}", at)
        if len(found) > 1:
            candidates = " or ".join(described(reference) for reference in found)
            refuse(f"{text!r} is ambiguous: it may be {candidates}; write which one", at)
        return found[0]


class Scope(Protocol):
    """The names at one point of the plan: `Names` before grouping, `Grouped` after it."""

    def find(self, text: str) -> list[Reference]:
        """Everything that `text` may stand for."""
        ...

    def resolve(self, text: str, at: str = "") -> Reference:
        """The one thing that `text` stands for. Refuses a text that stands for none or for several."""
        ...

    def shown(self) -> list[str]:
        """All spellings, for hints."""
        ...

    def name_of(self, text: str, reference: Reference) -> str:
        """The name in a result of the column that `text` stands for."""
        ...


def described(reference: Reference) -> str:
    """A reference in a message, as `o.customer_id`."""
    match reference:
        case SourceColumn(source, name):
            return f"{source}.{name}"
        case MergedColumn(name):
            return f"the shared key {name}"
        case NamedColumn(name):
            return f"the derived column or aggregate {name}"


def read_sources(
    specs: Specification, snapshot: Snapshot, problems: Problems, dialect: DialectChoice = "auto"
) -> Sources:
    """The sources of a specification with the snapshot's columns."""
    sources = Sources(dialect=dialect)
    keys = Counter(table.key.casefold() for table in specs.source_tables)
    for position, table in enumerate(specs.source_tables):
        path = f"specs.source_tables[{position}]"
        with problems.at(path):
            if keys[table.key.casefold()] > 1:
                refuse(f"two sources are called {table.key!r}; give each an alias of its own")
            sources.columns[table.key] = _columns(table, snapshot)
            sources.unreadable[table.key] = {
                column.name.casefold(): column.reason for column in snapshot.source(table.key).unreadable
            }
            sources.tables[table.key] = table.table_name
            sources.paths[table.key] = path
    _add_qualifiers(sources, specs.source_tables)
    for table in specs.source_tables:
        for position, name in enumerate(table.listed_columns() if table.key in sources.paths else ()):
            with problems.at(f"{sources.paths[table.key]}.columns[{position}]"):
                sources.column(table.key, name, "")
    return sources


def _first(reasons: dict[str, str], spellings: Iterable[str]) -> str:
    return next((reasons[spelling] for spelling in spellings if spelling in reasons), "")


def _columns(table: SourceTable, snapshot: Snapshot) -> tuple[SourceColumn, ...]:
    source = next((source for source in snapshot.sources if source.key == table.key), None)
    if source is None:
        refuse(f"the columns of {table.table_name!r} are not known; describe them in `source_schemas`")
    repeated = [name for name, count in Counter(c.name.casefold() for c in source.columns).items() if count > 1]
    if repeated:
        cannot(f"columns of {table.table_name!r} differ only in case: {', '.join(repeated)}; Spark takes them as one")
    try:
        return tuple(
            SourceColumn(table.key, c.name, kind_of(c.type, c.name, c.labels, c.held), c.nullable)
            for c in source.columns
        )
    except UnsupportedTypeError as error:
        refuse(str(error))


def _add_qualifiers(sources: Sources, tables: tuple[SourceTable, ...]) -> None:
    """Add the names of the sources. An alias hides the table's name, and an ambiguous table name does not count."""
    for key in sources.tables:
        sources.qualifiers[key.casefold()] = key
    whole = [table.table_name.casefold() for table in tables]
    for names in (whole, [name.rpartition(".")[2] for name in whole]):
        for table, name in zip(tables, names, strict=True):
            if names.count(name) == 1 and table.key in sources.tables:
                sources.qualifiers.setdefault(name, table.key)


def all_names(sources: Sources, merged: dict[str, Reference]) -> Names:
    """The names of all source columns. `merged` gives the column of a shared join key by casefolded name."""
    names = Names()
    for own in sources.columns.values():
        for column in own:
            fold = column.name.casefold()
            names.add(column.name, merged.get(fold, column))
            for qualifier, key in sources.qualifiers.items():
                if key == column.source:
                    names.add(f"{qualifier}.{column.name}", column)
    for owner, reasons in sources.unreadable.items():
        for fold, reason in reasons.items():
            names.block(fold, reason)
            for qualifier in (name for name, key in sources.qualifiers.items() if key == owner):
                names.block(f"{qualifier}.{fold}", reason)
    return names
