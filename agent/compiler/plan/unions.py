"""Unions: listed sources are stacked to one source before the joins."""

from __future__ import annotations

from dataclasses import replace

from agent.compiler.expressions.column_kinds import MAX_DIGITS, Kind, fits_one_decimal, unequal
from agent.compiler.expressions.references import SourceColumn
from agent.compiler.plan.resolution import Sources, described
from agent.compiler.plan.steps import UnionStep
from agent.compiler.problems import Problems, cannot, refuse
from agent.elements import Located, UnionEntry
from agent.nearest import did_you_mean


def apply_unions(
    entries: list[Located[UnionEntry]], sources: Sources, problems: Problems
) -> tuple[Sources, tuple[UnionStep, ...]]:
    """The sources with each union in the place of its members, and the unions."""
    steps = []
    first = {entry: path for path, entry in reversed(entries)}
    for path, entry in [(path, entry) for path, entry in entries if first[entry] == path]:
        with problems.at(path):
            members = _members(entry, sources)
            named = _columns(entry, members, sources)
            columns = tuple(_stacked(entry.alias, [of[fold] for of in named]) for fold in named[0])
            sources = sources.united(members, entry.alias, columns, path)
            for column in columns if not entry.keeps_all else ():
                if reason := unequal(column.kind):
                    cannot(f"equal rows with {described(column)}: {reason}; say true", ".all")
            names = tuple(column.name for column in columns)
            steps.append(UnionStep(entry.alias, tuple(members), names, entry.keeps_all))
    return sources, tuple(steps)


def _members(entry: UnionEntry, sources: Sources) -> list[str]:
    """The keys of the sources that are stacked."""
    members = [sources.key_of(name, f".tables[{position}]") for position, name in enumerate(entry.tables)]
    repeated = next((key for key in members if members.count(key) > 1), None)
    if repeated is not None:
        refuse(f"lists {repeated!r} twice; list the table twice as a source, each with an alias", ".tables")
    others = [name for name, key in sources.qualifiers.items() if key not in members]
    if entry.alias.casefold() in others:
        refuse(f"two sources are called {entry.alias!r}; give the union another alias", ".alias")
    return members


def _columns(entry: UnionEntry, members: list[str], sources: Sources) -> list[dict[str, SourceColumn]]:
    """For each member its columns by casefolded name, those of the first member's in their order."""
    whole = [{column.name.casefold(): column for column in sources.columns[key]} for key in members]
    if entry.columns:
        found = [
            [sources.column(key, name, f".columns[{place}]") for place, name in enumerate(entry.columns)]
            for key in members
        ]
        return [{column.name.casefold(): column for column in own} for own in found]
    for reason in (reason for key in members for reason in sources.unreadable.get(key, {}).values()):
        refuse(f"{reason}; or name the columns to stack in `columns`")
    for key, own in zip(members, whole, strict=True):
        lacking = [whole[0][fold].name for fold in whole[0] if fold not in own]
        extra = [own[fold].name for fold in own if fold not in whole[0]]
        if lacking or extra:
            differ = f"{key!r} and {members[0]!r} have different columns: {', '.join(lacking + extra)}"
            near = did_you_mean(lacking[0], extra) if lacking else ""
            refuse(f"{differ}{near}; name those to stack in `columns`, or give the tables the same names by a view")
    return whole


def _stacked(alias: str, parts: list[SourceColumn]) -> SourceColumn:
    """The column of the union. Refuses members whose types have no common one."""
    first = parts[0]
    kind = first.kind
    for part in parts[1:]:
        reason = _mismatch(kind, part.kind)
        if reason:
            cannot(f"{described(first)} and {described(part)} cannot be stacked with certainty: {reason}")
        kind = _wider(kind, part.kind)
    return SourceColumn(alias, first.name, kind)


def _mismatch(left: Kind, right: Kind) -> str:
    if left.padded != right.padded:
        return "one is character(n) and the other has another length"
    if left.zoned != right.zoned:
        return "one side has a time zone and the other has none"
    if left.named != right.named:
        return f"{left.named or left.family} and {right.named or right.family} are different types"
    exact = {"integer", "decimal"}
    if left.family != right.family and not {left.family, right.family} <= exact:
        return f"{left.family} and {right.family} would be converted in silence"
    if "decimal" in (left.family, right.family) and not fits_one_decimal(left, right):
        return f"no numeric of {MAX_DIGITS} digits holds both in full"
    return ""


def _wider(left: Kind, right: Kind) -> Kind:
    family = left.family if left.family == right.family else "decimal"
    return replace(
        left, family=family, whole=max(left.whole, right.whole), scale=max(left.scale, right.scale), held=None
    )
