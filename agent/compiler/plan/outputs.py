"""The result: which columns it has, under which names, in which order, and how rows are sorted and cut."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from agent.compiler.plan.column_kinds import unequal, unordered
from agent.compiler.plan.entry_details import SortItem
from agent.compiler.plan.problems import collecting, refuse
from agent.compiler.plan.resolution import Scope, described, unquoted
from agent.compiler.plan.steps import Grouping, NamedColumn, Ordering, OutputColumn, Reference, SortKey
from agent.compiler.plan.tie_breakers import check_limit, tie_rank
from agent.compiler.plan.transformations import Entries
from agent.errors import Problem
from agent.nearest import did_you_mean
from agent.request import Specification
from agent.snapshot import Target

_TARGET = "specs.target_table.columns"


@dataclass
class Renames:
    """What is called otherwise in the result."""

    by_new: dict[str, Reference] = field(default_factory=dict)
    """Casefolded new name to what it holds."""
    new_of: dict[Reference, str] = field(default_factory=dict)


def read_renames(entries: Entries, scope: Scope, problems: list[Problem]) -> Renames:
    """The renames of all entries; what is wrong goes to `problems`."""
    renames = Renames()
    pairs = [(path, old, new) for path, mapping in entries.rename for old, new in mapping.items()]
    old_names = {unquoted(old).casefold() for _, old, _ in pairs}
    for path, old, new in pairs:
        with collecting(problems):
            reference = scope.resolve(unquoted(old), path)
            if new.casefold() in old_names and new.casefold() != unquoted(old).casefold():
                refuse(path, f"{new!r} is renamed itself, so the order of the renames would decide; rename in one step")
            if renames.by_new.setdefault(new.casefold(), reference) != reference:
                refuse(path, f"two columns are renamed to {new!r}")
            if renames.new_of.setdefault(reference, new) != new:
                refuse(path, f"{old!r} is renamed twice")
    return renames


def read_outputs(
    specs: Specification,
    entries: Entries,
    scope: Scope,
    renames: Renames,
    defaults: list[Reference],
    target: Target | None,
    problems: list[Problem],
) -> tuple[OutputColumn, ...]:
    """The result's columns; `target` is the existing target when its columns decide, None when `defaults` do."""
    selected = [_selected(text, scope, renames, path, problems) for path, names in entries.select[:1] for text in names]
    picked = [column for column in selected if column is not None]
    if specs.target_table.columns:
        names = [(f"{_TARGET}[{i}]", column.name) for i, column in enumerate(specs.target_table.columns)]
        outputs = _of_target(names, scope, renames, problems)
        _check_selection(entries, picked, outputs, problems)
    elif entries.select:
        outputs = picked
    elif target is not None and target.exists:
        outputs = _of_existing(target, scope, renames, problems)
    else:
        outputs = [OutputColumn(one, renames.new_of.get(one, one.name)) for one in dict.fromkeys(defaults)]
    _check_names(outputs, entries, renames, problems)
    return tuple(outputs)


def _selected(text: str, scope: Scope, renames: Renames, path: str, problems: list[Problem]) -> OutputColumn | None:
    with collecting(problems):
        renamed = _renamed(text, scope, renames, path)
        if renamed is not None:
            return OutputColumn(renamed, renames.new_of[renamed])
        reference = scope.resolve(unquoted(text), path)
        return OutputColumn(reference, renames.new_of.get(reference, reference.name))
    return None


def _renamed(name: str, scope: Scope, renames: Renames, path: str) -> Reference | None:
    """What is renamed to `name`, or None. Refuses a name that another column has and keeps."""
    renamed = renames.by_new.get(name.casefold())
    if renamed is not None:
        for other in scope.find(name):
            if other != renamed and other not in renames.new_of:
                refuse(path, f"{name!r} is {described(other)} and a rename's new name; rename to a name that is free")
    return renamed


def _of_target(
    names: list[tuple[str, str]], scope: Scope, renames: Renames, problems: list[Problem]
) -> list[OutputColumn]:
    outputs = []
    for path, name in names:
        with collecting(problems):
            outputs.append(_target_column(name, scope, renames, path))
    return outputs


