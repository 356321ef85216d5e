"""Joins: a chain that brings in one source at a time, and the keys that it merges under one name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.compiler.expressions.binding import bind_expression
from agent.compiler.expressions.column_kinds import mismatch
from agent.compiler.expressions.references import MergedColumn, Reference, SourceColumn
from agent.compiler.expressions.syntax import parse_expression
from agent.compiler.expressions.syntax_tree import Mention
from agent.compiler.expressions.typed_values import BoundExpression, equal_columns
from agent.compiler.notes import Notes
from agent.compiler.plan.derivations import tell_remarks
from agent.compiler.plan.reading_findings import Findings
from agent.compiler.plan.resolution import Names, Sources, all_names, described
from agent.compiler.plan.steps import FilterStep, JoinStep, RowCondition
from agent.compiler.problems import Problems, cannot, fitting, refuse, within
from agent.compiler.spec.repetitions import STEPS
from agent.elements import JoinCondition, JoinType, Located

_MIRRORED: dict[JoinType, JoinType] = {"inner": "inner", "left": "right", "right": "left", "outer": "outer"}


@dataclass
class _SharedKey:
    """Same-named columns that joins hold equal; the first of `value` that is not NULL is the key.

    In every row all members that are not NULL are equal: a join either matches them or leaves one side NULL.
    """

    members: set[SourceColumn]
    value: tuple[SourceColumn, ...]


@dataclass
class JoinChain:
    """The joins in order, beginning with the source `start`."""

    start: str
    found: Findings
    steps: list[JoinStep] = field(default_factory=list)
    shared: dict[SourceColumn, _SharedKey] = field(default_factory=dict)

    def optional(self) -> frozenset[str]:
        """The sources of which a row may be missing: the far side of outer joins."""
        present, found = {self.start}, set[str]()
        for step in self.steps:
            if step.join_type in ("right", "outer"):
                found |= present
            if step.join_type in ("left", "outer"):
                found.add(step.source)
            present.add(step.source)
        return frozenset(found)

    def merged(self, sources: Sources) -> dict[str, Reference]:
        """The column behind each bare name that joins connect in all sources that have it, by casefolded name."""
        found: dict[str, Reference] = {}
        for column, key in self.shared.items():
            if set(sources.of_name(column.name)) == key.members:
                own = {one: one for one in sources.of_name(column.name)}
                value = tuple(own[one] for one in key.value)
                found[column.name.casefold()] = value[0] if len(value) == 1 else MergedColumn(value[0].name, value)
        return found


def join_chain(
    entries: list[Located[JoinCondition]], sources: Sources, problems: Problems, found: Findings
) -> JoinChain:
    """The chain of the joined sources. An inner join that is listed too early waits for the tables that it needs."""
    chain = JoinChain(next(iter(sources.tables), ""), found)
    joined: dict[str, None] = {}
    pending = _once(entries, sources, problems)
    while pending:
        place = next((i for i, one in enumerate(pending) if not joined or _sides_of(one, sources) & {*joined}), 0)
        path, entry = pending.pop(place)
        with problems.at(path):
            left = sources.key_of(entry.left_table, ".left_table")
            right = sources.key_of(entry.right_table, ".right_table")
            if any(one.value.join_type != "inner" for one in pending[:place]) or (place and entry.join_type != "inner"):
                cannot("stands behind a join that needs its tables; order the joins so that each brings in one table")
            if not joined:
                chain.start = left
                joined[left] = None
            if left in joined and right in joined and left != right:
                _add_condition(chain, entry, sources, (left, right))
                continue
            new = _new_source(left, right, joined)
            joined.update({left: None, right: None})
            _add_step(chain, entry, sources, (left, right, new), list(joined))
    if not problems and not problems.incomplete:
        _refuse_unjoined(chain, sources, problems)
    return chain


def _sides_of(entry: Located[JoinCondition], sources: Sources) -> set[str]:
    return set(_tables(entry.value, sources))


def _once(entries: list[Located[JoinCondition]], sources: Sources, problems: Problems) -> list[Located[JoinCondition]]:
    """The joins, each once. Refuses an entry of `transformations` that differs from the join of the same tables."""
    kept: list[Located[JoinCondition]] = []
    for one in entries:
        same = [other for other in kept if _sides_of(other, sources) == _sides_of(one, sources)]
        if any(_meaning(other.value, sources) == _meaning(one.value, sources) for other in same):
            continue
        if same and one.path.startswith(STEPS):
            problems.add(one.path, f"contradicts {same[0].path}")
        else:
            kept.append(one)
    return kept


def _add_condition(chain: JoinChain, entry: JoinCondition, sources: Sources, sides: tuple[str, str]) -> None:
    """Add a second condition to the join that brought the later one of two joined tables in."""
    order = [chain.start, *(step.source for step in chain.steps)]
    new = max(sides, key=order.index)
    place = order.index(new) - 1
    step = chain.steps[place]
    swapped = new == sides[0]
    join_type = _MIRRORED[entry.join_type] if swapped else entry.join_type
    if join_type != step.join_type:
        both = " and ".join(sides)
        refuse(
            f"{both} are joined already, and {new} by a {step.join_type} join: this may be a further condition of that "
            f"join or a filter on its rows; write the condition into that join, or a filter"
        )
    columns = _column_pairs(entry, sources, *sides)
    equalities = tuple((b, a) if swapped else (a, b) for a, b in columns)
    conditions = step.conditions
    if entry.condition is not None:
        with within(".condition"):
            conditions += (_condition(entry.condition, sources, new, order[: place + 2], not equalities, chain.found),)
    elif not equalities:
        refuse("says no columns and no condition; give `on_columns`")
    for known, other in equalities:
        if reason := mismatch(known.kind, other.kind):
            cannot(f"{described(known)} and {described(other)} cannot be compared with certainty: {reason}")
        _share(chain.shared, known, other, join_type)
    chain.steps[place] = replace(step, equalities=(*step.equalities, *equalities), conditions=conditions)


def _tables(entry: JoinCondition, sources: Sources) -> tuple[str, ...]:
    names = (entry.left_table, entry.right_table)
    return tuple(sources.qualifiers.get(name.casefold(), name) for name in names)


def _meaning(entry: JoinCondition, sources: Sources) -> object:
    """The meaning of a join, written from the side of the table that comes first by name."""
    left, right = _tables(entry, sources)
    said = (left, right, entry.join_type, entry.left_column, entry.right_column)
    mirrored = (right, left, _MIRRORED[entry.join_type], entry.right_column, entry.left_column)
    return said if left <= right else mirrored, frozenset(entry.on_columns), entry.condition


def _new_source(left: str, right: str, joined: dict[str, None]) -> str:
    if left == right:
        refuse(f"joins {left!r} with itself; list the table twice, each with an alias of its own")
    if left not in joined and right not in joined:
        refuse(f"neither {left!r} nor {right!r} is joined yet; order the joins so that each brings in one table")
    return right if left in joined else left


def _add_step(
    chain: JoinChain, entry: JoinCondition, sources: Sources, sides: tuple[str, str, str], joined: list[str]
) -> None:
    left, right, new = sides
    swapped = new == left
    join_type = _MIRRORED[entry.join_type] if swapped else entry.join_type
    columns = _column_pairs(entry, sources, left, right)
    equalities = tuple((b, a) if swapped else (a, b) for a, b in columns)
    if entry.on_columns:
        _refuse_half_keys(chain, equalities[: len(entry.on_columns)])
    condition = None
    if entry.condition is not None:
        with within(".condition"):
            condition = _condition(entry.condition, sources, new, joined, not equalities, chain.found)
    elif not equalities:
        cannot("says no columns and no condition: every row would meet every row; give `on_columns`")
    chain.steps.append(JoinStep(new, join_type, equalities, () if condition is None else (condition,)))
    pairs = (*equalities, *(_equal_pairs(condition, new) if condition is not None else ()))
    for known, other in pairs:
        reason = mismatch(known.kind, other.kind)
        if reason:
            cannot(f"{described(known)} and {described(other)} cannot be compared with certainty: {reason}")
        _share(chain.shared, known, other, join_type)


def _refuse_half_keys(chain: JoinChain, pairs: tuple[tuple[SourceColumn, SourceColumn], ...]) -> None:
    """Refuse a bare key that is one side of an outer join: SQL's USING would take the first side that is not NULL."""
    for known, _ in pairs:
        key = chain.shared.get(known)
        if key is not None and len(key.value) > 1:
            meant = f"{described(known)} alone or the first of {' and '.join(map(described, key.value))}"
            cannot(f"{known.name!r} may mean {meant}; write a `condition` with qualified columns")


