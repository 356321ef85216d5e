"""Usual spellings of each kind of entry, and the one element that they mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.elements import (
    Aggregation,
    Claim,
    Comparison,
    ConditionGroup,
    Deduplication,
    DerivedColumn,
    JoinCondition,
    SelectItem,
    SortItem,
    SqlCondition,
    WindowEntry,
)
from tests.agent.compiler.test_reader import read

OVER_10 = Comparison("amount", ">", 10)
EITHER = ConditionGroup("or", (OVER_10, Comparison("note", "=", "a")))
FILTERS: list[tuple[Any, Any]] = [
    ({"column": "amount", "operator": ">", "value": 10}, OVER_10),
    ({"field": "amount", "op": "gt", "value": 10}, OVER_10),
    ({"columnName": "amount", "operator": "greaterThan", "value": 10}, OVER_10),
    ({"column": "amount", "condition": ">", "value": 10}, OVER_10),
    ("amount > 10", OVER_10),
    ({"condition": "10 < amount"}, OVER_10),
    ({"expression": "amount > 10"}, OVER_10),
    ({"column": "amount", "operator": "=", "value": "b"}, Comparison("amount", "=", "b")),
    ({"table": "o", "column": "amount", "operator": ">", "value": 10}, Comparison("o.amount", ">", 10)),
    ({"column": "a", "value": [1, 2]}, Comparison("a", "IN", [1, 2])),
    ({"column": "a", "operator": "IN", "value": "(7, 8, 9)"}, Comparison("a", "IN", [7, 8, 9])),
    ({"column": "a", "operator": "in", "value": "'A','B'"}, Comparison("a", "IN", ["A", "B"], literal=True)),
    ({"column": "a", "operator": "not_in", "values": ["A"]}, Comparison("a", "NOT IN", ["A"])),
    ({"column": "a", "operator": "BETWEEN", "value": "0 AND 600"}, Comparison("a", "BETWEEN", [0, 600])),
    ({"column": "a", "operator": "between", "min": 0, "max": 600}, Comparison("a", "BETWEEN", [0, 600])),
    ({"column": "a", "operator": "between", "value": {"from": 0, "to": 600}}, Comparison("a", "BETWEEN", [0, 600])),
    (
        "a BETWEEN 0 AND 600 AND b = 'x'",
        ConditionGroup("and", (Comparison("a", "BETWEEN", [0, 600]), Comparison("b", "=", "x", literal=True))),
    ),
    ({"column": "a", "operator": "IS NULL", "value": "NULL"}, Comparison("a", "IS NULL")),
    ({"column": "a", "operator": "is_null", "value": True}, Comparison("a", "IS NULL")),
    ({"column": "a", "operator": "is", "value": None}, Comparison("a", "IS NULL")),
    ({"column": "a", "operator": "not_null", "value": ""}, Comparison("a", "IS NOT NULL")),
    ({"column": "a", "operator": "is not", "value": "null"}, Comparison("a", "IS NOT NULL")),
    ({"column": "a", "operator": "contains", "value": "5%"}, Comparison("a", "LIKE", "%5\\%%", literal=True)),
    ({"column": "a", "operator": "startsWith", "value": "x"}, Comparison("a", "LIKE", "x%", literal=True)),
    (
        {
            "operator": "OR",
            "conditions": [
                {"column": "amount", "operator": ">", "value": 10},
                {"column": "note", "operator": "=", "value": "a"},
            ],
        },
        EITHER,
    ),
    (
        {
            "or": [
                {"column": "amount", "operator": ">", "value": 10},
                {"column": "note", "operator": "eq", "value": "a"},
            ]
        },
        EITHER,
    ),
    ({"any": ["amount > 10", {"column": "note", "operator": "=", "value": "a"}]}, EITHER),
    ({"logic": "or", "rules": ["amount > 10", {"column": "note", "operator": "=", "value": "a"}]}, EITHER),
    ({"not": {"column": "amount", "operator": ">", "value": 10}}, ConditionGroup("not", (OVER_10,))),
    ("NOT (amount > 10)", ConditionGroup("not", (OVER_10,))),
    ("lower(note) = 'a'", SqlCondition("lower(note) = 'a'")),
    ("placed > shipped", SqlCondition("placed > shipped")),
    (
        "CASE WHEN a > 1 AND b > 1 THEN 1 ELSE 0 END = 1",
        SqlCondition("CASE WHEN a > 1 AND b > 1 THEN 1 ELSE 0 END = 1"),
    ),
    ({"column": "a", "operator": "ilike", "value": "x%"}, Comparison("a", "ILIKE", "x%")),
    ({"column": "a", "operator": ">", "value": {"column": "b"}}, SqlCondition("a > b")),
    ({"column": "COUNT(x)", "operator": ">", "value": 5}, Comparison("COUNT(x)", ">", 5)),
    ({"function": "count", "column": "x", "operator": ">", "value": 5}, Comparison("COUNT(x)", ">", 5)),
]


@pytest.mark.parametrize(("written", "meant"), FILTERS)
def test_a_filter_in_a_usual_spelling(written: Any, meant: Any) -> None:
    """It means the same in the list and alone."""
    for given in ([written], written):
        entries, problems, _ = read(filters=given)
        parts = meant.parts if isinstance(meant, ConditionGroup) and meant.operator == "and" else (meant,)
        assert ([one.value for one in entries.filters], problems) == ([*parts], [])


@pytest.mark.parametrize("place", [0, 1])
def test_words_between_filters_connect_them(place: int) -> None:
    """OR may stand with the first or with the second filter."""
    items: list[dict[str, Any]] = [
        {"column": "amount", "operator": ">", "value": 10},
        {"column": "note", "operator": "=", "value": "a"},
    ]
    items[place]["logical_operator"] = "OR"
    assert [one.value for one in read(filters=items)[0].filters] == [EITHER]


def test_and_and_or_in_one_list_are_refused() -> None:
    """They leave open what belongs together."""
    items = [
        {"column": name, "operator": "=", "value": 1, "logic": word}
        for name, word in (("a", "AND"), ("b", "OR"), ("c", "AND"), ("d", "OR"))
    ]
    _, problems, _ = read(filters=items)
    assert [("leave open" in one.message, one.beyond) for one in problems] == [(True, False)]


ON_ID = JoinCondition("o", "c", "left", ("customer_id",))
JOINS: list[tuple[dict[str, Any], JoinCondition]] = [
    ({"left": "o", "right": "c", "how": "LEFT OUTER", "on": "customer_id"}, ON_ID),
    ({"left_table": "orders o", "right_table": "customers AS c", "type": "left join", "using": ["customer_id"]}, ON_ID),
    ({"leftTable": "o", "rightTable": "c", "joinType": "left_outer", "onColumns": "customer_id"}, ON_ID),
    (
        {"left_table": "o", "right_table": "c", "on_columns": ["customer_id = id"]},
        JoinCondition("o", "c", "inner", (), "customer_id", "id"),
    ),
    (
        {"left_table": "o", "right_table": "c", "left_on": "o.customer_id", "right_on": "c.id"},
        JoinCondition("o", "c", "inner", (), "customer_id", "id"),
    ),
    (
        {"left_table": "o", "right_table": "c", "on": [{"left": "customer_id", "right": "id"}]},
        JoinCondition("o", "c", "inner", (), "customer_id", "id"),
    ),
    (
        {"table": "customers", "join_type": "left", "condition": "o.customer_id = c.id"},
        JoinCondition("o", "customers", "left", condition="o.customer_id = c.id"),
    ),
    (
        {"left_table": "o", "right_table": "c", "on": "o.id = c.id", "additional_condition": "o.n = 1 OR c.n = 1"},
        JoinCondition("o", "c", "inner", condition="o.id = c.id AND (o.n = 1 OR c.n = 1)"),
    ),
    ({"condition": "o.customer_id = c.id"}, JoinCondition("o", "c", condition="o.customer_id = c.id")),
]


@pytest.mark.parametrize(("written", "meant"), JOINS)
def test_a_join_in_a_usual_spelling(written: dict[str, Any], meant: JoinCondition) -> None:
    """It means the same as a field and as a step."""
    fields, problems, _ = read(join_conditions=[written])
    assert ([one.value for one in fields.joins], problems) == ([meant], [])
    steps, problems, _ = read(transformations=[{"type": "join", "details": written}])
    assert ([one.value for one in steps.joins], problems) == ([meant], [])


@pytest.mark.parametrize(
    ("word", "beyond"), [("left_anti", True), ("semi", True), ("CROSS JOIN", True), ("iner", False)]
)
def test_a_join_type_that_the_compiler_lacks_is_for_a_model(word: str, beyond: bool) -> None:
    """A word that means no join is refused for everybody."""
    _, problems, _ = read(join_conditions=[{"left_table": "o", "right_table": "c", "join_type": word, "on": "id"}])
    assert [(one.path, one.beyond) for one in problems] == [("specs.join_conditions[0].join_type", beyond)]


SUM = Aggregation("sum", "amount", "total", ("city",))
AGGREGATES: list[tuple[Any, Aggregation]] = [
    ({"function": "SUM", "column": "amount", "alias": "total", "group_by": ["city"]}, SUM),
    ({"func": "total", "field": "amount", "as": "total", "groupBy": "city"}, SUM),
    ({"function": "SUM(amount)", "name": "total", "group_by": "city"}, SUM),
    ({"aggregation": "sum", "expression": "amount", "output_column": "total", "group_by": "city"}, SUM),
    ({"function": "count", "column": "DISTINCT x", "alias": "n"}, Aggregation("count_distinct", "x", "n")),
    ({"function": "count", "column": "x", "distinct": True, "alias": "n"}, Aggregation("count_distinct", "x", "n")),
    ({"function": "nunique", "column": "x", "alias": "n"}, Aggregation("count_distinct", "x", "n")),
    ("COUNT(*) AS n", Aggregation("count", "*", "n")),
    ({"function": "count", "column": 1, "alias": "n"}, Aggregation("count", "*", "n")),
    ({"function": "mean", "column": "amount"}, Aggregation("avg", "amount", "avg_amount")),
    (
        {"function": "COUNT(*) FILTER (WHERE amount > 10)", "alias": "n"},
        Aggregation("count", "*", "n", where=OVER_10),
    ),
    (
        {"function": "sum", "column": "a * b", "alias": "n", "where": "amount > 10"},
        Aggregation("sum", "a * b", "n", where=OVER_10),
    ),
]


@pytest.mark.parametrize(("written", "meant"), AGGREGATES)
def test_an_aggregate_in_a_usual_spelling(written: Any, meant: Aggregation) -> None:
    """A name that is made is told."""
    entries, problems, notes = read(aggregations=[written])
    assert ([one.value for one in entries.aggregations], problems) == ([meant], [])
    assert bool(notes) == (meant.alias == "avg_amount")


def test_one_grouping_holds_for_all_aggregates() -> None:
    """A step may say it once, under several types."""
    for type_, key in (("group_by", "columns"), ("aggregate", "group_by"), ("group", "by")):
        step = {"type": type_, "details": {key: ["o.city"]}}
        entries, problems, _ = read(aggregations=["sum(amount) AS total"], transformations=[step])
        assert (entries.aggregations[0].value.group_by, problems) == (("o.city",), [])
        assert entries.steps[0].claims == (Claim("aggregations", "specs.aggregations[0]"),)


RANK = WindowEntry("rank", "r", None, ("city",), (SortItem("amount", True, True),))
STEPS: list[tuple[dict[str, Any], str, Any]] = [
    (
        {
            "type": "rank",
            "details": {"function": "RANK()", "partition_by": "city", "order_by": "amount DESC", "alias": "r"},
        },
        "windows",
        RANK,
    ),
    (
        {
            "type": "window",
            "details": {
                "window_function": "RANK() OVER (PARTITION BY city ORDER BY amount DESC)",
                "output_column": "r",
            },
        },
        "windows",
        RANK,
    ),
    (
        {
            "type": "derive",
            "details": {"name": "r", "expression": "rank() over (partition by city order by amount desc)"},
        },
        "windows",
        RANK,
    ),
    (
        {"type": "rank", "partition_by": ["city"], "order_by": [{"field": "amount", "ascending": False}], "name": "r"},
        "windows",
        RANK,
    ),
    ({"type": "calculate", "details": {"new_column": "x", "formula": "a + 1"}}, "derived", DerivedColumn("x", "a + 1")),
    ({"type": "add_column", "details": {"columns": {"x": "a + 1"}}}, "derived", DerivedColumn("x", "a + 1")),
    ({"type": "derived_column", "details": {"expression": "a + 1 AS x"}}, "derived", DerivedColumn("x", "a + 1")),
    (
        {"type": "cast", "details": {"column": "o.a", "data_type": "integer"}},
        "derived",
        DerivedColumn("a", "CAST(o.a AS integer)"),
    ),
    (
        {"type": "fill_null", "details": {"column": "a", "value": "no'ne"}},
        "derived",
        DerivedColumn("a", "COALESCE(a, 'no''ne')"),
    ),
    (
        {"type": "order_by", "details": {"columns": "a DESC, b"}},
        "sort",
        (SortItem("a", True, True), SortItem("b", False, False)),
    ),
    (
        {"type": "sort", "details": {"order_by": [{"column": "a", "direction": "DESC", "nulls": "last"}]}},
        "sort",
        (SortItem("a", True, False),),
    ),
    ({"type": "limit", "details": {"limit": "20"}}, "limit", (20, False)),
    ({"type": "top_n", "details": {"n": 3, "order_by": "a", "direction": "desc"}}, "limit", (3, False)),
    (
        {"type": "project", "details": {"columns": ["o.a", "b AS c"]}},
        "select",
        (SelectItem("o.a"), SelectItem("b", "c")),
    ),
    ({"type": "rename", "details": {"columns": [{"old_name": "a", "new_name": "b"}]}}, "rename", {"a": "b"}),
    (
        {"type": "dedup", "details": {"keys": ["a"], "order_by": "b DESC", "keep": "first"}},
        "deduplications",
        Deduplication(("a",), (SortItem("b", True, True),)),
    ),
    (
        {"type": "drop_duplicates", "details": {"subset": "a", "order_by": "b", "keep": "last"}},
        "deduplications",
        Deduplication(("a",), (SortItem("b", True, True),)),
    ),
    ({"type": "having", "details": {"condition": "amount > 10"}}, "filters", OVER_10),
    ({"type": "custom", "details": {"column": "amount", "operator": ">", "value": 10}}, "filters", OVER_10),
    ({"operation": "filter", "config": {"predicate": "amount > 10"}}, "filters", OVER_10),
]


@pytest.mark.parametrize(("step", "into", "meant"), STEPS)
def test_a_step_in_a_usual_spelling(step: dict[str, Any], into: str, meant: Any) -> None:
    """Its element is claimed by the step."""
    entries, problems, _ = read(transformations=[step])
    [(path, element)] = getattr(entries, into)
    assert (element, problems) == (meant, [])
    assert Claim(into, path) in entries.steps[0].claims


REPEATED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"filters": [{"column": "o.a", "operator": ">=", "value": "60"}]},
        {"type": "filter", "details": {"condition": "a >= 60"}},
    ),
    (
        {"filters": [{"column": "o.a", "operator": ">", "value": "o.b"}]},
        {"type": "filter", "details": {"condition": "a > b"}},
    ),
    (
        {"join_conditions": [{"left_table": "o", "right_table": "c", "on": "id"}]},
        {"type": "join", "details": {"condition": "c.id = o.id"}},
    ),
    (
        {"join_conditions": [{"left_table": "o", "right_table": "c", "on": "id"}]},
        {"type": "join", "details": {"tables": ["orders", "customers"]}},
    ),
    (
        {"derived_columns": [{"name": "x", "expression": "o.a  + 1"}]},
        {"type": "derive", "details": {"column": "X", "expression": "a + 1"}},
    ),
    ({"derived_columns": [{"name": "x", "expression": "a + 1"}]}, {"type": "derive", "details": {"new_column": "x"}}),
    (
        {"derived_columns": [{"name": "x", "expression": "a + 1"}]},
        {"type": "derive", "details": {"expression": "a + 1"}},
    ),
    ({"aggregations": ["sum(a) as s"]}, {"type": "aggregate", "details": {"function": "SUM", "column": "a"}}),
    ({"filters": [{"column": "a", "operator": ">", "value": 1}]}, {"type": "filter", "details": {"columns": ["a"]}}),
]


@pytest.mark.parametrize(("fields", "step"), REPEATED)
def test_a_step_that_repeats_a_field_states_the_same_element(fields: dict[str, Any], step: dict[str, Any]) -> None:
    """One element stands under the field's path."""
    entries, problems, _ = read(**fields, transformations=[step])
    [name] = fields
    into = {"join_conditions": "joins", "derived_columns": "derived"}.get(name, name)
    assert ([one.path for one in getattr(entries, into)], problems) == ([f"specs.{name}[0]"], [])
    assert entries.steps[0].claims == (Claim(into, f"specs.{name}[0]"),)


CONTRADICTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"join_conditions": [{"left_table": "o", "right_table": "c", "on": "id"}]},
        {"type": "join", "details": {"join_type": "left", "condition": "c.id = o.id"}},
    ),
    (
        {"join_conditions": [{"left_table": "o", "right_table": "c", "on": "id"}]},
        {"type": "join", "details": {"left_table": "o", "right_table": "c", "on": "name"}},
    ),
    (
        {"derived_columns": [{"name": "x", "expression": "a + 1"}]},
        {"type": "derive", "details": {"name": "x", "expression": "a + 2"}},
    ),
    (
        {"aggregations": ["sum(a) as s"]},
        {"type": "aggregate", "details": {"function": "avg", "column": "a", "alias": "s"}},
    ),
]


@pytest.mark.parametrize(("fields", "step"), CONTRADICTIONS)
def test_a_step_that_contradicts_a_field_is_refused_with_both(fields: dict[str, Any], step: dict[str, Any]) -> None:
    """The message names the field's path, for every generator of code."""
    _, problems, _ = read(**fields, transformations=[step])
    [name] = fields
    assert [(one.beyond, f"specs.{name}[0]" in one.message) for one in problems] == [(False, True)]


def test_comments_are_kept_as_words_and_a_key_with_a_meaning_is_for_a_model() -> None:
    """An unknown key with a sentence is a comment too, and told."""
    column = {
        "name": "x",
        "expression": "a",
        "data_type": "int",
        "id": 1,
        "note": "in cents",
        "aside": "one of many",
    }
    entries, problems, notes = read(derived_columns=[{**column, "scale_by": 2}])
    assert [(one.path, one.value) for one in entries.texts] == [
        ("specs.derived_columns[0].note", "in cents"),
        ("specs.derived_columns[0].aside", "one of many"),
    ]
    assert [(one.path, one.beyond) for one in problems] == [("specs.derived_columns[0].scale_by", True)]
    assert [one.path for one in notes] == ["specs.derived_columns[0].aside"]


