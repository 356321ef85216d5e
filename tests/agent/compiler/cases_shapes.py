"""Unions, pivots, joins, and rows that are cut off, with the same in SQL."""

from __future__ import annotations

from typing import Any

from tests.agent.compiler.scene import ORDERS, aggregate, aliased, derive, down, names, step, where
from tests.agent.compiler.sql_cases import SALES, SqlCase, windows


def pivot(function: str, column: str, values: list[Any], *group_by: str, of: str | None = None) -> dict[str, Any]:
    """An entry of `transformations` of type pivot."""
    value = {} if of is None else {"value_column": of}
    return step("pivot", column=column, values=values, function=function, group_by=list(group_by), **value)


CUTS = {
    "the first rows with those that tie with the last": SqlCase(
        SALES,
        "SELECT sale_id, amount FROM sales ORDER BY amount DESC FETCH FIRST 4 ROWS WITH TIES",
        windows(step("sort", columns=["amount"], order="desc"), step("limit", n=4, with_ties=True)),
        names("sale_id", "amount"),
    ),
    "ties by a column outside the result": SqlCase(
        SALES,
        "SELECT rep FROM sales WHERE amount IS NOT NULL ORDER BY amount DESC FETCH FIRST 2 ROWS WITH TIES",
        windows(
            step("sort", columns=["amount"], order="desc"),
            step("limit", n=2, with_ties=True),
            filters=[where("amount", "IS NOT NULL")],
        ),
        names("rep"),
    ),
    "ties between distinct rows": SqlCase(
        SALES,
        "SELECT DISTINCT paid, region FROM sales ORDER BY paid FETCH FIRST 1 ROWS WITH TIES",
        windows({"type": "distinct"}, step("sort", columns=["paid"]), step("limit", n=1, with_ties=True)),
        names("paid", "region"),
    ),
    "ties between groups": SqlCase(
        SALES,
        "SELECT region, count(*) FROM sales GROUP BY region ORDER BY count(*) DESC FETCH FIRST 1 ROWS WITH TIES",
        windows(
            step("sort", columns=["n"], order="desc"),
            step("limit", n=1, with_ties=True),
            aggregations=[aggregate("count", "*", "n", "region")],
        ),
    ),
    "a sort puts NULLs where PostgreSQL does": SqlCase(
        SALES,
        "SELECT rep, sale_id FROM sales ORDER BY rep, sale_id DESC",
        windows(step("sort", columns=["rep", {"column": "sale_id", "order": "desc"}])),
        names("rep", "sale_id"),
        ordered=True,
    ),
    "a sort and a limit put NULLs where they say": SqlCase(
        SALES,
        "SELECT amount, sale_id FROM sales ORDER BY amount DESC NULLS LAST, sale_id LIMIT 5",
        windows(step("sort", columns=[down("amount", nulls="last"), "sale_id"]), step("limit", n=5)),
        names("amount", "sale_id"),
        ordered=True,
    ),
    "distinct groups of a derived CASE": SqlCase(
        SALES,
        """SELECT DISTINCT CASE WHEN amount >= 20 THEN 'large' WHEN amount IS NULL THEN NULL ELSE 'small' END,
                  region FROM sales""",
        windows(
            {"type": "distinct"},
            derived_columns=[
                derive("size", "CASE WHEN amount >= 20 THEN 'large' WHEN amount IS NULL THEN NULL ELSE 'small' END")
            ],
        ),
        names("size", "region"),
    ),
}

