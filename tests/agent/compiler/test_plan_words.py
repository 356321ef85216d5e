"""A plan in words: what `datamorph check` prints of it."""

from __future__ import annotations

from typing import Any

from agent.compiler.plan_words import plan_words
from agent.compiler.reading import build_plan
from tests.agent.compiler.scene import ORDERS, SHOP, aliased, request_for, snapshot_for, where

JOIN = {"left_table": "o", "right_table": "c", "join_type": "left", "on_columns": "customer_id"}
TOTAL = {"function": "sum", "column": "amount", "alias": "total", "group_by": ["city"]}
BY_CITY = {"function": "count_distinct", "column": "order_id", "alias": "orders", "group_by": ["city"]}


def words(sources: list[Any], unique: dict[str, tuple[tuple[str, ...], ...]] | None = None, **specs: Any) -> Any:
    """The words of a specification; `unique` gives unique keys by source."""
    request = request_for(sources, **specs)
    snapshot = snapshot_for(request)
    known = [one.model_copy(update={"unique_keys": (unique or {}).get(one.key, ())}) for one in snapshot.sources]
    snapshot = snapshot.model_copy(update={"sources": tuple(known)})
    return plan_words(build_plan(request, snapshot), snapshot)


def test_each_step_is_a_sentence_in_the_order_of_execution() -> None:
    """Kinds without a step are left out."""
    found = words(
        [aliased("orders", "o"), aliased("customers", "c")],
        join_conditions=[JOIN],
        derived_columns=[{"name": "doubled", "expression": "amount * 2"}, {"name": "mean", "expression": "total / 2"}],
        filters=[where("doubled", ">", 2), where("total", "BETWEEN", [1, 99]), where("note", "IN", ["a", "b"])],
        aggregations=[TOTAL, BY_CITY],
        transformations=[
            {"type": "sort", "details": {"columns": ["total", "city"], "order": "desc"}},
            {"type": "limit", "details": {"n": 3}},
        ],
    )
    assert list(found) == [
        "sources", "joins", "new columns", "filters", "groups", "new columns of groups", "filters of groups",
        "columns", "order",
    ]  # fmt: skip
    assert found["sources"] == ["orders as o", "customers as c"]
    assert found["filters"] == ["keep rows where doubled > 2", "keep rows where o.note IN ('a', 'b')"]
    assert found["groups"] == [
        "one row for each c.city",
        "total = sum of o.amount",
        "orders = number of different values of o.order_id",
    ]
    assert found["filters of groups"] == ["keep rows where total BETWEEN 1 AND 99"]
    assert found["order"] == ["sorted by total descending, city descending", "the first 3 rows"]


def test_each_column_of_the_result_names_its_origin() -> None:
    """A source's column, a formula, an aggregate or a window."""
    rank = {"function": "rank", "name": "place", "partition_by": ["customer_id"], "order_by": [{"column": "amount"}]}
    found = words(
        ORDERS,
        {},
        target={"columns": ["order_id", "doubled", "place"]},
        derived_columns=[{"name": "doubled", "expression": "amount * 2"}],
        transformations=[{"type": "window", "details": rank}],
    )
    assert found["columns"] == [
        "order_id = orders.order_id",
        "doubled = orders.amount * 2",
        "place = rank() over (partition by orders.customer_id order by orders.amount)",
    ]


def test_a_join_on_a_unique_key_multiplies_no_rows() -> None:
    """The whole key must be among the equal columns; without it the sentence warns."""
    sources = [aliased("orders", "o"), aliased("customers", "c")]
    [unique] = words(sources, {"c": (("customer_id",),)}, join_conditions=[JOIN])["joins"]
    assert unique == (
        "left join c on o.customer_id = c.customer_id: each row meets at most one row of c, which is unique by "
        "customer_id; rows without a partner keep NULL in the columns of c"
    )
    for keys in ((), (("customer_id", "name"),)):
        [join] = words(sources, {"c": keys}, join_conditions=[JOIN])["joins"]
        assert "may multiply rows, as c is not known to be unique by customer_id;" in join


def test_a_long_list_is_cut() -> None:
    """The number of the other values stands in it."""
    [kept] = words(ORDERS, filters=[where("order_id", "IN", list(range(1000)))])["filters"]
    assert kept == "keep rows where orders.order_id IN (0, 1, 2, 3, 4, … 995 more)"


def test_a_source_tells_its_size() -> None:
    """As PostgreSQL estimates it."""
    request = request_for(SHOP[:1])
    snapshot = snapshot_for(request)
    sized = snapshot.sources[0].model_copy(update={"rows_estimate": 12_000})
    snapshot = snapshot.model_copy(update={"sources": (sized,)})
    assert plan_words(build_plan(request, snapshot), snapshot)["sources"] == ["customers as c, about 12,000 rows"]
