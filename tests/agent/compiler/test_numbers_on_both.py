"""Decimal arithmetic gives on Spark what PostgreSQL gives, to the decimals of the target."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from agent.compiler.reading import read_specification
from agent.request import Request, parse_request
from agent.snapshot import Column, Row, Snapshot, Source, Target
from tests.agent.compiler.engines_scene import fill, selected, transformed

_CHANCE = random.Random(20)
COLUMNS = (
    Column(name="k", type="integer", nullable=False),
    Column(name="amount", type="numeric", held="numeric(9,2)"),
    Column(name="rate", type="numeric", held="numeric(7,6)"),
    Column(name="tiny", type="numeric", held="numeric(7,5)"),
    Column(name="money", type="numeric(10,2)"),
    Column(name="share", type="numeric(6,4)"),
    Column(name="pieces", type="integer"),
    Column(name="big", type="bigint"),
)
ROWS: list[Row] = [
    {
        "k": k,
        "amount": f"{_CHANCE.randrange(-(10**8), 10**8) / Decimal(100)}",
        "rate": f"{_CHANCE.randrange(10**6) / Decimal(10**6)}",
        "tiny": f"{_CHANCE.randrange(1, 100) / Decimal(10**5)}",
        "money": f"{_CHANCE.randrange(10**9) / Decimal(100)}",
        "share": f"{_CHANCE.randrange(10**6) / Decimal(10**4)}",
        "pieces": _CHANCE.randrange(1, 50),
        "big": 9007199254740993 + _CHANCE.randrange(4),
    }
    for k in range(399)
]
EXACT = [
    ("round(amount * rate, 4)", 4),
    ("amount * rate", 8),
    ("tiny * tiny", 10),
    ("round(amount * rate * (1 - share / 100), 6)", 6),
    ("money * share", 6),
    ("amount / 3", 12),
    ("money / share", 8),
    ("tiny / pieces", 12),
    ("(amount + money) * rate", 8),
    ("amount - money * rate", 8),
    ("100.0 * pieces / 7", 10),
]
"""An expression, and the decimals of the target: fewer than PostgreSQL gives a quotient, about 16 digits in all."""
AVERAGES = [("amount", 8), ("money", 2), ("pieces", 10), ("big", 4), ("rate", 12)]


def asked(**specs: Any) -> tuple[Request, Snapshot]:
    """A request over the table of numbers, and its snapshot."""
    request = parse_request({"run_id": "r1", "specs": {"source_tables": ["numbers"], **specs}})
    source = Source(key="numbers", table="numbers", columns=COLUMNS)
    return request, Snapshot(sources=(source,), target=Target(name="t", exists=False), origin="database")


def rounded(value: Any, decimals: int) -> Decimal | None:
    """The number as the target keeps it: PostgreSQL rounds half away from zero."""
    unit = Decimal(1).scaleb(-decimals)
    return None if value is None else Decimal(str(value)).quantize(unit, rounding="ROUND_HALF_UP")


@pytest.mark.spark
@pytest.mark.postgres
def test_arithmetic_keeps_the_decimals_of_the_target(ansi_spark: Any, shop: psycopg.Connection) -> None:
    """Plain numeric is read as narrow as its values, so that no decimal is lost beyond 38 digits."""
    names = [f"x{place}" for place in range(len(EXACT))]
    derived = [{"name": name, "expression": text} for name, (text, _) in zip(names, EXACT, strict=True)]
    columns = ["k", *names]
    request, snapshot = asked(derived_columns=derived, target_table={"name": "t", "columns": columns})
    got = {row[0]: row[1:] for row in transformed(ansi_spark, request, snapshot, {"numbers": ROWS}, columns)}
    with shop.transaction(force_rollback=True):
        fill(shop, snapshot, {"numbers": ROWS})
        listed = ", ".join(f"{_as_numeric(text)} AS {name}" for name, (text, _) in zip(names, EXACT, strict=True))
        wanted = {row[0]: row[1:] for row in selected(shop, f"SELECT k, {listed} FROM numbers", columns)}
    differ = [
        (text, k, got[k][place], wanted[k][place])
        for place, (text, decimals) in enumerate(EXACT)
        for k in wanted
        if rounded(got[k][place], decimals) != rounded(wanted[k][place], decimals)
    ]
    assert (len(got), differ) == (399, [])


def _as_numeric(text: str) -> str:
    """The expression for PostgreSQL, which divides integers without a fraction."""
    return text.replace("pieces", "pieces::numeric")


@pytest.mark.spark
@pytest.mark.postgres
def test_averages_are_rounded_once(ansi_spark: Any, shop: psycopg.Connection) -> None:
    """Also those of integers, which never go by way of a double."""
    columns = [name for name, _ in AVERAGES]
    entries = [{"function": "avg", "column": name, "alias": f"{name}_mean"} for name in columns]
    means = [f"{name}_mean" for name in columns]
    request, snapshot = asked(aggregations=entries, target_table={"name": "t", "columns": means})
    (got,) = transformed(ansi_spark, request, snapshot, {"numbers": ROWS}, means)
    with shop.transaction(force_rollback=True):
        fill(shop, snapshot, {"numbers": ROWS})
        listed = ", ".join(f"avg({name}) AS {name}_mean" for name in columns)
        (wanted,) = selected(shop, f"SELECT {listed} FROM numbers", means)
    found = [rounded(value, decimals) for value, (_, decimals) in zip(got, AVERAGES, strict=True)]
    assert found == [rounded(value, decimals) for value, (_, decimals) in zip(wanted, AVERAGES, strict=True)]


@pytest.mark.spark
@pytest.mark.postgres
def test_a_quotient_of_sums_keeps_its_decimals(ansi_spark: Any, shop: psycopg.Connection) -> None:
    """A sum has digits before the point that no real sum needs; they are given up, and a larger sum is an error."""
    entries = [
        {"function": "sum", "column": "money * (1 - share / 100)", "alias": "part"},
        {"function": "sum", "column": "money * share", "alias": "whole"},
    ]
    derived = [{"name": "ratio", "expression": "100.0 * part / whole"}]
    request, snapshot = asked(
        aggregations=entries, derived_columns=derived, target_table={"name": "t", "columns": ["ratio"]}
    )
    ((got,),) = transformed(ansi_spark, request, snapshot, {"numbers": ROWS}, ["ratio"])
    with shop.transaction(force_rollback=True):
        fill(shop, snapshot, {"numbers": ROWS})
        text = "100.0 * sum(money * (1 - share / 100)) / sum(money * share)"
        ((wanted,),) = selected(shop, f"SELECT {text} AS ratio FROM numbers", ["ratio"])
    assert rounded(got, 9) == rounded(wanted, 9)


def test_a_product_that_loses_decimals_is_noted_or_refused() -> None:
    """Two operands whose values need all their digits."""
    wide = tuple(column.model_copy(update={"held": ""}) for column in COLUMNS)
    request, snapshot = asked(
        derived_columns=[{"name": "x", "expression": "amount * rate"}], target_table={"name": "t", "columns": ["x"]}
    )
    source = snapshot.sources[0].model_copy(update={"columns": wide})
    reading = read_specification(request, snapshot.model_copy(update={"sources": (source,)}))
    told = [*(note.message for note in reading.notes), *(problem.message for problem in reading.beyond)]
    assert any("6 decimals" in message for message in told)
