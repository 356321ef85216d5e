"""Reasons to refuse a target, found before anything is generated or paid for.

`TARGET_CHECKS` are checked twice, with the same words: by `prepare` on the snapshot, and by publish on the target as it
is once it is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from agent.errors import Problem
from agent.nearest import did_you_mean
from agent.request import Request, TargetTable, WriteMode
from agent.snapshot import Snapshot, Target
from agent.sql_identifiers import quote_name
from agent.target_columns import INDISTINCT, alike, column_problems, declared_otherwise
from agent.validation_messages import path_of

_TARGET = "specs.target_table"


@dataclass(frozen=True)
class TargetCheck:
    """A property of a target that forbids writing into it."""

    found: Callable[[Target], Iterable[object]]
    """Lists what has the property: names, or the foreign keys or rules themselves."""
    message: str
    """Template of the message for each of these, over `found` and `target`."""
    modes: tuple[WriteMode | None, ...] = (None, "overwrite", "append", "merge")
    """The write modes that the property forbids; None is `overwrite` that the specification does not name."""
    place: str = "name"
    """The key of `specs.target_table` to change."""


_REPLACING: tuple[WriteMode | None, ...] = (None, "overwrite")
TARGET_CHECKS = (
    TargetCheck(
        lambda target: target.rules,
        "rule {found!r} leads what is written to {target.name} elsewhere (DO INSTEAD); drop the rule, or publish into "
        "another table",
    ),
    TargetCheck(
        lambda target: target.unchecked,
        "{found!r} would not be checked: its triggers on {target.name} are switched off; "
        "ALTER TABLE {target.relation} ENABLE TRIGGER ALL",
    ),
    TargetCheck(
        lambda target: _together(target.foreign_partitions),
        "{target.name} has partitions on another server, {found}, which commit by themselves; publish into another "
        "table",
    ),
    TargetCheck(
        lambda target: (key for key in target.incoming_foreign_keys if key.obstacle),
        "rows of {target.name} cannot be replaced: foreign key {found.name!r} of {found.table} points at it and "
        "{found.obstacle}; make it DEFERRABLE with ON DELETE NO ACTION, or publish into another table",
        _REPLACING,
    ),
    TargetCheck(
        lambda target: (rule.name for rule in target.side_rules if rule.event != "delete"),
        "PostgreSQL cannot merge where INSERT or UPDATE has a rule, as {found!r} of {target.name}; drop the rule, or "
        "use 'append' or 'overwrite'",
        ("merge",),
        "write_mode",
    ),
    TargetCheck(
        lambda target: _together(target.heirs),
        "{target.name} is inherited by {found}, whose rows would stay among the new ones; use 'append', take the "
        "inheritance back, or publish into another table",
        (*_REPLACING, "merge"),
    ),
    TargetCheck(
        lambda target: [target.name] if target.has_rows and not target.published_before else [],
        "{target.name} has rows that this tool did not write; say what becomes of them: 'overwrite' replaces all "
        "rows, 'append' adds to them, and 'merge' with keys replaces rows of the same key and adds the others",
        (None,),
        "write_mode",
    ),
)


def obstacles(target: Target, mode: WriteMode | None) -> list[Problem]:
    """List the properties of a target that forbid writing into it in this mode."""
    return [
        Problem(f"{_TARGET}.{check.place}", check.message.format(found=found, target=target))
        for check in TARGET_CHECKS
        if mode in check.modes
        for found in check.found(target)
    ]


def change(before: Target, now: Target) -> str:
    """Say in which respect a target is not the one of the snapshot any more; empty when it is."""
    if not before.exists or before.relation not in ("", now.relation) or before.oid not in (None, now.oid):
        return f"{now.name} is not the table that it was when the run began"
    old, new = ({(c.name, c.type, c.generated, c.identity) for c in target.columns} for target in (before, now))
    if old != new:
        names = ", ".join(sorted({repr(column[0]) for column in old ^ new}))
        return f"{now.name} changed since the run began: {names}; start the run again"
    if set(before.incoming_foreign_keys) != set(now.incoming_foreign_keys):
        return f"the foreign keys that point at {now.name} changed"
    return ""


def refusals(request: Request, snapshot: Snapshot) -> list[Problem]:
    """List what forbids publishing this request into that target; empty when nothing does."""
    target, wanted = snapshot.target, request.specs.target_table
    return [
        *_indistinct(snapshot),
        *_samples(request, snapshot),
        *_keys(wanted, target),
        *obstacles(target, wanted.write_mode),
        *_numbered(wanted, target),
        *column_problems(wanted, target),
    ]


def warnings_for(request: Request, snapshot: Snapshot) -> list[str]:
    """Warn of parts of the request that do not count, of side effects of a publish, and of what may stop it."""
    target = snapshot.target
    wanted = request.specs.target_table
    warnings = [caution for source in snapshot.sources for caution in source.cautions]
    warnings += declared_otherwise(wanted, target)
    warnings += [
        f"trigger {name!r} on {target.name} fires for the rows that publish writes" for name in target.triggers
    ]
    events = {"insert": "writes", **({} if wanted.write_mode in ("append", "merge") else {"delete": "deletes"})}
    warnings += [
        f"rule {rule.name!r} on {target.name} acts on the rows that publish {events[rule.event]} (DO ALSO)"
        for rule in target.side_rules
        if rule.event in events
    ]
    if target.row_security:
        warnings.append(
            f"{target.name} has row security: publish stops, and changes nothing, if a policy hides rows from its role"
        )
    return [*warnings, *_sequences(wanted, snapshot)]


def _sequences(wanted: TargetTable, snapshot: Snapshot) -> Iterator[str]:
    """Warn of identity columns that publish fills: their sequences would give values that are taken."""
    target = snapshot.target
    # Without a list, the result fills an identity column where a source has a column of its name.
    filled = {column.name for column in wanted.columns} or {n for source in snapshot.sources for n in source.names}
    for column in target.columns:
        if column.identity and column.name in filled:
            place = target.relation or quote_name(target.name)
            name = column.name.replace("'", "''")
            sequence = f"pg_get_serial_sequence('{place.replace(chr(39), chr(39) * 2)}', '{name}')"
            mended = f"SELECT setval({sequence}, (SELECT max({quote_name(column.name)}) FROM {place}))"
            yield (
                f"the sequence of identity column {column.name!r} of {target.name} stays behind the values that "
                f"publish writes; after the run: {mended}"
            )


def _indistinct(snapshot: Snapshot) -> Iterator[Problem]:
    for index, source in enumerate(snapshot.sources):
        for _, first, second in alike(column.name for column in source.columns):
            message = f"columns {first!r} and {second!r} of {source.table} {INDISTINCT}; leave one out in a view"
            yield Problem(f"specs.source_tables[{index}].table_name", f"{message}, and name the view as the source")


def _samples(request: Request, snapshot: Snapshot) -> Iterator[Problem]:
    """Refuse columns that sample rows have and their table lacks: their values would be NULL in every row."""
    for source in snapshot.sources:
        known = source.names
        for name in dict.fromkeys((source.table, source.key)):
            rows = request.source_data_samples.get(name, ())
            firsts: dict[str, int] = {}
            for index, row in enumerate(rows):
                firsts = {**dict.fromkeys(row, index), **firsts}
            for column, index in firsts.items():
                if column not in known:
                    path = path_of(("source_data_samples", name, index, column))
                    yield Problem(path, f"{source.table} has no column {column!r}{did_you_mean(column, known)}")


def _together(names: tuple[str, ...]) -> list[str]:
    return [", ".join(names)] if names else []


def _numbered(wanted: TargetTable, target: Target) -> Iterator[Problem]:
    if wanted.write_mode != "merge":
        return
    made = [column.name for column in target.columns if column.identity == "always"]
    for index, column in enumerate(wanted.columns):
        if column.name in made and column.name not in wanted.keys:
            message = f"{column.name!r} of {target.name} is GENERATED ALWAYS, and no merge may change it"
            yield Problem(f"{_TARGET}.columns[{index}].name", f"{message}; leave it out, or make it a key")


def _keys(wanted: TargetTable, target: Target) -> Iterator[Problem]:
    """List what forbids identifying rows by the keys."""
    path = f"{_TARGET}.keys"
    if wanted.write_mode == "merge" and not wanted.keys:
        found = f", as {list(target.unique_keys[0])}" if target.unique_keys else ""
        yield Problem(path, f"'merge' needs the columns that identify a row{found}")
    names = [column.name for column in wanted.columns or target.columns]
    for index, key in enumerate(wanted.keys):
        if names and key not in names:
            yield Problem(f"{path}[{index}]", f"{wanted.name} gets no column {key!r}{did_you_mean(key, names)}")
    if wanted.write_mode != "merge" or not wanted.keys or not target.exists:
        return
    if not any(set(key) == set(wanted.keys) for key in target.unique_keys):
        known = " or ".join(f"({', '.join(key)})" for key in target.unique_keys)
        has = f"its unique keys are {known}" if known else "it has no unique key"
        told = f"{target.name} is not unique by ({', '.join(wanted.keys)}); {has}"
        yield Problem(path, f"{told}: name one of these, or create a unique index that is not deferrable or partial")
