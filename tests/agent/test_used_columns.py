"""Column pruning: the columns that a transform can read."""

from __future__ import annotations

import pytest

from agent.used_columns import columns_read

COLUMNS = ["id", "amount", "note", "Order Date", "odd`name", "city"]


def read(body: str, wanted: list[str] | None = None) -> list[str] | None:
    """The columns in their order, for `return` and this body."""
    code = f"def transform(sources):\n    o = sources['o']\n    c = sources['c']\n    return {body}\n"
    found = columns_read(code, COLUMNS, ["total"] if wanted is None else wanted)
    return None if found is None else [name for name in COLUMNS if name in found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('o.groupBy(F.col("o.id").alias("key")).agg(F.sum("o.amount").alias("total"))', ["id", "amount"]),
        ('o.select(F.expr("amount * 2 + length(o.note)").alias("total"))', ["amount", "note"]),
        ('o.select(F.col("o.`Order Date`"), F.col("o.`odd``name`"))', ["Order Date", "odd`name"]),
        ('o.select(F.col("o.AMOUNT").alias("total"))', ["amount"]),
        ('o.join(c, ["city"]).select("total")', ["city"]),
        ('o.select([F.col(name) for name in ["id", "note"]])', ["id", "note"]),
        ('o.agg(F.count("*").alias("total"))', []),
        ('o.agg(F.expr("count(*)").alias("total"))', []),
        (
            'o.select(F.expr("sum(amount) * count(*)"), (F.col("id") * 2 + F.col("id")).alias("total"))',
            ["id", "amount"],
        ),
        ('o.groupBy("city").count().withColumnRenamed("count", "total")', ["city"]),
        ('o.filter("amount > 3").orderBy(F.desc("id")).limit(3).select("total")', ["id", "amount"]),
        ('o.select(F.row_number().over(Window.partitionBy("city").orderBy("id")).alias("total"))', ["id", "city"]),
    ],
)
def test_only_what_is_named_is_read(body: str, found: list[str]) -> None:
    """The kind of mention and its case do not count."""
    assert read(body) == found


def test_what_the_target_takes_is_read_unnamed() -> None:
    """The function may pass the column through."""
    assert read('o.filter("amount > 1")', ["NOTE", "id"]) == ["id", "amount", "note"]


@pytest.mark.parametrize(
    "body",
    [
        'o.select("o.*")',
        'o.select("*")',
        'o.select(F.expr("struct(*)"))',
        "o.select(o.columns)",
        "o.distinct()",
        'o.dropDuplicates(["id"])',
        'o.drop("note")',
        "o.union(c)",
        'o.toDF("a", "b")',
        "o.na.fill(0)",
        'o.groupBy("city").sum()',
        'o.select(F.col(f"o.{key}"))',
        'o.select(F.col("o." + key))',
        'o.select(F.col("o.%s" % key))',
        'o.select(F.col("o.".join(["a"])))',
        'o.select(F.col("AMOUNT".lower()))',
        'o.select(F.col("o.{}".replace("{}", key)))',
        'o.select([F.col(left + right) for left in ["amo"] for right in ["unt"]])',
        'o.join(c).select("total")',
        'o.select(F.expr("count(distinct *)"))',
        "o.select(F.expr(\"concat_ws('|', *)\"))",
        'o.select(F.expr("hash(id, *)"))',
        "o.select(F.col(key[0] + key[1]))",
        'o.select(F.col(str("am") + str("ount")))',
        'o.colRegex("`a.*`")',
        'o.selectExpr("amount")',
        'o.select(o[0].alias("total"))',
        'o.orderBy(F.lit(1)).limit(1).select("total")',
        'o.select(F.hash(*o).alias("total"))',
        'o.select(F.expr("hash(/**/*)").alias("total"))',
        'o.select(F.col(str(2024)).alias("total"))',
        'o.select(*map(lambda name: F.col(name), ["id"]))',
        'o.select(F.col("tnuoma"[::-1]))',
        "o.select([one.name for one in o.schema])",
        'o.select(F.col("x_amount".removeprefix("x_")))',
    ],
)
def test_where_a_name_may_come_about_otherwise_all_are_read(body: str) -> None:
    """Whole rows read all columns too."""
    assert read(body) is None


def test_an_open_target_takes_all_columns() -> None:
    """The target gets whatever the function returns."""
    assert read('o.select("id")', []) is None


@pytest.mark.parametrize(
    "line", ["from pyspark.sql.functions import col", "def one(name):\n        return F.col(name)", "import re"]
)
def test_helpers_and_imports_hide_what_is_read(line: str) -> None:
    """With a function or an import of its own a transform reads all columns."""
    code = f"def transform(sources):\n    {line}\n    return sources['o'].select(F.col('id').alias('total'))\n"
    assert columns_read(code, COLUMNS, ["total"]) is None