def _target_column(name: str, scope: Scope, renames: Renames, path: str) -> OutputColumn:
    renamed = _renamed(name, scope, renames, path)
    if renamed is not None:
        return OutputColumn(renamed, name)
    found = scope.find(name)
    if len(found) > 1:
        candidates = " or ".join(described(reference) for reference in found)
        refuse(path, f"{name!r} may be {candidates}; derive a column or rename the one that is meant")
    if not found:
        scope.resolve(name, path)
    reference = scope.resolve(name, path)
    if reference in renames.new_of:
        refuse(path, f"{name!r} is renamed to {renames.new_of[reference]!r}; list that name")
    if reference.name.casefold() != name.casefold():
        refuse(path, f"{name!r} is a source's column, not a name of the target; rename it to the target's name")
    return OutputColumn(reference, name)


def _of_existing(target: Target, scope: Scope, renames: Renames, problems: list[Problem]) -> list[OutputColumn]:
    """The existing target's columns; those with a default or an identity may be left to the database."""
    names = []
    for column in target.columns:
        known = column.name.casefold() in renames.by_new or scope.find(column.name)
        if column.generated or (not known and (column.has_default or column.identity)):
            continue
        if known:
            names.append((_TARGET, column.name))
        else:
            near = did_you_mean(column.name, scope.shown(), listed=True)
            message = f"the existing target's column {column.name!r} is not supplied{near}; or list the columns to fill"
            problems.append(Problem(_TARGET, message))
    return _of_target(names, scope, renames, problems)


def _check_selection(
    entries: Entries, picked: list[OutputColumn], outputs: list[OutputColumn], problems: list[Problem]
) -> None:
    wanted, listed = ({(o.name.casefold(), o.column) for o in columns} for columns in (picked, outputs))
    for path, names in entries.select[:1]:
        if len(picked) == len(names) and wanted != listed:
            problems.append(Problem(path, f"selects other columns than {_TARGET} lists"))


def _check_names(outputs: list[OutputColumn], entries: Entries, renames: Renames, problems: list[Problem]) -> None:
    counts = Counter(output.name.casefold() for output in outputs)
    for name, count in counts.items():
        if count > 1:
            message = f"{count} columns of the result would be called {name!r}; list the columns to fill, or rename"
            problems.append(Problem(_TARGET, message))
    for path, mapping in entries.rename:
        for new in mapping.values():
            if new.casefold() in renames.by_new and new.casefold() not in counts:
                problems.append(Problem(path, f"{new!r} is not in the result; list it or leave the rename out"))


def read_ordering(
    entries: Entries,
    scope: Scope,
    outputs: tuple[OutputColumn, ...],
    grouping: Grouping | None,
    problems: list[Problem],
) -> Ordering:
    """Sort and limit. A sort by columns of the result stands after the select, any other before it."""
    for output in outputs if entries.distinct else ():
        if reason := unequal(output.column.kind):
            problems.append(Problem("specs.transformations", f"distinct rows with {output.name!r}: {reason}"))
    limit, ties = entries.limit[0][1] if entries.limit else (None, False)
    keys: list[tuple[Reference, SortItem]] = []
    for path, items in entries.sort[:1]:
        for item in items:
            with collecting(problems):
                key = _sorted_by(item.column, scope, outputs, path)
                if reason := unordered(key.kind):
                    refuse(path, f"{described(key)} cannot be sorted by: {reason}")
                keys.append((key, item))
    name_of = {output.column: output.name for output in outputs}
    early = any(column not in name_of for column, _ in keys)
    if early and entries.distinct:
        problems.append(Problem(entries.sort[0][0], "after distinct only columns of the result can be sorted by"))
    if ties and not entries.sort:
        problems.append(Problem(entries.limit[0][0], "ties are between rows that are sorted; add a sort"))
    elif limit is not None and not ties:
        check_limit(entries, [column for column, _ in keys], outputs, grouping, problems)
    steps = [
        SortKey(column if early else NamedColumn(name_of[column]), item.descending, item.nulls_first)
        for column, item in keys
    ]
    rank = tie_rank([*scope.shown(), *(output.name for output in outputs)]) if ties else ""
    return Ordering(tuple(steps), limit, before_select=early, tie_rank=rank)


def _sorted_by(text: str, scope: Scope, outputs: tuple[OutputColumn, ...], path: str) -> Reference:
    """What a sort column stands for before the select; a name of the result that means something else is refused."""
    own = [output.column for output in outputs if output.name.casefold() == text.casefold()]
    found = scope.find(unquoted(text))
    if own and found and own[0] not in found:
        refuse(path, f"{text!r} is one column before the select and another after it; rename one of them")
    return own[0] if own else scope.resolve(unquoted(text), path)