def test_the_first_rows_of_each_group_are_a_window_and_a_filter() -> None:
    """The window's column has a name, or the target lists its columns; otherwise a model is needed."""
    first = {"n": 3, "partition_by": ["city"], "order_by": ["amount DESC"]}
    entries, problems, _ = read(transformations=[{"type": "top_n", "details": {**first, "alias": "place"}}])
    assert [one.value for one in entries.windows] == [replace(RANK, function="row_number", name="place")]
    assert ([one.value for one in entries.filters], problems) == ([Comparison("place", "<=", 3)], [])
    _, problems, _ = read(transformations=[{"type": "top_n", "details": first}])
    assert [one.beyond for one in problems] == [True]


def test_objects_of_names_are_columns_and_aggregates() -> None:
    """A name stands for its expression; several functions of one column are several aggregates."""
    entries, problems, _ = read(
        derived_columns={"x": "a + 1"}, aggregations=[{"column": "amount", "functions": ["sum", "max"]}]
    )
    assert (entries.derived[0].path, entries.derived[0].value) == (
        "specs.derived_columns.x",
        DerivedColumn("x", "a + 1"),
    )
    assert ([one.value.alias for one in entries.aggregations], problems) == (["sum_amount", "max_amount"], [])


def test_the_text_null_beside_an_equality_is_refused() -> None:
    """It may mean the text or no value."""
    _, problems, _ = read(filters=[{"column": "a", "operator": "=", "value": "NULL"}])
    assert [("IS NULL" in one.message, one.beyond) for one in problems] == [(True, False)]