SHAPES = {
    "a union keeps every row and takes columns by name": SqlCase(
        ["spring", "autumn"],
        "SELECT city, amount, units FROM spring UNION ALL SELECT city, amount, units FROM autumn",
        windows(step("union", tables=["spring", "autumn"], all=True)),
        names("city", "amount", "units"),
    ),
    "a union without all keeps equal rows once": SqlCase(
        ["spring", "autumn"],
        "SELECT city, amount, units FROM spring UNION SELECT city, amount, units FROM autumn",
        windows(step("union", tables=["spring", "autumn"], all=False, alias="whole")),
    ),
    "a union is joined, grouped and filtered like one table": SqlCase(
        ["regions", "autumn", "spring"],
        """SELECT r.region, sum(s.amount)
           FROM (SELECT city, amount FROM spring UNION ALL SELECT city, amount FROM autumn) s
           LEFT JOIN regions r ON r.city = s.city WHERE s.amount < 2.1 GROUP BY r.region""",
        windows(
            step("union", tables=["spring", "autumn"], all=True, alias="s", columns=["city", "amount"]),
            join_conditions=[{"left_table": "s", "right_table": "regions", "join_type": "left", "on_columns": "city"}],
            filters=[where("s.amount", "<", 2.1)],
            aggregations=[aggregate("sum", "amount", "total", "region")],
        ),
    ),
    "one table twice in a union": SqlCase(
        [aliased("orders", "a"), aliased("orders", "b")],
        "SELECT note, order_id FROM orders UNION ALL SELECT note, order_id FROM orders",
        windows(step("union", tables=["a", "b"], all=True, columns=["note", "order_id"])),
    ),
    "listed values become columns": SqlCase(
        SALES,
        """SELECT region, sum(amount) FILTER (WHERE paid), sum(amount) FILTER (WHERE NOT paid), count(*)
           FROM sales GROUP BY region""",
        windows(
            pivot("sum", "paid", [{"value": True, "alias": "paid_sum"}, False], "region", of="amount"),
            aggregations=[aggregate("count", "*", "n", "region")],
        ),
        names("region", "paid_sum", "false", "n"),
    ),
    "a pivot counts rows, values and distinct values": SqlCase(
        SALES,
        """SELECT count(*) FILTER (WHERE region = 'north'), count(DISTINCT units) FILTER (WHERE region = 'north'),
                  sum(units) FILTER (WHERE region = 'north'), round(avg(amount) FILTER (WHERE region = 'south'), 4)
           FROM sales""",
        windows(
            pivot("count", "region", ["north"]),
            pivot("count_distinct", "region", [{"value": "north", "alias": "kinds"}], of="units"),
            pivot("sum", "region", [{"value": "north", "alias": "units_there"}], of="units"),
            pivot("avg", "region", [{"value": "south", "alias": "mean"}], of="amount"),
            derived_columns=[derive("mean_4", "round(mean, 4)")],
        ),
        names("north", "kinds", "units_there", "mean_4"),
    ),
    "a pivot on a padded column compares without its padding": SqlCase(
        ["customers"],
        "SELECT count(*) FILTER (WHERE code = 'A'), count(*) FILTER (WHERE code = 'Z') FROM customers",
        windows(pivot("count", "code", ["A", "Z"])),
    ),
    "a pivot on dates and on a derived column": SqlCase(
        ORDERS,
        """SELECT customer_id, max(amount) FILTER (WHERE placed = '2024-01-01'),
                  min(order_id) FILTER (WHERE extract(month FROM placed) = 1) FROM orders GROUP BY customer_id""",
        windows(
            pivot("max", "placed", ["2024-01-01"], "customer_id", of="amount"),
            pivot("min", "month", [{"value": 1, "alias": "january"}], "customer_id", of="order_id"),
            derived_columns=[derive("month", "month(placed)")],
        ),
    ),
    "global aggregates are filtered and derived from": SqlCase(
        SALES,
        "SELECT CASE WHEN count(*) > 5 THEN 'many' ELSE 'few' END, sum(amount) FROM sales HAVING sum(amount) > 1000",
        windows(
            aggregations=[aggregate("count", "*", "n"), aggregate("sum", "amount", "total")],
            derived_columns=[derive("size", "CASE WHEN n > 5 THEN 'many' ELSE 'few' END")],
            filters=[where("total", ">", 1000)],
        ),
        names("size", "total"),
    ),
}


