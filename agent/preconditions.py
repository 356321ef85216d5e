"""What publish could not do, found in `prepare` from the snapshot alone, before anything is generated or paid for."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import Problem, UnsupportedTypeError
from agent.identifiers import did_you_mean
from agent.request import Request, TargetColumn
from agent.snapshot import ForeignKey, Snapshot, Target
from agent.types import spark_type

_TARGET = "specs.target_table"


def refusals(request: Request, snapshot: Snapshot) -> list[Problem]:
    """List what forbids publishing this request into that target; empty when nothing does."""
    target = snapshot.target
    wanted = request.specs.target_table
    if wanted.write_mode in ("append", "merge"):
        message = f"{wanted.write_mode!r} is not supported yet; 'overwrite' replaces all rows"
        return [Problem(f"{_TARGET}.write_mode", message)]
    problems = list(_foreign_keys(target))
    if wanted.write_mode is None and target.has_rows and not target.published_before:
        problems.append(Problem(f"{_TARGET}.write_mode", _ask_for_mode(target)))
    if wanted.columns:
        problems += _columns(wanted.columns, target) if target.exists else _declared_types(wanted.columns)
    return problems


def warnings_for(snapshot: Snapshot) -> list[str]:
    """Say what publish does beside moving rows, or may be stopped by."""
    target = snapshot.target
    warnings = [
        f"trigger {name!r} on {target.name} fires for the rows that publish deletes and inserts"
        for name in target.triggers
    ]
    if target.row_security:
        warnings.append(
            f"{target.name} has row security: publish stops, and changes nothing, if a policy hides rows from its role"
        )
    return warnings


def harmless(key: ForeignKey) -> bool:
    """Tell whether all rows of the target may be replaced under this key: it is checked at commit and moves nothing."""
    return key.deferrable and key.on_delete == "no action"


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


def _ask_for_mode(target: Target) -> str:
    return (
        f"{target.name} has rows that this tool did not write; say what becomes of them: "
        "'overwrite' replaces all rows ('append' and 'merge' are not supported yet)"
    )


def _columns(wanted: tuple[TargetColumn, ...], target: Target) -> Iterator[Problem]:
    existing = {column.name: column for column in target.columns}
    for index, column in enumerate(wanted):
        path = f"{_TARGET}.columns[{index}].name"
        found = existing.get(column.name)
        if found is None:
            yield Problem(path, f"{target.name} has no column {column.name!r}{did_you_mean(column.name, existing)}")
        elif found.generated:
            yield Problem(path, f"PostgreSQL computes {column.name!r} of {target.name} itself; leave it out")
        else:
            yield from _unsupported(path, found.type, column.name)
    listed = {column.name for column in wanted}
    for column_of_target in target.columns:
        filled = column_of_target.has_default or column_of_target.generated or column_of_target.identity
        if column_of_target.name not in listed and not column_of_target.nullable and not filled:
            message = f"{column_of_target.name!r} of {target.name} is NOT NULL without a default: it must be listed"
            yield Problem(f"{_TARGET}.columns", message)


def _declared_types(wanted: tuple[TargetColumn, ...]) -> Iterator[Problem]:
    for index, column in enumerate(wanted):
        if column.type is not None:
            yield from _unsupported(f"{_TARGET}.columns[{index}].type", column.type, column.name)


def _unsupported(path: str, type_name: str, column: str) -> Iterator[Problem]:
    try:
        spark_type(type_name, column)
    except UnsupportedTypeError as error:
        yield Problem(path, str(error))