def test_a_key_without_meaning_is_told_inside_a_list_of_details() -> None:
    """A list in the details holds entries of the same kind."""
    metric = {"function": "sum", "column": "a", "alias": "s", "scale_by": 2}
    _, problems, _ = read(transformations=[{"type": "aggregate", "details": {"metrics": [metric]}}])
    assert [one.path for one in problems] == ["specs.transformations[0].details.metrics[0].scale_by"]


@pytest.mark.parametrize("value", [["desc"], {"a": 1}, [[]], 5, 1.5])
@pytest.mark.parametrize("key", ["order", "ascending", "nulls", "column"])
def test_any_value_in_a_sort_is_read_or_refused(key: str, value: Any) -> None:
    """A message stands for each."""
    for details in ({"columns": [{"column": "a", key: value}]}, {"columns": ["a", "b", "c"], key: value}):
        entries, problems, _ = read(transformations=[{"type": "sort", "details": details}])
        assert bool(problems) != bool(entries.sort)


BOTH_HOLD = ConditionGroup("and", (OVER_10, Comparison("note", "=", "a", literal=True)))
EITHER_HOLDS = ConditionGroup("or", (OVER_10, Comparison("note", "=", "a", literal=True)))
CONDITIONS: list[tuple[str, Any]] = [
    ("WHERE amount > 10", OVER_10),
    ("having amount > 10;", OVER_10),
    ("AND amount > 10", OVER_10),
    ("amount > 10 and note == 'a'", BOTH_HOLD),
    ("amount > 10 && note = 'a'", BOTH_HOLD),
    ("(amount > 10) & (note == 'a')", BOTH_HOLD),
    ("(amount > 10) | (note == 'a')", EITHER_HOLDS),
    ("~(amount > 10)", ConditionGroup("not", (OVER_10,))),
    ("!(amount > 10)", ConditionGroup("not", (OVER_10,))),
    ("a in [1, 2]", Comparison("a", "IN", [1, 2])),
    ("a <> 5", Comparison("a", "!=", 5)),
    ("a IS NOT DISTINCT FROM b", SqlCondition("a IS NOT DISTINCT FROM b")),
    ("flags & 4 = 4", SqlCondition("flags & 4 = 4")),
    ("a || b = 'xy'", SqlCondition("a || b = 'xy'")),
    ("CASE WHEN a > 1 THEN b & 4 WHEN a < 0 THEN 1 END = 1", None),
]


