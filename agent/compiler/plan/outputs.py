"""The result: which columns it has, under which names, in which order, and how rows are sorted and cut."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from agent.compiler.plan.column_kinds import unequal, unordered
from agent.compiler.plan.entry_details import SortItem
from agent.compiler.plan.problems import Problems, refuse
from agent.compiler.plan.resolution import Scope, described, unquoted
from agent.compiler.plan.steps import Grouping, NamedColumn, Ordering, OutputColumn, Reference, SortKey
from agent.compiler.plan.tie_breakers import check_limit, tie_rank
from agent.compiler.plan.transformations import Entries
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


def read_renames(entries: Entries, scope: Scope, problems: Problems) -> Renames:
    """The renames of all entries; what is wrong goes to `problems`."""
    renames = Renames()
    pairs = [(path, old, new) for path, mapping in entries.rename for old, new in mapping.items()]
    old_names = {unquoted(old).casefold() for _, old, _ in pairs}
    for path, old, new in pairs:
        with problems.at(path):
            reference = scope.resolve(unquoted(old))
            if new.casefold() in old_names and new.casefold() != unquoted(old).casefold():
                refuse(f"{new!r} is renamed itself, so the order of the renames would decide; rename in one step")
            if renames.by_new.setdefault(new.casefold(), reference) != reference:
                refuse(f"two columns are renamed to {new!r}")
            if renames.new_of.setdefault(reference, new) != new:
                refuse(f"{old!r} is renamed twice")
    return renames


def read_outputs(
    specs: Specification,
    entries: Entries,
    scope: Scope,
    renames: Renames,
    defaults: list[Reference],
    target: Target | None,
    problems: Problems,
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


def _selected(text: str, scope: Scope, renames: Renames, path: str, problems: Problems) -> OutputColumn | None:
    with problems.at(path):
        renamed = _renamed(text, scope, renames)
        if renamed is not None:
            return OutputColumn(renamed, renames.new_of[renamed])
        reference = scope.resolve(unquoted(text))
        return OutputColumn(reference, renames.new_of.get(reference, reference.name))
    return None


def _renamed(name: str, scope: Scope, renames: Renames) -> Reference | None:
    """What is renamed to `name`, or None. Refuses a name that another column has and keeps."""
    renamed = renames.by_new.get(name.casefold())
    if renamed is not None:
        for other in scope.find(name):
            if other != renamed and other not in renames.new_of:
                refuse(f"{name!r} is {described(other)} and a rename's new name; rename to a name that is free")
    return renamed


def _of_target(names: list[tuple[str, str]], scope: Scope, renames: Renames, problems: Problems) -> list[OutputColumn]:
    outputs = []
    for path, name in names:
        with problems.at(path):
            outputs.append(_target_column(name, scope, renames))
    return outputs


def _target_column(name: str, scope: Scope, renames: Renames) -> OutputColumn:
    renamed = _renamed(name, scope, renames)
    if renamed is not None:
        return OutputColumn(renamed, name)
    found = scope.find(name)
    if len(found) > 1:
        candidates = " or ".join(described(reference) for reference in found)
        refuse(f"{name!r} may be {candidates}; derive a column or rename the one that is meant")
    if not found:
        scope.resolve(name)
    reference = scope.resolve(name)
    if reference in renames.new_of:
        refuse(f"{name!r} is renamed to {renames.new_of[reference]!r}; list that name")
    if reference.name.casefold() != name.casefold():
        refuse(f"{name!r} is a source's column, not a name of the target; rename it to the target's name")
    return OutputColumn(reference, name)


def _of_existing(target: Target, scope: Scope, renames: Renames, problems: Problems) -> list[OutputColumn]:
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
            problems.add(_TARGET, message)
    return _of_target(names, scope, renames, problems)


def _check_selection(
    entries: Entries, picked: list[OutputColumn], outputs: list[OutputColumn], problems: Problems
) -> None:
    wanted, listed = ({(o.name.casefold(), o.column) for o in columns} for columns in (picked, outputs))
    for path, names in entries.select[:1]:
        if len(picked) == len(names) and wanted != listed:
            problems.add(path, f"selects other columns than {_TARGET} lists")


def _check_names(outputs: list[OutputColumn], entries: Entries, renames: Renames, problems: Problems) -> None:
    counts = Counter(output.name.casefold() for output in outputs)
    for name, count in counts.items():
        if count > 1:
            message = f"{count} columns of the result would be called {name!r}; list the columns to fill, or rename"
            problems.add(_TARGET, message)
    for path, mapping in entries.rename:
        for new in mapping.values():
            if new.casefold() in renames.by_new and new.casefold() not in counts:
                problems.add(path, f"{new!r} is not in the result; list it or leave the rename out")


def read_ordering(
    entries: Entries,
    scope: Scope,
    outputs: tuple[OutputColumn, ...],
    grouping: Grouping | None,
    problems: Problems,
) -> Ordering:
    """Sort and limit. A sort by columns of the result stands after the select, any other before it."""
    for output in outputs if entries.distinct else ():
        if reason := unequal(output.column.kind):
            problems.add("specs.transformations", f"distinct rows with {output.name!r}: {reason}")
    limit, ties = entries.limit[0].value if entries.limit else (None, False)
    keys: list[tuple[Reference, SortItem]] = []
    for path, items in entries.sort[:1]:
        for item in items:
            with problems.at(path):
                key = _sorted_by(item.column, scope, outputs)
                if reason := unordered(key.kind):
                    refuse(f"{described(key)} cannot be sorted by: {reason}")
                keys.append((key, item))
    name_of = {output.column: output.name for output in outputs}
    early = any(column not in name_of for column, _ in keys)
    if early and entries.distinct:
        problems.add(entries.sort[0].path, "after distinct only columns of the result can be sorted by")
    if ties and not entries.sort:
        problems.add(entries.limit[0].path, "ties are between rows that are sorted; add a sort")
    elif limit is not None and not ties and not problems:
        with problems.at(entries.limit[0].path):
            check_limit([column for column, _ in keys], outputs, grouping)
    steps = [
        SortKey(column if early else NamedColumn(name_of[column]), item.descending, item.nulls_first)
        for column, item in keys
    ]
    rank = tie_rank([*scope.shown(), *(output.name for output in outputs)]) if ties else ""
    return Ordering(tuple(steps), limit, before_select=early, tie_rank=rank)


def _sorted_by(text: str, scope: Scope, outputs: tuple[OutputColumn, ...]) -> Reference:
    """What a sort column stands for before the select; a name of the result that means something else is refused."""
    own = [output.column for output in outputs if output.name.casefold() == text.casefold()]
    found = scope.find(unquoted(text))
    if own and found and own[0] not in found:
        refuse(f"{text!r} is one column before the select and another after it; rename one of them")
    return own[0] if own else scope.resolve(unquoted(text))
