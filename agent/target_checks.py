"""What publish could not do, found in `prepare` from the snapshot alone, before anything is generated or paid for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agent.errors import Problem, UnsupportedTypeError
from agent.nearest import did_you_mean
from agent.request import Request, TargetColumn, TargetTable
from agent.snapshot import Column, ForeignKey, Snapshot, Target
from agent.types import SUPPORTED, near_type, same_type, spark_type
from agent.validation_messages import path_of

_TARGET = "specs.target_table"
_PRECISION = re.compile(r"\s*(time|timestamp|timestamptz)\s*\(\s*(\d+)\s*\)", re.IGNORECASE)
_INDISTINCT = "differ only in case, and Spark cannot tell them apart"


def refusals(request: Request, snapshot: Snapshot) -> list[Problem]:
    """List what forbids publishing this request into that target; empty when nothing does."""
    target = snapshot.target
    wanted = request.specs.target_table
    problems = [*_indistinct(snapshot), *_samples(request, snapshot), *_keys(wanted, target)]
    problems += [*_rules(target), *_unchecked(target)]
    if wanted.write_mode in (None, "overwrite"):
        problems += _foreign_keys(target)
    if wanted.write_mode == "merge":
        problems += _no_merge(wanted, target)
    if wanted.write_mode != "append" and target.heirs:
        problems.append(Problem(f"{_TARGET}.name", _with_heirs(target)))
    if wanted.write_mode is None and target.has_rows and not target.published_before:
        problems.append(Problem(f"{_TARGET}.write_mode", _ask_for_mode(target)))
    if wanted.columns:
        problems += _repeated(wanted.columns)
        problems += _columns(wanted.columns, target) if target.exists else _declared_types(wanted.columns)
    elif target.exists:
        problems += _unlisted(target)
    return problems


def warnings_for(request: Request, snapshot: Snapshot) -> list[str]:
    """Say what of the request does not count, and what publish does beside moving rows, or may be stopped by."""
    target = snapshot.target
    wanted = request.specs.target_table
    warnings = [*_other_types(wanted, target)]
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
    return warnings


def harmless(key: ForeignKey) -> bool:
    """Tell whether all rows of the target may be replaced under this key: it is checked at commit and moves nothing."""
    return key.deferrable and key.on_delete == "no action"


def _indistinct(snapshot: Snapshot) -> Iterator[Problem]:
    for index, source in enumerate(snapshot.sources):
        for _, first, second in _alike(column.name for column in source.columns):
            message = f"columns {first!r} and {second!r} of {source.table} {_INDISTINCT}; leave one out in a view"
            yield Problem(f"specs.source_tables[{index}].table_name", f"{message}, and name the view as the source")


def _samples(request: Request, snapshot: Snapshot) -> Iterator[Problem]:
    """Columns that sample rows have and their table lacks: what was meant would be NULL in every row."""
    for source in snapshot.sources:
        known = [column.name for column in source.columns]
        for name in dict.fromkeys((source.table, source.key)):
            rows = request.source_data_samples.get(name, ())
            firsts: dict[str, int] = {}
            for index, row in enumerate(rows):
                firsts = {**dict.fromkeys(row, index), **firsts}
            for column, index in firsts.items():
                if column not in known:
                    path = path_of(("source_data_samples", name, index, column))
                    yield Problem(path, f"{source.table} has no column {column!r}{did_you_mean(column, known)}")


def _alike(names: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the position of each name that stands earlier in whatever case, with that earlier one and itself."""
    known: dict[str, str] = {}
    for position, name in enumerate(names):
        if name.lower() in known:
            yield position, known[name.lower()], name
        known.setdefault(name.lower(), name)


def _foreign_keys(target: Target) -> Iterator[Problem]:
    for key in target.incoming_foreign_keys:
        if harmless(key):
            continue
        cause = "is not deferrable" if key.on_delete == "no action" else f"is ON DELETE {key.on_delete.upper()}"
        message = (
            f"rows of {target.name} cannot be replaced: foreign key {key.name!r} of {key.table} points at it "
            f"and {cause}; make it DEFERRABLE with ON DELETE NO ACTION, or publish into another table"
        )
        yield Problem(f"{_TARGET}.name", message)


def _rules(target: Target) -> Iterator[Problem]:
    for name in target.rules:
        message = f"rule {name!r} leads what is written to {target.name} elsewhere (DO INSTEAD)"
        yield Problem(f"{_TARGET}.name", f"{message}; drop the rule, or publish into another table")


def _unchecked(target: Target) -> Iterator[Problem]:
    for name in target.unchecked:
        message = f"{name!r} would not be checked: its triggers on {target.name} are switched off"
        yield Problem(f"{_TARGET}.name", f"{message}; ALTER TABLE {target.relation} ENABLE TRIGGER ALL")


def _no_merge(wanted: TargetTable, target: Target) -> Iterator[Problem]:
    made = [column.name for column in target.columns if column.identity == "always"]
    for index, column in enumerate(wanted.columns):
        if column.name in made and column.name not in wanted.keys:
            message = f"{column.name!r} of {target.name} is GENERATED ALWAYS, and no merge may change it"
            yield Problem(f"{_TARGET}.columns[{index}].name", f"{message}; leave it out, or make it a key")
    for rule in target.side_rules:
        if rule.event != "delete":
            message = f"PostgreSQL cannot merge where INSERT or UPDATE has a rule, as {rule.name!r} of {target.name}"
            yield Problem(f"{_TARGET}.write_mode", f"{message}; drop the rule, or use 'append' or 'overwrite'")