@pytest.mark.parametrize(("text", "meant"), CONDITIONS)
@pytest.mark.parametrize("kind", ["filter", "query", "where"])
def test_a_condition_of_another_tool_is_read_as_sql(kind: str, text: str, meant: Any) -> None:
    """Signs between conditions connect them; between values they keep their meaning."""
    meant = meant or SqlCondition(text)
    parts = meant.parts if isinstance(meant, ConditionGroup) and meant.operator == "and" else (meant,)
    entries, problems, _ = read(transformations=[{"type": kind, "details": {"query": text}}])
    assert ([one.value for one in entries.filters], problems) == ([*parts], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("amount > 10 || note = 'a'", "write OR"),
        ("OR amount > 10", "lacks a condition beside OR"),
        ("amount > 10 AND", "lacks a condition beside AND"),
        ("amount > 10 AND OR note = 'a'", "side by side"),
    ],
)
def test_a_condition_that_lacks_a_side_is_refused(text: str, message: str) -> None:
    """`||` joins texts."""
    [problem] = read(filters=[text])[1]
    assert message in problem.message


@pytest.mark.parametrize("value", [5, True, None])
def test_a_comparison_that_takes_null_for_a_value(value: Any) -> None:
    """As an operator it takes a number, a truth value or null."""
    meant = SqlCondition(f"a IS DISTINCT FROM {str(value).upper()}")
    entries, problems, _ = read(filters=[{"column": "a", "operator": "IS DISTINCT FROM", "value": value}])
    found = [one.value for one in entries.filters]
    assert (found, problems) == ([Comparison("a", "IS NOT NULL") if value is None else meant], [])