def _column_pairs(
    entry: JoinCondition, sources: Sources, left: str, right: str
) -> list[tuple[SourceColumn, SourceColumn]]:
    if pair := _one_name_each(entry, sources, left, right):
        return [pair]
    named = [(name, f"on_columns[{i}]", name, f"on_columns[{i}]") for i, name in enumerate(entry.on_columns)]
    if entry.left_column and entry.right_column:
        named.append((entry.left_column, "left_column", entry.right_column, "right_column"))
    elif entry.left_column or entry.right_column:
        refuse("`left_column` and `right_column` come together")
    return [
        (sources.column(left, one, f".{place}"), sources.column(right, two, f".{other}"))
        for one, place, two, other in named
    ]


def _one_name_each(
    entry: JoinCondition, sources: Sources, left: str, right: str
) -> tuple[SourceColumn, SourceColumn] | None:
    """The pair in `on_columns` of two names, each of which only one of the tables has."""
    if len(entry.on_columns) != 2 or entry.left_column or entry.right_column:
        return None
    one, other = entry.on_columns
    lefts, rights = (
        [fitting(lambda name=name, key=key: sources.column(key, name, "")) for name in (one, other)]  # type: ignore[misc]
        for key in (left, right)
    )
    if lefts[0] and rights[1] and not lefts[1] and not rights[0]:
        return lefts[0], rights[1]
    if lefts[1] and rights[0] and not lefts[0] and not rights[1]:
        return lefts[1], rights[0]
    return None