def _with_heirs(target: Target) -> str:
    return (
        f"{target.name} is inherited by {', '.join(target.heirs)}, whose rows would stay among the new ones; "
        "use 'append', take the inheritance back, or publish into another table"
    )


def _other_types(wanted: TargetTable, target: Target) -> Iterator[str]:
    """Declared types that an existing target does not have."""
    existing = {column.name: column.type for column in target.columns}
    for index, column in enumerate(wanted.columns):
        found = existing.get(column.name)
        if column.type is not None and found is not None and not same_type(column.type, found):
            told = f"{_TARGET}.columns[{index}].type: {column.type!r} is declared"
            yield f"{told}, and {column.name!r} of {target.name} is {found}; the table's own type counts"


def _ask_for_mode(target: Target) -> str:
    return (
        f"{target.name} has rows that this tool did not write; say what becomes of them: "
        "'overwrite' replaces all rows, 'append' adds to them, and 'merge' with keys replaces rows of the same key "
        "and adds the others"
    )


def _keys(wanted: TargetTable, target: Target) -> Iterator[Problem]:
    """What forbids identifying rows by the keys."""
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


def _repeated(wanted: tuple[TargetColumn, ...]) -> Iterator[Problem]:
    for index, first, second in _alike(column.name for column in wanted):
        message = f"{first!r} and {second!r} {_INDISTINCT}" if first != second else f"{first!r} is listed twice"
        yield Problem(f"{_TARGET}.columns[{index}].name", message)


def _columns(wanted: tuple[TargetColumn, ...], target: Target) -> Iterator[Problem]:
    existing = {column.name: column for column in target.columns}
    for index, column in enumerate(wanted):
        path = f"{_TARGET}.columns[{index}].name"
        found = existing.get(column.name)
        if found is None:
            yield Problem(path, f"{target.name} has no column {column.name!r}{did_you_mean(column.name, existing)}")
        elif found.generated:
            yield Problem(path, f"PostgreSQL computes {column.name!r} of {target.name} itself; leave it out")
        elif not _supported(found):
            yield Problem(path, _not_filled(found))
        else:
            yield from _declared_type(index, column)
    listed = {column.name for column in wanted}
    for column_of_target in target.columns:
        if column_of_target.name not in listed and not _may_be_left_out(column_of_target):
            message = f"{column_of_target.name!r} of {target.name} is NOT NULL without a default: it must be listed"
            yield Problem(f"{_TARGET}.columns", message)


def _unlisted(target: Target) -> Iterator[Problem]:
    """What forbids filling an existing target as it stands, without a list of its columns."""
    path = f"{_TARGET}.name"
    needed = [column for column in target.columns if not (_supported(column) or _may_be_left_out(column))]
    for column in needed:
        kind = f"is of type {column.type}, which is not supported, and is NOT NULL without a default"
        yield Problem(path, f"column {column.name!r} {kind}; change it to a supported type")
    filled = [column.name for column in target.columns if _supported(column) and not column.generated]
    if not (filled or needed):
        yield Problem(path, f"{target.name} has no column that could be filled")
    for _, first, second in _alike(filled):
        yield Problem(path, f"columns {first!r} and {second!r} of {target.name} {_INDISTINCT}; rename one")


def _may_be_left_out(column: Column) -> bool:
    return column.nullable or column.has_default or column.generated or column.identity != ""


def _supported(column: Column) -> bool:
    try:
        return bool(spark_type(column.type))
    except UnsupportedTypeError:
        return False


def _not_filled(column: Column) -> str:
    """What can be done about a column of the target whose type is not supported."""
    domain = column.type.startswith("domain ")
    ways = ["change the column to the type that the domain stands for" if domain else "change it to a supported type"]
    ways += ["leave it out of `columns`"] if _may_be_left_out(column) else []
    return f"{UnsupportedTypeError(column.type, column.name).told}; {', or '.join(ways)}"


def _declared_types(wanted: tuple[TargetColumn, ...]) -> list[Problem]:
    """What forbids creating a target with these types."""
    problems = [problem for index, column in enumerate(wanted) for problem in _declared_type(index, column)]
    for index, column in enumerate(wanted):
        if column.type and (precise := _PRECISION.match(column.type)):
            message = (
                f"{column.type!r} would round times to {precise[2]} digits: write {precise[1]!r}, or create the table"
            )
            problems.append(Problem(f"{_TARGET}.columns[{index}].type", message))
    return problems


def _declared_type(index: int, column: TargetColumn) -> list[Problem]:
    if column.type is None:
        return []
    try:
        spark_type(column.type, column.name)
    except UnsupportedTypeError as error:
        message = f"{error.told}{near_type(column.type) or f'; supported are {SUPPORTED}'}"
        return [Problem(f"{_TARGET}.columns[{index}].type", message)]
    return []