BY_CITY: list[tuple[dict[str, Any], list[Aggregation]]] = [
    ({"by": ["city"], "agg": {"total": ["amount", "sum"]}}, [SUM]),
    ({"groupby": "city", "agg": {"amount": "sum"}}, [replace(SUM, alias="sum_amount")]),
    (
        {"by": "city", "aggfunc": {}, "aggregations": {"amount": ["sum", "mean"]}},
        [replace(SUM, alias="sum_amount"), Aggregation("avg", "amount", "avg_amount", ("city",))],
    ),
    ({"group_by": "city", "aggs": {"amount": {"function": "sum", "alias": "total"}}}, [SUM]),
    ({"group_by": "city", "aggs": {"total": {"function": "sum", "column": "amount"}}}, [SUM]),
    (
        {"fields_to_group_by": ["city"], "field_to_aggregate": "amount", "aggregate_function": "sum", "alias": "total"},
        [SUM],
    ),
]


@pytest.mark.parametrize(("details", "meant"), BY_CITY)
def test_a_grouping_in_the_words_of_pandas(details: dict[str, Any], meant: list[Aggregation]) -> None:
    """A mapping has a new name with column and function, or a column with its functions."""
    details = {key: value for key, value in details.items() if value}
    entries, problems, _ = read(transformations=[{"type": "groupby", "details": details}])
    assert ([one.value for one in entries.aggregations], problems) == (meant, [])


