"""Joins, each once: which of them an entry states, mentions or contradicts."""

from __future__ import annotations

from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.compiler.spec.join_entries import JoinParts, join_of, with_tables
from agent.compiler.spec.repetitions import MIRRORED, join_terms, same_term, same_type, tables_of
from agent.compiler.spec.source_names import SourceNames
from agent.elements import Claim, Entries, JoinCondition, Located

_NO_COLUMNS = "says no columns and no condition: every row would meet every row; give `on_columns`"


def stated_join(path: str, parts: JoinParts, entries: Entries, sources: SourceNames, listed: bool) -> list[Claim]:
    """The joins that an entry states: those that hold all its terms already, else a new one."""
    joined = [
        key for _, join in entries.joins for key in (sources.key(join.left_table), sources.key(join.right_table)) if key
    ]
    with_tables(parts, joined, sources)
    if not parts.left or not parts.right:
        missing = "left_table" if not parts.left else "right_table"
        refuse(f"`{missing}` is needed; name both tables", f".{missing}")
    join = join_of(parts, sources)
    if not listed:
        known = _holding(join, entries, sources)
        if known:
            _refuse_other_type(join, parts, known, sources)
            return [Claim("joins", one.path) for one in known]
        _refuse_other_terms(join, entries, sources)
    entries.joins.append(Located(path, join))
    return [Claim("joins", path)]


def _holding(join: JoinCondition, entries: Entries, sources: SourceNames) -> list[Located[JoinCondition]]:
    """The joins that together hold all terms of this one; empty when a term is missing."""
    terms, found = join_terms(join, sources), dict[str, Located[JoinCondition]]()
    for term in terms:
        holders = [one for one in entries.joins if any(same_term(term, own) for own in join_terms(one.value, sources))]
        if not holders:
            return []
        same = [one for one in holders if tables_of(one.value, sources) == tables_of(join, sources)] or holders
        found[same[0].path] = same[0]
    return list(found.values())


def _refuse_other_type(
    join: JoinCondition, parts: JoinParts, known: list[Located[JoinCondition]], sources: SourceNames
) -> None:
    for path, other in known:
        if (
            parts.join_type
            and tables_of(join, sources) == tables_of(other, sources)
            and not same_type(join, other, sources)
        ):
            refuse(f"is a join of type {join.join_type!r}, and contradicts {path}, which is {other.join_type!r}")


def _refuse_other_terms(join: JoinCondition, entries: Entries, sources: SourceNames) -> None:
    for path, other in entries.joins:
        if tables_of(join, sources) == tables_of(other, sources):
            refuse(f"joins on {_shown(join)}, and contradicts {path}, which joins the same tables on {_shown(other)}")


def _shown(join: JoinCondition) -> str:
    parts = [*join.on_columns]
    parts += [f"{join.left_column} = {join.right_column}"] if join.left_column else []
    parts += [join.condition] if join.condition else []
    return f"`{' and '.join(parts)}`"


def mentioned_joins(parts: JoinParts, entries: Entries, sources: SourceNames, claimed: set[str]) -> list[Claim]:
    """The joins that an entry names by tables, by type, or by both."""
    named = {sources.same(table) for table in (parts.left, parts.right, *parts.tables) if table}
    found = entries.joins
    if parts.left and parts.right and not parts.tables or len(named) == 2:
        found = [one for one in found if tables_of(one.value, sources) == named]
    elif len(named) > 2:
        found = [one for one in found if tables_of(one.value, sources) <= named]
    elif named:
        found = [one for one in found if named <= tables_of(one.value, sources)]
    if parts.join_type and found:
        same = [one for one in found if parts.join_type in (one.value.join_type, MIRRORED[one.value.join_type])]
        if not same:
            listed = ", ".join(f"{path} is {join.join_type!r}" for path, join in found[:3])
            refuse(f"is a join of type {parts.join_type!r}, and {listed}", ".join_type")
        found = same
    if not found:
        cannot(f"{_NO_COLUMNS}, or {USE_A_MODEL}")
    if not named:
        found = [one for one in found if one.path not in claimed][:1] or found[:1]
    return [Claim("joins", one.path) for one in found]
