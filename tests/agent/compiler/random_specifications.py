"""Random specifications over three tables, each beside a query that says the same in SQL of its own."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.agent.compiler.random_parts import Column, Draft, Draw, random_condition, random_expression, random_order
from tests.agent.compiler.random_tables import RANDOM_TABLES
from tests.agent.compiler.scene import aliased
from tests.agent.compiler.sql_cases import SqlCase

_ALIASES = {"clients": "c", "purchases": "p", "parcels": "a"}
_FAMILIES = {
    "integer": "int", "bigint": "int", "numeric(8,2)": "dec", "text": "text", "date": "date", "boolean": "bool",
}  # fmt: skip
_CHAINS = (("purchases",), ("clients", "purchases"), ("purchases", "parcels"), ("clients", "purchases", "parcels"))
_KEYS = {("clients", "purchases"): "client_id", ("purchases", "parcels"): "purchase_id"}


def _sources(draft: Draft) -> list[Any]:
    chain = draft.one(list(_CHAINS))
    shown = []
    for table in chain:
        alias = _ALIASES[table]
        for name, kind in RANDOM_TABLES[table].items():
            draft.columns.append(Column(f"{alias}.{name}", f"{alias}_{name}", _FAMILIES[kind]))
            shown.append(f"{alias}.{name} AS {alias}_{name}")
    rows, joins = f"{chain[0]} {_ALIASES[chain[0]]}", []
    for left, right in zip(chain, chain[1:], strict=False):
        kind, key = draft.one(["inner", "left", "right", "outer"]), _KEYS[left, right]
        one, two = _ALIASES[left], _ALIASES[right]
        condition = f"{one}.{key} = {two}.{key}"
        entry: dict[str, Any] = {"left_table": one, "right_table": two, "join_type": kind}
        style = draft.count(3)
        if style == 0:
            entry["on_columns"] = [key]
        elif style == 1:
            entry |= {"left_column": key, "right_column": key}
        else:
            extra = {"p": "p.status <> 'late'", "a": "a.grams > 100"}[two]
            if style == 3 and kind in ("inner", "left"):
                condition += f" AND {extra}"
            entry["condition"] = condition
        joins.append(entry)
        rows += f" {kind.replace('outer', 'full')} JOIN {right} {two} ON {condition}"
    draft.query = f"SELECT {', '.join(shown)} FROM {rows}"
    if joins:
        draft.specs["join_conditions"] = joins
    return [aliased(table, _ALIASES[table]) for table in chain]


def _derive(draft: Draft, most: int) -> None:
    for _ in range(draft.count(most)):
        spec, sql, family = random_expression(draft, draft.columns)
        column = draft.add(family, "d", spec, sql)
        draft.specs.setdefault("derived_columns", []).append({"name": column.name, "expression": spec})


def _filter(draft: Draft, columns: list[Column], most: int) -> None:
    for _ in range(draft.count(most)):
        entry, spec, sql = random_condition(draft, columns)
        draft.specs.setdefault("filters", []).append(entry if draft.chance() else spec)
        draft.where(sql)


def _total(draft: Draft, ids: list[Column]) -> list[Column]:
    """Columns to sort by of which no two rows have the same."""
    first = [one for one in draft.some(draft.columns, 0, 2) if one not in ids]
    return [*first, *ids]


def _window(draft: Draft, ids: list[Column]) -> None:
    """A window, and perhaps a filter on it."""
    function = draft.one(
        ["row_number", "row_number", "rank", "dense_rank", "sum", "avg", "count", "min", "max", "lag", "lead"]
    )
    keys = draft.some(draft.columns, 0, 2)
    column: Column | None = None
    if function in ("sum", "avg"):
        column = draft.one(draft.of("int", "dec") or ids)
    elif function in ("count", "min", "max", "lag", "lead"):
        column = draft.one(draft.of("int", "dec", "date", "text"))
    total = function in ("row_number", "lag", "lead", "rank", "dense_rank")
    ordered = _total(draft, ids) if total or draft.chance() else []
    items, order = random_order(draft, ordered)
    over = (f"PARTITION BY {', '.join(key.sql for key in keys)} " if keys else "") + (
        f"ORDER BY {order}" if order else ""
    )
    call = "" if column is None else column.sql
    family = {"row_number": "int", "rank": "int", "dense_rank": "int", "count": "int", "avg": "number"}.get(function)
    known = column.family if column is not None else "int"
    family = family or ("number" if function == "sum" else known)
    alias = draft.add(family, "w", "", f"{function}({call}) OVER ({over})")
    details: dict[str, Any] = {"function": function, "alias": alias.name}
    if column is not None:
        details["column"] = column.name
    if keys:
        details["partition_by"] = [key.name for key in keys]
    if items:
        details["order_by"] = items
    draft.steps.append({"type": "window", "details": details})
    if function in ("row_number", "rank", "dense_rank") and draft.count(3):
        most = 1 + draft.count(2)
        draft.steps.append({"type": "filter", "details": {"column": alias.name, "operator": "<=", "value": most}})
        draft.where(f"{alias.sql} <= {most}")


def _deduplicate(draft: Draft, ids: list[Column]) -> None:
    keys = draft.some(draft.columns, 1, 2)
    items, order = random_order(draft, _total(draft, ids))
    partition = ", ".join(key.sql for key in keys)
    draft.query = f"SELECT DISTINCT ON ({partition}) * FROM ({draft.query}) q0 ORDER BY {partition}, {order}"
    details = {"columns": [key.name for key in keys], "order_by": items}
    draft.steps.append({"type": "deduplicate", "details": details})


def _group(draft: Draft) -> None:
    keys = draft.some(draft.columns, 0, 2)
    names: set[str] = set()
    kept, entries, texts = [], [], []
    for key in keys:
        plain = key.name.rpartition(".")[2]
        if plain not in names:
            names.add(plain)
            kept.append((key, Column(key.name, plain, key.family)))
    for _ in range(1 + draft.count(2)):
        alias = draft.name("m")
        function = draft.one(["sum", "avg", "min", "max", "count", "count_distinct", "count"])
        families = {"sum": ("int", "dec"), "avg": ("int", "dec"), "min": ("int", "dec", "date", "text")}
        usable = draft.of(*families.get(function, families["min"]))
        spec: str | None
        if function == "count" and draft.chance():
            spec, sql, family = None, "*", "int"
        elif draft.chance():
            spec, sql, family = random_expression(draft, [draft.one(usable)])
            if family not in families.get(function, families["min"]):
                column = draft.one(usable)
                spec, sql, family = column.name, column.sql, column.family
        else:
            column = draft.one(usable)
            spec, sql, family = column.name, column.sql, column.family
        family = {"count": "int", "count_distinct": "int", "avg": "number", "sum": "number"}.get(function, family)
        text = f"COUNT(DISTINCT {sql})" if function == "count_distinct" else f"{function}({sql})"
        entry = {"function": function, "column": spec, "alias": alias, "group_by": [key.name for key, _ in kept]}
        if draft.count(2) == 0:
            condition, said, where = random_condition(draft, draft.columns)
            entry["filter"] = condition if draft.chance() else said
            text += f" FILTER (WHERE {where})"
        entries.append(entry)
        texts.append((text, Column(alias, alias, family)))
    shown = [f"{old.sql} AS {new.sql}" for old, new in kept] + [f"{text} AS {new.sql}" for text, new in texts]
    draft.made += 1
    query = f"SELECT {', '.join(shown)} FROM ({draft.query}) q{draft.made}"
    draft.query = query + (f" GROUP BY {', '.join(old.sql for old, _ in kept)}" if kept else "")
    draft.columns = [*(new for _, new in kept), *(new for _, new in texts)]
    draft.specs["aggregations"] = entries


def _result(draft: Draft, grouped: bool) -> SqlCase:
    # The newest columns depend on the most steps.
    outputs = [*draft.columns[-2:], *draft.some(draft.columns, 1, 3)]
    pairs: dict[str, Column] = {}
    for one in outputs:
        pairs.setdefault(one.name.rpartition(".")[2], one)
    distinct = not grouped and draft.count(2) == 0
    shown = ", ".join(f"{one.sql} AS o_{name}" for name, one in pairs.items())
    draft.query = f"SELECT {'DISTINCT ' if distinct else ''}{shown} FROM ({draft.query}) r"
    target: dict[str, Any] = {}
    if distinct:
        draft.steps.append({"type": "distinct"})
    draft.steps.append({"type": "select", "details": {"columns": [one.name for one in pairs.values()]}})
    if distinct:
        draft.steps[-2:] = reversed(draft.steps[-2:])
    ordered = draft.chance()
    if ordered:
        sorted_by = draft.some(list(pairs), 1, 2)
        items, order = random_order(draft, [Column(pairs[name].name, f"o_{name}", "") for name in sorted_by])
        draft.steps.append({"type": "sort", "details": {"columns": items}})
        rest = ", ".join(f"o_{name}" for name in pairs if name not in sorted_by)
        draft.query += f" ORDER BY {order}" + (f", {rest}" if rest else "")
        if draft.chance():
            limit = 1 + draft.count(4)
            draft.steps.append({"type": "limit", "details": {"n": limit}})
            draft.query += f" LIMIT {limit}"
    return SqlCase([], draft.query, {**draft.specs, "transformations": draft.steps}, target)


@st.composite
def specifications(draw: Draw) -> SqlCase:
    """A valid specification and a query that means the same; the rows may come in any order."""
    draft = Draft(draw)
    sources = _sources(draft)
    ids = [one for one in draft.columns if one.name in ("p.purchase_id", "a.parcel_id", "c.client_id")]
    _derive(draft, 3)
    _filter(draft, draft.columns, 1)
    grouped = draft.chance()
    if grouped:
        _group(draft)
        usable = [one for one in draft.columns if one.family != "number" and "." not in one.name]
        if usable:
            _derive_late(draft, usable)
            _filter(draft, usable, 1)
    else:
        for _ in range(draft.count(3)):
            if draft.count(3) == 0 and not any(step["type"] == "deduplicate" for step in draft.steps):
                _deduplicate(draft, ids)
            else:
                _window(draft, ids)
    case = _result(draft, grouped)
    return SqlCase(sources, case.sql, case.specs, case.target)


def _derive_late(draft: Draft, columns: list[Column]) -> None:
    """Derive columns from aggregates."""
    for _ in range(draft.count(2)):
        spec, sql, family = random_expression(draft, columns)
        column = draft.add(family, "d", spec, sql)
        draft.specs.setdefault("derived_columns", []).append({"name": column.name, "expression": spec})
