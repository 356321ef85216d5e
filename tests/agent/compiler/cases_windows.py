"""Windows over rows and over groups, with the same in SQL."""

from __future__ import annotations

from typing import Any

from tests.agent.compiler.scene import SHOP, aggregate, derive, down, join, names, where, window
from tests.agent.compiler.sql_cases import SALES, SqlCase, windows

BY_REGION: dict[str, Any] = {"partition_by": "region"}

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
    "what grouping uses stands before it, though it names nothing but group keys": SqlCase(
        SALES,
        """SELECT region, size, count(*) FROM (
             SELECT region, CASE WHEN count(*) OVER (PARTITION BY region) > 3 THEN 'big' ELSE 'small' END AS size
             FROM sales) sized GROUP BY region, size""",
        windows(
            window("count", "rows_there", partition_by="region"),
            derived_columns=[derive("size", "CASE WHEN rows_there > 3 THEN 'big' ELSE 'small' END")],
            aggregations=[aggregate("count", "*", "n", "region", "size")],
        ),
        names("region", "size", "n"),
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