SPAN = "o.placed >= p.since AND (p.until IS NULL OR o.placed <= p.until) AND p.city <> 'Oslo'"


def _range_join(join_type: str) -> SqlCase:
    """Orders with the prices of a span of dates: a condition without any equality, which PostgreSQL joins in part."""
    word = "LEFT" if join_type == "outer" else join_type.upper()
    query = f"SELECT o.order_id, p.price FROM orders o {word} JOIN prices p ON {SPAN}"
    if join_type == "outer":
        unmatched = f"NOT EXISTS (SELECT FROM orders o WHERE {SPAN})"
        query += f" UNION ALL SELECT NULL, p.price FROM prices p WHERE {unmatched}"
    condition = {"left_table": "o", "right_table": "p", "join_type": join_type, "condition": SPAN}
    return SqlCase(
        [aliased("orders", "o"), aliased("prices", "p")],
        query,
        {"join_conditions": [condition]},
        names("order_id", "price"),
    )


def _several_columns(join_type: str) -> SqlCase:
    """Two tables joined on two columns whose types differ in width."""
    word = "FULL" if join_type == "outer" else join_type.upper()
    pairs = {"left_table": "a", "right_table": "b", "join_type": join_type, "on_columns": ["city", "units"]}
    return SqlCase(
        [aliased("spring", "a"), aliased("autumn", "b")],
        f"""SELECT coalesce(a.city, b.city), a.amount, b.amount
            FROM spring a {word} JOIN autumn b ON a.city = b.city AND a.units = b.units""",
        {
            "join_conditions": [pairs],
            "derived_columns": [derive("spring_amount", "a.amount"), derive("autumn_amount", "b.amount")],
        },
        names("city", "spring_amount", "autumn_amount"),
    )


def _itself(join_type: str) -> SqlCase:
    """A table joined with itself on different columns and another condition."""
    word = "FULL" if join_type == "outer" else join_type.upper()
    on = "worker.boss = chief.id AND worker.name <> 'Cy'"
    condition = {"left_table": "worker", "right_table": "chief", "join_type": join_type, "condition": on}
    return SqlCase(
        [aliased("employees", "worker"), aliased("employees", "chief")],
        f"SELECT worker.name, chief.name FROM employees worker {word} JOIN employees chief ON {on}",
        {
            "join_conditions": [condition],
            "derived_columns": [derive("who", "worker.name"), derive("under", "chief.name")],
        },
        names("who", "under"),
    )


def _all_ways(join_type: str) -> SqlCase:
    """Shared columns, differently named ones and a condition at once: all must hold."""
    word = "FULL" if join_type == "outer" else join_type.upper()
    said = {"left_table": "a", "right_table": "b", "join_type": join_type, "on_columns": "city"}
    more = {"left_column": "units", "right_column": "units", "condition": "b.amount < 2"}
    return SqlCase(
        [aliased("spring", "a"), aliased("autumn", "b")],
        f"""SELECT coalesce(a.city, b.city), a.units, b.amount
            FROM spring a {word} JOIN autumn b ON a.city = b.city AND a.units = b.units AND b.amount < 2""",
        {
            "join_conditions": [{**said, **more}],
            "derived_columns": [derive("spring_units", "a.units"), derive("autumn_amount", "b.amount")],
        },
        names("city", "spring_units", "autumn_amount"),
    )


KINDS = ("inner", "left", "right", "outer")
JOINS = {
    **{f"the {kind} join on a span of dates": _range_join(kind) for kind in KINDS},
    **{f"the {kind} join on two columns": _several_columns(kind) for kind in KINDS},
    **{f"the {kind} join said in all ways at once": _all_ways(kind) for kind in KINDS},
    **{f"the {kind} join of a table with itself": _itself(kind) for kind in KINDS},
}
