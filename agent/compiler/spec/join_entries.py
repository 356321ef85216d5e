"""Joins in any of the usual spellings: columns, pairs, SQL, and chains that name one table each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import get_args

from pydantic import JsonValue

from agent.compiler.problems import USE_A_MODEL, cannot, refuse, within
from agent.compiler.spec.fields import Details, Fields, names_in, one_or_many
from agent.compiler.spec.key_spellings import FURTHER_JOINS, JOIN_TYPES
from agent.compiler.spec.source_names import SourceNames
from agent.compiler.spec.sql_conditions import is_condition
from agent.compiler.spec.sql_texts import bare, column_parts, is_column, split_at, tokens
from agent.elements import JoinCondition, JoinType
from agent.nearest import did_you_mean

_TABLE_AND_ALIAS = re.compile(r"(\S+)\s+(?:AS\s+)?(\w+)", re.IGNORECASE)


@dataclass
class JoinParts:
    """The parts of a join as an entry says them; what it does not say is empty."""

    left: str = ""
    right: str = ""
    join_type: JoinType | None = None
    on_columns: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """Columns of the left and of the right table."""
    conditions: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    """Tables that are named without a side."""

    @property
    def says_how(self) -> bool:
        """True when columns or a condition are given."""
        return bool(self.on_columns or self.pairs or self.conditions)


def read_joins(given: Details, sources: SourceNames, implied: str = "") -> list[tuple[str, JoinParts]]:
    """The joins of one entry, each with its place in it. `implied` is the join type of the entry's own type."""
    fields = Fields(given, "join")
    if "joins" in fields and isinstance(fields.get("joins"), list):
        base = _table(
            fields.text("base", "a table's name") or fields.text("left_table", "a table's name") or "", sources
        )
        found = []
        for place, item in one_or_many(fields.get("joins")):
            at = fields.at("joins") + place
            with within(at):
                if not isinstance(item, dict):
                    refuse(f"an object that names a table and a condition is needed, not {item!r}")
                parts = _parts(Fields(item, "join"), sources, implied)
                parts.left = parts.left or (base if not parts.conditions else "")
                found.append((at, parts))
        return found
    return [("", _parts(fields, sources, implied))]


def _parts(fields: Fields, sources: SourceNames, implied: str) -> JoinParts:
    parts = JoinParts(join_type=join_type_of(implied) if implied else None)
    word = fields.text("join_type", "a join type")
    if word:
        with within(fields.at("join_type")):
            parts.join_type = join_type_of(word)
    parts.left = _side(fields, "left", sources)
    parts.right = _side(fields, "right", sources)
    single = _table(fields.text("table", "a table's name") or "", sources)
    alias = fields.text("alias", "an alias")
    single = alias if alias and sources.key(alias) else single
    base = _table(fields.text("base", "a table's name") or "", sources)
    parts.left = parts.left or base
    if single and not parts.right:
        parts.right = single
    elif single and not parts.left:
        parts.left = single
    parts.tables = [_table(name, sources) for name in fields.names("tables")]
    _read_columns(fields, parts)
    _read_pairs(fields, parts, sources)
    for name in ("condition", "on", "additional"):
        if name in fields:
            with within(fields.at(name)):
                _read_on(fields.get(name), parts, only_sql=name == "additional")
    return parts


def join_type_of(word: str) -> JoinType:
    """The canonical join type. Refuses a word that means no join."""
    plain = " ".join(word.lower().replace("_", " ").replace("-", " ").split())
    if plain in FURTHER_JOINS:
        cannot(f"a join of type {word!r} cannot be expressed by the compiler; {USE_A_MODEL}")
    if plain not in JOIN_TYPES:
        refuse(f"{word!r} is no join type{did_you_mean(plain, get_args(JoinType))}; use inner, left, right or outer")
    return JOIN_TYPES[plain]  # type: ignore[return-value]  # the table's names are the join types


def _table(text: str, sources: SourceNames) -> str:
    """The table in a text that may name its alias too, as `customers c`."""
    match = _TABLE_AND_ALIAS.fullmatch(text.strip())
    if match is None:
        return bare(text)
    return match[2] if sources.key(match[2]) else match[1]


