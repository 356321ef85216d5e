"""The known name that a mistyped one stands for, as messages tell it."""

from __future__ import annotations

import pytest

from agent.nearest import did_you_mean, most_similar, nearest

JOINS = ("inner", "left", "right", "outer")
FUNCTIONS = ("sum", "avg", "count", "min", "max", "count_distinct")
TYPES = ("aggregate", "derive", "distinct", "filter", "join", "limit", "rename", "select", "sort", "union", "window")
ROW_FUNCTIONS = ("ceil", "coalesce", "concat", "lower", "lpad", "upper")
COLUMNS = ("customer_id", "first_name", "last_name", "start_date", "end_date", "order_amount", "status", "country")

SAME = [
    ("lefft", JOINS, "left"), ("LEFT", JOINS, "left"), ("rigth", JOINS, "right"), ("innner", JOINS, "inner"),
    ("full_outer", JOINS, "outer"), ("full", JOINS, "outer"), ("left_outer", JOINS, "left"), ("oter", JOINS, "outer"),
    ("summ", FUNCTIONS, "sum"), ("sums", FUNCTIONS, "sum"), ("mean", FUNCTIONS, "avg"), ("average", FUNCTIONS, "avg"),
    ("cuont", FUNCTIONS, "count"), ("maximum", FUNCTIONS, "max"), ("nunique", FUNCTIONS, "count_distinct"),
    ("countDistinct", FUNCTIONS, "count_distinct"), ("count-distinct", FUNCTIONS, "count_distinct"),
    ("where", TYPES, "filter"), ("filters", TYPES, "filter"), ("fliter", TYPES, "filter"), ("order_by", TYPES, "sort"),
    ("orderBy", TYPES, "sort"), ("group_by", TYPES, "aggregate"), ("agregate", TYPES, "aggregate"),
    ("drop_duplicates", TYPES, "distinct"), ("withColumn", TYPES, "derive"), ("renam", TYPES, "rename"),
    ("ustomer_id", COLUMNS, "customer_id"), ("custmer_id", COLUMNS, "customer_id"),
    ("customerId", COLUMNS, "customer_id"), ("Customer ID", COLUMNS, "customer_id"),
    ("fist_name", COLUMNS, "first_name"),
    ("frist_name", COLUMNS, "first_name"), ("satrt_date", COLUMNS, "start_date"), ("amount", COLUMNS, "order_amount"),
    ("statuss", COLUMNS, "status"), ("contry", COLUMNS, "country"), ("order_amounts", COLUMNS, "order_amount"),
    ("uper", ROW_FUNCTIONS, "upper"), ("coalesc", ROW_FUNCTIONS, "coalesce"), ("lcase", ROW_FUNCTIONS, "lower"),
    ("varchr", ("varchar", "char", "text"), "varchar"), ("intger", ("integer", "interval"), "integer"),
    ("int8", ("integer", "bigint"), "bigint"), ("float8", ("real", "double"), "double"),
    ("upsert", ("overwrite", "append", "merge"), "merge"), ("months", ("month", "minute"), "month"),
]  # fmt: skip
OTHERS = [
    ("median", FUNCTIONS), ("mode", FUNCTIONS), ("mod", FUNCTIONS), ("first", FUNCTIONS), ("last", FUNCTIONS),
    ("string_agg", FUNCTIONS), ("approx_count_distinct", FUNCTIONS), ("corr", FUNCTIONS), ("percentile", FUNCTIONS),
    ("left_anti", JOINS), ("left_semi", JOINS), ("anti", JOINS), ("cross", JOINS), ("right_anti", JOINS),
    ("natural", JOINS), ("lateral", JOINS), ("asof", JOINS),
    ("explode", ("exp", "expm1", "upper")), ("to_date", ("to_char", "to_json")),
    ("date_add", ("date_sub", "date_diff")),
    ("year", ("years_between", "day")), ("lead", ("lag", "least")), ("rank", ("rand", "row_number")),
    ("least", ("last", "left")), ("ltrim", ("rtrim", "btrim")), ("lower", ("floor", "power")),
    ("month", ("mode", "mod")),
    ("pivot", ("union", "filter")), ("unpivot", ("pivot",)), ("melt", ("merge",)), ("explode", TYPES),
    ("intersect", ("insert",)), ("except", ("exp", "extract")), ("sample", ("sum", "rename")), ("union", ("unique",)),
    ("delete", ("derive", "select")), ("update", ("upper",)), ("date", ("rate", "data")), ("money", ("month", "name")),
    ("timestamp", ("time", "timestamptz")), ("char", ("chr",)), ("real", ("role",)), ("json", ("join",)),
    ("first_name", ("last_name",)), ("customer_name", COLUMNS), ("created_at", ("updated_at",)),
    ("start_date", ("end_date",)), ("paid", ("unpaid",)), ("inactive", ("active",)), ("import", ("export",)),
    ("quantity", ("quality",)), ("county", COLUMNS), ("state", COLUMNS), ("weight", ("height",)),
    ("address1", ("address2",)), ("amount_2023", ("amount_2024",)), ("q1", ("q2",)), ("net_price", ("gross_price",)),
    ("product_id", ("project_id",)), ("store_id", ("score_id",)), ("zzz", COLUMNS), ("", COLUMNS), ("id", ("ip",)),
]  # fmt: skip


@pytest.mark.parametrize(("written", "known", "meant"), SAME, ids=[f"{row[0]}-{row[2]}" for row in SAME])
def test_a_name_that_means_the_same_is_suggested(written: str, known: tuple[str, ...], meant: str) -> None:
    """A slip of the pen, another spelling, a synonym."""
    assert nearest(written, known) == meant


@pytest.mark.parametrize(("written", "known"), OTHERS, ids=[f"{row[0]}-{row[1][0]}" for row in OTHERS])
def test_another_word_is_not_suggested(written: str, known: tuple[str, ...]) -> None:
    """However similar it looks: the message lists the known names instead."""
    assert nearest(written, known) is None
    assert did_you_mean(written, known, listed=True).startswith("; known are ")


def test_a_part_of_several_names_stands_for_none() -> None:
    """Which date was meant, only the writer knows."""
    assert nearest("date", COLUMNS) is None


def test_case_does_not_count() -> None:
    """A name that differs only in its case is the nearest, in the spelling that is known."""
    assert nearest("CUSTOMER_ID", ["customer_name", "Customer_Id"]) == "Customer_Id"


def test_what_is_no_text_has_no_nearest_name() -> None:
    """JSON allows any value where a name is expected."""
    assert nearest(7, ["7"]) is None


def test_the_most_similar_name_is_one_of_the_known() -> None:
    """However far it is, as a hint to a model needs it."""
    assert most_similar("zzz", ["b", "azz"]) == "azz"
    assert most_similar("zzz", []) is None


def test_without_a_near_name_the_known_ones_are_told() -> None:
    """Names stand in their own order, a set's sorted, and at most twelve of them."""
    assert did_you_mean("zzz", ["b", "a", "b"], listed=True) == "; known are b, a"
    assert did_you_mean("zzz", {"b", "a"}, listed=True) == "; known are a, b"
    assert did_you_mean("zzz", [str(n) for n in range(13)], listed=True).endswith("10, 11, ...")
    assert did_you_mean("zzz", [], listed=True) == "; no name is known here"
    assert did_you_mean("zzz", ["b", "a"]) == ""
