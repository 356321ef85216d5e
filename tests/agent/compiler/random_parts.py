"""Parts of random specifications: expressions, conditions and orders, each beside the same in SQL of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

_Drawn = TypeVar("_Drawn")
Draw = Callable[[st.SearchStrategy[Any]], Any]

_CONSTANTS: dict[str, list[tuple[Any, str]]] = {
    "int": [(2, "2"), (0, "0"), (5, "5"), (250, "250")],
    "dec": [(7.5, "7.50"), ("3.33", "3.33"), (0, "0"), (10, "10")],
    "text": [("paid", "'paid'"), ("Bern", "'Bern'"), ("post", "'post'"), ("", "''")],
    "date": [("2024-01-03", "'2024-01-03'"), ("2024-02-10", "'2024-02-10'")],
    "bool": [(True, "TRUE"), (False, "FALSE")],
}
_EXPRESSIONS: dict[str, list[tuple[str, str]]] = {
    "int": [
        ("{0} + 1", "int"),
        ("COALESCE({0}, 0)", "int"),
        ("CASE WHEN {0} > 3 THEN 'high' WHEN {0} IS NULL THEN 'none' ELSE 'low' END", "text"),
        ("ABS({0})", "int"),
        ("NULLIF({0}, 2)", "int"),
        ("CASE WHEN {0} BETWEEN 1 AND 4 THEN {0} * 2 END", "int"),
        ("GREATEST({0}, 3)", "int"),
        ("{0} % 3", "int"),
    ],
    "dec": [
        ("{0} * 2", "dec"),
        ("ROUND({0}, 1)", "dec"),
        ("COALESCE({0}, 0)", "dec"),
        ("{0} - 1.25", "dec"),
        ("CASE WHEN {0} >= 5 THEN 'dear' ELSE 'cheap' END", "text"),
        ("{0} > 5", "bool"),
        ("FLOOR({0})", "dec"),
    ],
    "text": [
        ("UPPER({0})", "text"),
        ("COALESCE({0}, 'none')", "text"),
        ("LENGTH({0})", "int"),
        ("{0} || '-x'", "text"),
        ("CASE WHEN {0} IN ('paid', 'Bern', 'post') THEN 1 ELSE 0 END", "int"),
        ("{0} LIKE 'p%'", "bool"),
        ("SUBSTRING({0} FROM 1 FOR 2)", "text"),
    ],
    "date": [
        ("EXTRACT(YEAR FROM {0})", "number"),
        ("CAST(EXTRACT(MONTH FROM {0}) AS integer)", "int"),
        ("{0} + 7", "date"),
        ("COALESCE({0}, DATE '2024-01-01')", "date"),
        ("{0} - DATE '2024-01-01'", "int"),
    ],
    "bool": [("CASE WHEN {0} THEN 1 ELSE 0 END", "int"), ("NOT {0}", "bool"), ("COALESCE({0}, FALSE)", "bool")],
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column by its name in the specification, its name in the query, and the family of its type."""

    name: str
    sql: str
    family: str


@dataclass
class Draft:
    """A specification and its query while they grow together."""

    draw: Draw
    columns: list[Column] = field(default_factory=list)
    query: str = ""
    specs: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0

    def one(self, values: list[_Drawn]) -> _Drawn:
        """One of some values."""
        return self.draw(st.sampled_from(values))  # type: ignore[no-any-return]

    def some(self, values: list[_Drawn], least: int, most: int) -> list[_Drawn]:
        """Some of the values, each once."""
        most = min(most, len(values))
        return self.draw(  # type: ignore[no-any-return]
            st.lists(st.sampled_from(values), min_size=min(least, most), max_size=most, unique=True)
        )

    def chance(self) -> bool:
        """True in about half of the cases."""
        return self.draw(st.booleans())  # type: ignore[no-any-return]

    def count(self, most: int) -> int:
        """A number from 0."""
        return self.draw(st.integers(0, most))  # type: ignore[no-any-return]

    def of(self, *families: str) -> list[Column]:
        """The columns of these families."""
        return [column for column in self.columns if column.family in families]

    def name(self, prefix: str) -> str:
        """A new name."""
        self.made += 1
        return f"{prefix}{self.made}"

    def add(self, family: str, prefix: str, spec: str, sql: str) -> Column:
        """Add a column to the query; the caller puts `spec` into the specification."""
        name = self.name(prefix)
        self.query = f"SELECT *, {sql} AS {name} FROM ({self.query}) q{self.made}"
        column = Column(name, name, family)
        self.columns.append(column)
        return column

    def where(self, condition: str) -> None:
        """Keep rows of the query."""
        self.made += 1
        self.query = f"SELECT * FROM ({self.query}) q{self.made} WHERE {condition}"