def _side(fields: Fields, side: str, sources: SourceNames) -> str:
    """One table of a join; where it has an alias of a source's, that."""
    alias = fields.text(f"{side}_alias", "an alias")
    if alias and sources.key(alias):
        return alias
    return _table(fields.text(f"{side}_table", "a table's name") or "", sources)


def _read_columns(fields: Fields, parts: JoinParts) -> None:
    value = fields.get("on_columns")
    if isinstance(value, dict):
        _read_mapping(value, parts)
        return
    for place, item in one_or_many(value):
        with within(fields.at("on_columns") + place):
            if isinstance(item, dict):
                _read_pair(item, parts)
            elif isinstance(item, str) and item.strip():
                sides = equality(item)
                if sides and not any(column_parts(side)[0] for side in sides):
                    parts.pairs.append(sides)
                else:
                    _read_on(item, parts, only_sql=False)
            else:
                refuse(f"a column name is needed, not {item!r}")


def _read_mapping(value: Details, parts: JoinParts) -> None:
    """An object is a pair, or maps columns of the left table to columns of the right one."""
    fields = Fields(value, "join")
    if fields.rest:
        parts.pairs += [(left, str(right)) for left, right in value.items()]
    else:
        _read_pair(value, parts)


def _read_pair(item: Details, parts: JoinParts) -> None:
    """A pair as an object: {"left": a, "right": b}, with an operator of its own where it is no equality."""
    fields = Fields(item, "join")
    left = fields.text("left_column", "a column name") or fields.text("left_table", "a column name")
    right = fields.text("right_column", "a column name") or fields.text("right_table", "a column name")
    if left and right and "left_column" in fields and "left_table" in fields and "." not in left:
        left, right = f"{fields.get('left_table')}.{left}", f"{fields.get('right_table')}.{right}"
    operator = fields.text("operator", "an operator") or "="
    if left and right and operator in ("=", "==", "eq", "equals"):
        parts.pairs.append((left, right))
    elif left and right:
        parts.conditions.append(f"{left} {operator} {right}")
    elif "condition" in fields:
        _read_on(fields.get("condition"), parts, only_sql=True)
    elif "on_columns" in fields:
        parts.on_columns += names_in(fields.get("on_columns"))
    else:
        refuse('a pair of columns is {"left_column": a, "right_column": b}')


def _read_pairs(fields: Fields, parts: JoinParts, sources: SourceNames) -> None:
    left, right = fields.names("left_column"), fields.names("right_column")
    if len(left) != len(right):
        refuse("`left_column` and `right_column` come together")
    for one, other in zip(left, right, strict=True):
        swapped = _belongs(one, parts.right, sources) and _belongs(other, parts.left, sources)
        parts.pairs.append((other, one) if swapped else (one, other))


def _belongs(column: str, table: str, sources: SourceNames) -> bool:
    qualifier, _ = column_parts(column)
    return bool(qualifier and table) and sources.same(qualifier) == sources.same(table)


def _read_on(value: JsonValue, parts: JoinParts, only_sql: bool) -> None:
    """A condition: SQL, a column that both tables have, or a list of either."""
    for place, item in one_or_many(value):
        with within(place):
            if isinstance(item, dict):
                _read_pair(item, parts)
            elif not isinstance(item, str) or not item.strip():
                refuse(f"a condition as SQL is needed, not {item!r}")
            elif is_condition(item):
                parts.conditions += conjuncts(item)
            elif not only_sql and all(is_column(name) for name in split_at(item, ",")):
                parts.on_columns += split_at(item, ",")
            else:
                cannot(f'"{item}" is free text; write a condition as SQL, or {USE_A_MODEL}')


def conjuncts(text: str) -> list[str]:
    """The operands of the outermost AND."""
    found = tokens(text)
    if len(found) > 2 and found[0].word == "(" and found[-1].word == ")" and all(t.depth for t in found[1:-1]):
        return conjuncts(text[found[0].end : found[-1].start])
    if any(token.depth == 0 and token.word in ("BETWEEN", "OR") for token in found):
        return [text.strip()]
    return [part for part in split_at(text, "AND") if part]


