"""Specifications that others wrote: in the form of an upstream generator, by hand, and from other tools.

`tests/data/specifications_of_others.json` holds for each the request in words, the event, and SQL that means it. The
sources' rows are made rows, the same in Spark and in PostgreSQL.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.compiler.reading import Reading, read_specification
from agent.request import Request, parse_request
from agent.sampling.samples import sample_tables
from agent.snapshot import Snapshot, event_snapshot
from tests.agent.compiler.engines_scene import fill, plain, same, selected, transformed

Specimen = dict[str, Any]
_FILE = Path(__file__).parents[2] / "data" / "specifications_of_others.json"
SPECIMENS: list[Specimen] = json.loads(_FILE.read_text())
READ = [pytest.param(one, id=one["name"]) for one in SPECIMENS if one["read"]]
NOT_READ = [pytest.param(one, id=one["name"]) for one in SPECIMENS if not one["read"]]
NOT_COMPARED = {
    "made_up_time": "a made month may be 13, which make_date() refuses in both engines",
    "latest_order_german_customers": "made customers repeat their key, so that the newest order ties",
}
COMPARED = [one for one in READ if one.id not in NOT_COMPARED]


def asked(specimen: Specimen) -> tuple[Request, Snapshot]:
    request = parse_request({"run_id": "r1", **specimen["event"]})
    return request, event_snapshot(request)


def reading_of(specimen: Specimen) -> Reading:
    return read_specification(*asked(specimen))


@pytest.mark.parametrize("specimen", READ)
def test_it_is_read(specimen: Specimen) -> None:
    """Nothing is left open, and the plan stands."""
    reading = reading_of(specimen)
    assert (reading.problems, reading.beyond, reading.unread) == ((), (), ())
    assert reading.plan is not None


@pytest.mark.parametrize("specimen", NOT_READ)
def test_it_is_refused(specimen: Specimen) -> None:
    """Words that no field carries, and what the compiler cannot say; one that is read from now on is marked so."""
    try:
        reading = reading_of(specimen)
    except ValueError:
        return
    assert [*reading.problems, *reading.beyond, *reading.unread] != []


def test_words_alone_are_never_read() -> None:
    """A condition that stands in words alone is named."""
    assert [one["name"] for one in SPECIMENS if one["kind"] == "words" and one["read"]] == []


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.postgres
@pytest.mark.parametrize("specimen", COMPARED)
def test_spark_gives_what_its_sql_gives(ansi_spark: Any, shop: psycopg.Connection, specimen: Specimen) -> None:
    """The rows of the transform are those of the SQL that another author wrote for the request."""
    request, snapshot = asked(specimen)
    rows = sample_tables(request, snapshot)
    got = sorted(map(plain, transformed(ansi_spark, request, snapshot, rows, specimen["columns"])), key=repr)
    answers = []
    for query in specimen["sql"]:
        with shop.transaction(force_rollback=True):
            fill(shop, snapshot, rows)
            answers.append(sorted((plain(row) for row in selected(shop, query, specimen["columns"])), key=repr))
    assert any(same(got, wanted) for wanted in answers), (got, answers)