def _condition(
    text: str, sources: Sources, new: str, joined: list[str], alone: bool, found: Findings
) -> BoundExpression:
    """The condition. Alone, it must connect the new source with the others."""
    expression, names = parse_expression(text, sources.dialect), all_names(sources, {})
    references = [_joined_column(names, mention, joined) for mention in expression.mentions]
    touched = {column.source for column in references if column is not None}
    if alone and (new not in touched or len(touched) < 2):
        refuse(f"must name a column of {new!r} and one of what is joined before it")
    bound = bind_expression(expression, references)
    tell_remarks(found.notes, "specs.join_conditions", bound)
    return bound


def _joined_column(names: Names, mention: Mention, joined: list[str]) -> SourceColumn | None:
    """The column of a mention; None for a word in double quotes that is no column."""
    if mention.in_double_quotes and not names.find(mention.name):
        return None
    column = names.resolve(mention.name)
    if not isinstance(column, SourceColumn) or column.source not in joined:
        refuse(f"{mention.name!r} belongs to a source that is joined later")
    return column


def _equal_pairs(condition: BoundExpression, new: str) -> tuple[tuple[SourceColumn, SourceColumn], ...]:
    """The equalities that the whole condition demands between the new source and the others."""
    pairs = []
    for found in equal_columns(condition.value):
        known, other = sorted(found, key=lambda column: isinstance(column, SourceColumn) and column.source == new)
        if isinstance(known, SourceColumn) and isinstance(other, SourceColumn) and known.source != new == other.source:
            pairs.append((known, other))
    return tuple(pairs)


def _share(
    shared: dict[SourceColumn, _SharedKey], known: SourceColumn, other: SourceColumn, join_type: JoinType
) -> None:
    """Merge keys of one name: inner and left joins keep the left one, right joins the right one, outer the first."""
    if known.name.casefold() != other.name.casefold():
        return
    key = shared.setdefault(known, _SharedKey({known}, (known,)))
    key.members.add(other)
    if join_type == "right":
        key.value = (other,)
    elif join_type == "outer":
        key.value = (*key.value, other)
    shared[other] = key


def _refuse_unjoined(chain: JoinChain, sources: Sources, problems: Problems) -> None:
    joined = {chain.start, *(step.source for step in chain.steps)} if chain.steps else set()
    lost = [key for key in sources.tables if len(sources.tables) > 1 and key not in joined]
    message = "is never joined: every row would meet every row; add it to `join_conditions`"
    for key in lost:
        problems.add(sources.paths[key], f"{key!r} {message}", beyond=True)


def tell_lost_partners(notes: Notes, chain: JoinChain, path: str, step: RowCondition) -> None:
    """Tell where a filter drops the rows that an outer join kept without a partner."""
    if not isinstance(step, FilterStep) or step.operator == "IS NULL":
        return
    present = [chain.start]
    for join in chain.steps:
        optional = [join.source] if join.join_type in ("left", "outer") else []
        optional += present if join.join_type in ("right", "outer") else []
        present.append(join.source)
        for name in {one.source: None for one in step.references if isinstance(one, SourceColumn)}:
            if name in optional:
                notes.add(
                    path,
                    f"filters the joined rows, so rows without a partner in {name} are dropped",
                    f"a condition of the {join.join_type} join with {join.source}, which keeps them",
                )
