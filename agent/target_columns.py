"""The columns of a target, as the specification lists them and as an existing table has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agent.errors import Problem, UnsupportedTypeError
from agent.nearest import did_you_mean
from agent.request import TargetColumn, TargetTable
from agent.snapshot import Column, Target
from agent.types import SUPPORTED, near_type, same_type, spark_type

_TARGET = "specs.target_table"
_PRECISION = re.compile(r"\s*(time|timestamp|timestamptz)\s*\(\s*(\d+)\s*\)", re.IGNORECASE)
INDISTINCT = "differ only in case, and Spark cannot tell them apart"


def column_problems(wanted: TargetTable, target: Target) -> Iterator[Problem]:
    """List what forbids filling the listed columns, or the existing target as it stands where none are listed."""
    if not wanted.columns:
        yield from _unlisted(target) if target.exists else ()
        return
    yield from _repeated(wanted.columns)
    yield from _columns(wanted.columns, target) if target.exists else _declared_types(wanted.columns)


def declared_otherwise(wanted: TargetTable, target: Target) -> Iterator[str]:
    """Warn of each declared type that an existing target does not have."""
    existing = {column.name: column.type for column in target.columns}
    for index, column in enumerate(wanted.columns):
        found = existing.get(column.name)
        if column.type is not None and found is not None and not same_type(column.type, found):
            told = f"{_TARGET}.columns[{index}].type: {column.type!r} is declared"
            yield f"{told}, and {column.name!r} of {target.name} is {found}; the table's own type counts"


def alike(names: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Yield the position of each name that stands earlier in whatever case, with that earlier one and itself."""
    known: dict[str, str] = {}
    for position, name in enumerate(names):
        if name.lower() in known:
            yield position, known[name.lower()], name
        known.setdefault(name.lower(), name)


def _repeated(wanted: tuple[TargetColumn, ...]) -> Iterator[Problem]:
    for index, first, second in alike(column.name for column in wanted):
        message = f"{first!r} and {second!r} {INDISTINCT}" if first != second else f"{first!r} is listed twice"
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
    """List what forbids filling all columns of an existing target."""
    path = f"{_TARGET}.name"
    needed = [column for column in target.columns if not (_supported(column) or _may_be_left_out(column))]
    for column in needed:
        kind = f"is of type {column.type}, which is not supported, and is NOT NULL without a default"
        yield Problem(path, f"column {column.name!r} {kind}; change it to a supported type")
    filled = [column.name for column in target.columns if _supported(column) and not column.generated]
    if not (filled or needed):
        yield Problem(path, f"{target.name} has no column that could be filled")
    for _, first, second in alike(filled):
        yield Problem(path, f"columns {first!r} and {second!r} of {target.name} {INDISTINCT}; rename one")


def _may_be_left_out(column: Column) -> bool:
    return column.nullable or column.has_default or column.generated or column.identity != ""


def _supported(column: Column) -> bool:
    try:
        return bool(spark_type(column.type))
    except UnsupportedTypeError:
        return False


def _not_filled(column: Column) -> str:
    """Say why a column cannot be filled, and what to do about it."""
    domain = column.type.startswith("domain ")
    ways = ["change the column to the type that the domain stands for" if domain else "change it to a supported type"]
    ways += ["leave it out of `columns`"] if _may_be_left_out(column) else []
    return f"{UnsupportedTypeError(column.type, column.name).told}; {', or '.join(ways)}"


def _declared_types(wanted: tuple[TargetColumn, ...]) -> list[Problem]:
    """List what forbids creating a target with these types."""
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