def _holds_or(text: str) -> bool:
    return any(token.depth == 0 and token.word == "OR" for token in tokens(text))


def equality(text: str) -> tuple[str, str] | None:
    """The two columns of `a = b`; None for any other condition."""
    sides = split_at(text, "=") if "=" in text else split_at(text, "==")
    return (sides[0], sides[1]) if len(sides) == 2 and all(is_column(side) for side in sides) else None


def with_tables(parts: JoinParts, joined: list[str], sources: SourceNames) -> None:
    """Fill in the tables that an entry leaves out, where its condition and the joins before it leave no choice."""
    named = _tables_of(parts, sources)
    if parts.left and parts.right:
        return
    one = parts.left or parts.right
    if one:
        others = [key for key in named if sources.same(key) != sources.same(one)]
        if not others and len(sources.keys) == 2:
            others = [key for key in sources.keys if sources.same(key) != sources.same(one)]
        if len(others) != 1:
            refuse("names one table only; name both, as `left_table` and `right_table`")
        # An entry that names one table brings it in: it is the right one.
        parts.left, parts.right = others[0], one
        return
    if len(parts.tables) == 2:
        parts.left, parts.right = parts.tables
        return
    if len(named) == 2:
        _order(parts, named, joined, sources)
        return
    if not named and len(sources.keys) == 2:
        parts.left, parts.right = sources.keys


def _tables_of(parts: JoinParts, sources: SourceNames) -> list[str]:
    """The sources that the qualified columns of an entry name, in the order of the text."""
    texts = [text for text in parts.conditions if equality(text)] + [f"{a} = {b}" for a, b in parts.pairs]
    found = []
    for text in texts:
        for side in equality(text) or ():
            key = sources.key(column_parts(side)[0])
            if key and key not in found:
                found.append(key)
    return found


def _order(parts: JoinParts, named: list[str], joined: list[str], sources: SourceNames) -> None:
    """Left is the table that is joined already, else the one that is listed first."""
    first, second = sorted(
        named, key=lambda key: (key not in joined, *([joined.index(key)] if key in joined else [sources.position(key)]))
    )
    one_sided = parts.join_type in ("left", "right") and first not in joined and second not in joined
    if [first, second] != named and one_sided:
        refuse(
            f"leaves open which table is the left one: {first!r} is listed first, the condition begins with {second!r}"
        )
    parts.left, parts.right = first, second


def join_of(parts: JoinParts, sources: SourceNames) -> JoinCondition:
    """The canonical join."""
    conditions = list(parts.conditions)
    pairs = [(_own(a, parts.left, sources), _own(b, parts.right, sources)) for a, b in parts.pairs]
    plain = [pair for pair in pairs if not any(column_parts(side)[0] for side in pair)]
    kept = plain[0] if len(plain) == 1 == len(pairs) and is_column(plain[0][0]) and is_column(plain[0][1]) else None
    if kept is None:
        conditions = [f"{_qualified(a, parts.left)} = {_qualified(b, parts.right)}" for a, b in pairs] + conditions
    columns = []
    for name in parts.on_columns:
        qualifier, column = column_parts(name)
        columns.append(column if not qualifier or sources.key(qualifier) else name)
    text = " AND ".join(f"({one})" if len(conditions) > 1 and _holds_or(one) else one for one in conditions)
    return JoinCondition(
        parts.left,
        parts.right,
        parts.join_type or "inner",
        tuple(columns),
        bare(kept[0]) if kept else None,
        bare(kept[1]) if kept else None,
        text or None,
    )


def _own(column: str, table: str, sources: SourceNames) -> str:
    """A column of a table without the table's name."""
    return column_parts(column)[1] if _belongs(column, table, sources) else column


def _qualified(column: str, table: str) -> str:
    if column_parts(column)[0] or not is_column(column):
        return column
    name = table if is_column(table) else f"`{table}`"
    return f"{name}.{column}"
