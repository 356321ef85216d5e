"""Specifications over the shop, each with the same said in SQL by hand; PostgreSQL gives the rows that are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.agent.compiler_scene import ORDERS, SHOP, aggregate, aliased, derive, down, join, names, step, where, window

SALES: list[Any] = ["sales"]
BY_REGION: dict[str, Any] = {"partition_by": "region"}


@dataclass(frozen=True)
class SqlCase:
    """A specification and a query that means the same."""

    sources: list[Any]
    sql: str
    specs: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    ordered: bool = False


def windows(*entries: dict[str, Any], **specs: Any) -> dict[str, Any]:
    """A specification with these transformations."""
    return {"transformations": list(entries), **specs}


def pivot(function: str, column: str, values: list[Any], *group_by: str, of: str | None = None) -> dict[str, Any]:
    """An entry of `transformations` of type pivot."""
    value = {} if of is None else {"value_column": of}
    return step("pivot", column=column, values=values, function=function, group_by=list(group_by), **value)


WINDOWS = {
    "the three rankings differ where rows tie": SqlCase(
        SALES,
        """SELECT sale_id, rank() OVER w, dense_rank() OVER w FROM sales
           WINDOW w AS (PARTITION BY region ORDER BY amount DESC)""",
        windows(
            window("rank", "place", **BY_REGION, order_by=[down("amount")]),
            window("dense_rank", "dense", **BY_REGION, order_by=[down("amount")]),
        ),
        names("sale_id", "place", "dense"),
    ),
    "NULLs are the largest when ascending": SqlCase(
        SALES,
        "SELECT sale_id, row_number() OVER (ORDER BY amount, sale_id) FROM sales",
        windows(window("row_number", "n", order_by=["amount", "sale_id"])),
        names("sale_id", "n"),
    ),
    "NULLs stand where the order says": SqlCase(
        SALES,
        """SELECT sale_id, rank() OVER (ORDER BY amount DESC NULLS LAST, sold NULLS FIRST) FROM sales""",
        windows(window("rank", "n", order_by=[down("amount", nulls="last"), {"column": "sold", "nulls": "first"}])),
        names("sale_id", "n"),
    ),
    "the newest row of each key": SqlCase(
        SALES,
        "SELECT DISTINCT ON (rep) rep, sale_id, amount FROM sales ORDER BY rep, sold DESC, sale_id",
        windows(
            window("row_number", "nth", partition_by=["rep"], order_by=[down("sold"), "sale_id"]),
            filters=[where("nth", "=", 1)],
        ),
        names("rep", "sale_id", "amount"),
    ),
    "the first two of each group, with ties": SqlCase(
        SALES,
        """SELECT * FROM (SELECT region, amount, rank() OVER (PARTITION BY region ORDER BY amount) AS place FROM sales
           WHERE amount IS NOT NULL) ranked WHERE place <= 2""",
        windows(
            window("rank", "place", **BY_REGION, order_by="amount"),
            filters=[where("amount", "IS NOT NULL"), where("place", "<=", 2)],
        ),
        names("region", "amount", "place"),
    ),
    "lag and lead give the neighbours": SqlCase(
        SALES,
        """SELECT sale_id, lag(amount) OVER w, lead(sold, 2) OVER w FROM sales
           WINDOW w AS (PARTITION BY region ORDER BY sold, sale_id)""",
        windows(
            window("lag", "before", column="amount", **BY_REGION, order_by=["sold", "sale_id"]),
            window("lead", "later", column="sold", offset=2, **BY_REGION, order_by=["sold", "sale_id"]),
        ),
        names("sale_id", "before", "later"),
    ),
    "a default stands for a missing row, not for a NULL": SqlCase(
        SALES,
        """SELECT sale_id, lag(amount, 1, 0.5) OVER w, lead(units, 1, -1) OVER w, lag(rep, 2, 'none') OVER w,
                  lead(paid, 1, true) OVER w, lag(sold, 1, DATE '2000-01-01') OVER w, lead(rate, 1, 9.5) OVER w
           FROM sales WINDOW w AS (PARTITION BY region ORDER BY sale_id)""",
        windows(
            *(
                window(function, alias, column=column, default=default, offset=rows, **BY_REGION, order_by="sale_id")
                for function, alias, column, rows, default in [
                    ("lag", "a", "amount", 1, 0.5),
                    ("lead", "b", "units", 1, -1),
                    ("lag", "c", "rep", 2, "none"),
                    ("lead", "d", "paid", 1, True),
                    ("lag", "e", "sold", 1, "2000-01-01"),
                    ("lead", "f", "rate", 1, 9.5),
                ]
            )
        ),
        names("sale_id", *"abcdef"),
    ),
    "a running sum takes the peers of a row with it": SqlCase(
        SALES,
        """SELECT sale_id, sum(amount) OVER w, count(*) OVER w, count(amount) OVER w, min(amount) OVER w,
                  max(rep) OVER w, sum(units) OVER w
           FROM sales WINDOW w AS (PARTITION BY region ORDER BY sold DESC)""",
        windows(
            *(
                window(function, alias, column=column, **BY_REGION, order_by=[down("sold")])
                for function, alias, column in [
                    ("sum", "total", "amount"),
                    ("count", "n", "*"),
                    ("count", "known", "amount"),
                    ("min", "least", "amount"),
                    ("max", "last_rep", "rep"),
                    ("sum", "all_units", "units"),
                ]
            )
        ),
        names("sale_id", "total", "n", "known", "least", "last_rep", "all_units"),
    ),
    "without an order the whole partition counts": SqlCase(
        SALES,
        """SELECT sale_id, sum(amount) OVER p, round(avg(amount) OVER p, 4), max(sold) OVER p, count(*) OVER ()
           FROM sales WINDOW p AS (PARTITION BY region, paid)""",
        windows(
            window("sum", "total", column="amount", partition_by=["region", "paid"]),
            window("avg", "mean", column="amount", partition_by=["region", "paid"]),
            window("max", "latest", column="sold", partition_by=["region", "paid"]),
            window("count", "n"),
            derived_columns=[derive("mean_4", "round(mean, 4)")],
        ),
        names("sale_id", "total", "mean_4", "latest", "n"),
    ),
    "a frame of rows moves": SqlCase(
        SALES,
        """SELECT sale_id, sum(amount) OVER (ORDER BY sale_id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW),
                  count(amount) OVER (ORDER BY sale_id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING),
                  max(amount) OVER (ORDER BY sale_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                  sum(amount) OVER (ORDER BY region RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
           FROM sales""",
        windows(
            window("sum", "a", column="amount", order_by="sale_id", frame="rows between 2 preceding and current row"),
            window("count", "b", column="amount", order_by="sale_id", frame="ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING"),
            window(
                "max",
                "c",
                column="amount",
                order_by="sale_id",
                frame="ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
            ),
            window(
                "sum",
                "d",
                column="amount",
                order_by="region",
                frame="RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            ),
        ),
        names("sale_id", *"abcd"),
    ),
    "filters on columns come before the windows, filters on windows after all of them": SqlCase(
        SALES,
        """SELECT sale_id, n, total FROM (
             SELECT sale_id, row_number() OVER (ORDER BY sale_id) AS n, sum(amount) OVER () AS total
             FROM sales WHERE paid) kept WHERE n > 1""",
        windows(
            window("row_number", "n", order_by="sale_id"),
            window("sum", "total", column="amount"),
            filters=[where("n", ">", 1), where("paid", "=", True)],
        ),
        names("sale_id", "n", "total"),
    ),
    "windows, derived columns and windows over them": SqlCase(
        SALES,
        """SELECT sale_id, step, sum(step) OVER (ORDER BY sale_id) FROM (
             SELECT sale_id, CASE WHEN region IS DISTINCT FROM lag(region) OVER (ORDER BY sale_id) THEN 1 ELSE 0 END
               AS step FROM sales) steps""",
        windows(
            window("sum", "run", column="step", order_by="sale_id"),
            window("lag", "before", column="region", order_by="sale_id"),
            derived_columns=[derive("step", "CASE WHEN region <=> before THEN 0 ELSE 1 END")],
        ),
        names("sale_id", "step", "run"),
    ),
    "a window may be partitioned by a derived column and ordered by a joined one": SqlCase(
        SHOP,
        """SELECT o.order_id, row_number() OVER (PARTITION BY date_trunc('month', o.placed) ORDER BY c.name, o.order_id)
           FROM customers c RIGHT JOIN orders o ON c.customer_id = o.customer_id""",
        {
            **join("right"),
            **windows(
                window("row_number", "n", partition_by=["month"], order_by=["c.name", "o.order_id"]),
                derived_columns=[derive("month", "date_trunc('month', placed)")],
            ),
        },
        names("order_id", "n"),
    ),
    "a shared key of an outer join is one column to a window": SqlCase(
        SHOP,
        """SELECT order_id, rank() OVER (ORDER BY coalesce(c.customer_id, o.customer_id))
           FROM customers c FULL JOIN orders o ON c.customer_id = o.customer_id""",
        {**join("outer"), **windows(window("rank", "n", order_by=["customer_id"]))},
        names("order_id", "n"),
    ),
}

GROUPED_WINDOWS = {
    "groups are ranked, and the best of each kept": SqlCase(
        SALES,
        """SELECT region, rep, total FROM (
             SELECT region, rep, sum(amount) AS total, rank() OVER (PARTITION BY region ORDER BY sum(amount) DESC) AS n
             FROM sales GROUP BY region, rep) ranked WHERE n = 1""",
        windows(
            window("rank", "n", **BY_REGION, order_by=[down("total")]),
            aggregations=[aggregate("sum", "amount", "total", "region", "rep")],
            filters=[where("n", "=", 1)],
        ),
        names("region", "rep", "total"),
    ),
    "the share of a group in all groups": SqlCase(
        SALES,
        """SELECT region, round(100.0 * sum(amount) / sum(sum(amount)) OVER (), 2) FROM sales
           GROUP BY region HAVING count(*) > 1""",
        windows(
            window("sum", "whole", column="total"),
            aggregations=[aggregate("sum", "amount", "total", "region"), aggregate("count", "*", "n", "region")],
            derived_columns=[derive("share", "round(100.0 * total / whole, 2)")],
            filters=[where("n", ">", 1)],
        ),
        names("region", "share"),
    ),
    "a window that only the rows can give stands before grouping": SqlCase(
        SALES,
        """SELECT region, sum(amount) FROM (
             SELECT region, amount, row_number() OVER (PARTITION BY rep ORDER BY sale_id DESC) AS n FROM sales) newest
           WHERE n = 1 GROUP BY region""",
        windows(
            window("row_number", "n", partition_by="rep", order_by=[down("sale_id")]),
            aggregations=[aggregate("sum", "amount", "total", "region")],
            filters=[where("n", "=", 1)],
        ),
        names("region", "total"),
    ),
    "what grouping uses stands before it": SqlCase(
        SALES,
        """SELECT size, count(*) FROM (
             SELECT CASE WHEN count(*) OVER (PARTITION BY region) > 3 THEN 'big' ELSE 'small' END AS size
             FROM sales) sized GROUP BY size""",
        windows(
            window("count", "rows_there", partition_by="region"),
            derived_columns=[derive("size", "CASE WHEN rows_there > 3 THEN 'big' ELSE 'small' END")],
            aggregations=[aggregate("count", "*", "n", "size")],
        ),
        names("size", "n"),
    ),
    "a window over group keys counts groups": SqlCase(
        SALES,
        "SELECT region, paid, count(*) OVER (PARTITION BY region) FROM sales GROUP BY region, paid",
        windows(
            window("count", "groups_there", partition_by="region"),
            aggregations=[aggregate("max", "amount", "most", "region", "paid")],
        ),
        names("region", "paid", "groups_there"),
    ),
    "windows before and after one grouping": SqlCase(
        SALES,
        """SELECT region, gain, rank() OVER (ORDER BY gain DESC) FROM (
             SELECT region, sum(amount - was) AS gain FROM (
               SELECT region, amount, lag(amount) OVER (PARTITION BY region ORDER BY sale_id) AS was FROM sales) told
             GROUP BY region) gains""",
        windows(
            window("lag", "was", column="amount", **BY_REGION, order_by="sale_id"),
            window("rank", "place", order_by=[down("gain")]),
            derived_columns=[derive("change", "CAST(amount - was AS decimal(12,2))")],
            aggregations=[aggregate("sum", "change", "gain", "region")],
        ),
        names("region", "gain", "place"),
    ),
}

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
CASES = {**WINDOWS, **GROUPED_WINDOWS, **CUTS, **SHAPES, **JOINS}