MORE_STEPS: list[tuple[str, dict[str, Any], str, Any]] = [
    (
        "sort_values",
        {"by": ["a", "b"], "ascending": [False, True]},
        "sort",
        (SortItem("a", True, True), SortItem("b", False, False)),
    ),
    ("sort_values", {"by": "a", "ascending": "false"}, "sort", (SortItem("a", True, True),)),
    ("sort", {"by": "a", "ascending": 0}, "sort", (SortItem("a", True, True),)),
    ("limit", {"head": 5}, "limit", (5, False)),
    ("assign", {"columns": {"x": "a + 1"}}, "derived", DerivedColumn("x", "a + 1")),
    ("derive", {"name": "x", "expression": "a + 1 AS x"}, "derived", DerivedColumn("x", "a + 1")),
    ("fillna", {"value": {"a": 0}}, "derived", DerivedColumn("a", "COALESCE(a, 0)")),
    ("window", {"sql": "rank() over (partition by city order by amount desc) as r"}, "windows", RANK),
    (
        "join",
        {"frame1": "o", "frame2": "c", "keys1": ["customer_id"], "keys2": ["id"]},
        "joins",
        JoinCondition("o", "c", "inner", (), "customer_id", "id"),
    ),
]


@pytest.mark.parametrize(("kind", "details", "into", "meant"), MORE_STEPS)
def test_a_step_in_the_words_of_another_tool(kind: str, details: dict[str, Any], into: str, meant: Any) -> None:
    """Nothing of it is dropped."""
    entries, problems, _ = read(transformations=[{"type": kind, "details": details}])
    assert ([one.value for one in getattr(entries, into)], problems) == ([meant], [])


QUARTER = DerivedColumn("qtr", "date_trunc('quarter', o.day)")


@pytest.mark.parametrize(
    "key", ["date_trunc('quarter', o.day) AS qtr", {"expression": QUARTER.expression, "as": "qtr"}]
)
def test_a_key_of_a_grouping_may_have_a_name(key: Any) -> None:
    """The key is a new column of that name."""
    for specs in (
        {"aggregations": [{**AGGREGATES[0][0], "group_by": [key]}]},
        {"aggregations": ["sum(amount) AS total"], "group_by": [key]},
        {"aggregations": ["sum(amount) AS total"], "transformations": [{"type": "group_by", "by": [key]}]},
    ):
        entries, problems, _ = read(**specs)
        assert [one.value for one in entries.derived] == [QUARTER]
        assert ([one.value.group_by for one in entries.aggregations], problems) == ([("qtr",)], [])


def test_a_name_that_hides_a_column_of_its_key_is_for_a_model() -> None:
    """`o.city AS city` is the column itself."""
    entries, problems, _ = read(aggregations=["sum(amount) AS total"], group_by=["o.city AS city"])
    assert ([one.value.group_by for one in entries.aggregations], problems) == ([("o.city",)], [])
    assert [one.beyond for one in read(aggregations=["sum(a) AS s"], group_by=["lower(city) AS city"])[1]] == [True]


def test_two_names_of_one_new_column_are_refused() -> None:
    """The text names one, the entry another."""
    [problem] = read(derived_columns=[{"name": "x", "expression": "a + 1 AS y"}])[1]
    assert "write one name" in problem.message