def random_expression(draft: Draft, columns: list[Column]) -> tuple[str, str, str]:
    """An expression over one or two columns: as the specification writes it, as the query does, and its family."""
    column = draft.one([one for one in columns if one.family in _EXPRESSIONS])
    twins = [one for one in columns if one.family == column.family and one != column]
    if twins and draft.chance():
        pairs = {
            "int": ("{0} + {1}", "int"),
            "dec": ("{0} * {1}", "dec"),
            "text": ("COALESCE({0}, {1})", "text"),
            "date": ("{0} - {1}", "int"),
            "bool": ("{0} OR {1}", "bool"),
        }
        text, family = pairs[column.family]
        other = draft.one(twins)
        return text.format(column.name, other.name), text.format(column.sql, other.sql), family
    text, family = draft.one(_EXPRESSIONS[column.family])
    return text.format(column.name), text.format(column.sql), family


def _comparison(draft: Draft, column: Column) -> tuple[Any, str, str]:
    """A condition: as an entry, as SQL over the specification's names, and as SQL over the query's."""
    kind = draft.count(5)
    if kind == 0:
        operator = draft.one(["IS NULL", "IS NOT NULL"])
        return ({"column": column.name, "operator": operator}, f"{column.name} {operator}", f"{column.sql} {operator}")
    constants = _CONSTANTS[column.family]
    if kind == 1 and column.family != "bool":
        operator, values = draft.one(["IN", "NOT IN"]), draft.some(constants, 1, 3)
        listed = f"{operator} ({', '.join(sql for _, sql in values)})"
        entry = {"column": column.name, "operator": operator, "value": [one for one, _ in values]}
        return entry, f"{column.name} {listed}", f"{column.sql} {listed}"
    if kind == 2 and column.family in ("int", "dec", "date"):
        (low, low_sql), (high, high_sql) = draft.one(constants), draft.one(constants)
        listed = f"BETWEEN {low_sql} AND {high_sql}"
        entry = {"column": column.name, "operator": "BETWEEN", "value": [low, high]}
        return entry, f"{column.name} {listed}", f"{column.sql} {listed}"
    operators = ["=", "!="] if column.family == "bool" else ["=", "!=", ">", "<=", "<", ">="]
    operator, (value, sql) = draft.one(operators), draft.one(constants)
    return (
        {"column": column.name, "operator": operator, "value": value},
        f"{column.name} {operator} {sql}",
        f"{column.sql} {operator} {sql}",
    )


def random_condition(draft: Draft, columns: list[Column]) -> tuple[Any, str, str]:
    usable = [one for one in columns if one.family in _CONSTANTS]
    parts = [_comparison(draft, draft.one(usable)) for _ in range(1 + draft.count(2))]
    if len(parts) == 1:
        return parts[0]
    word = draft.one(["OR", "AND"])
    entry: Any = {"operator": word, "conditions": [part[0] for part in parts]}
    spec, sql = (f" {word} ".join(f"({part[place]})" for part in parts) for place in (1, 2))
    if draft.count(3) == 0:
        return {"not": entry}, f"NOT ({spec})", f"NOT ({sql})"
    return entry, spec, sql


def random_order(draft: Draft, columns: list[Column]) -> tuple[list[dict[str, Any]], str]:
    items, texts = [], []
    for column in columns:
        item: dict[str, Any] = {"column": column.name}
        direction, nulls = draft.one(["ASC", "DESC"]), draft.one(["", "", "FIRST", "LAST"])
        item["direction"] = direction.lower()
        if nulls:
            item["nulls"] = nulls.lower()
        items.append(item)
        texts.append(f"{column.sql} {direction}" + (f" NULLS {nulls}" if nulls else ""))
    return items, ", ".join(texts)
