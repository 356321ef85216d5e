"""Reads that lag behind, with probability 0.3, in runs of the function whose process dies somewhere as well."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import graph.checkpoints.dynamodb
from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.invariants import Evidence, violations
from tests.faults.paths import CANCELLED
from tests.faults.stale import Stale
from tests.faults.strikes import Kind, Strike
from tests.faults.struck_runs import CANCEL, Course, asked, begin, course
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres

Patch = pytest.MonkeyPatch

SEEDS = 300
PARTS = 5
SAMPLED = 2
PATHS = ("right at once", "repaired", CANCELLED)
_KILLS: tuple[Kind, ...] = ("killed before", "killed after")
_CODES = (200, 202, 409, 410)
"""Statuses of answers: nothing is refused here, and a late read is no error."""


@contextmanager
def stale_world(folder: Path, endpoint: str, url: str, session: Any) -> Iterator[tuple[AwsWorld, Stale]]:
    """The function in a world whose reads lag behind when they are told to."""
    with pytest.MonkeyPatch.context() as patch, aws_world(folder, endpoint, url, session) as world:
        stale = Stale()
        stale.install(patch)
        yield world, stale


def strike_of(way: Course, drawn: random.Random) -> Strike:
    """Where the run's first process dies: half of them around the start of the job, which is looked for afterwards."""
    starts = [spot for spot in way.spots() if spot[0] in ("glue.StartJobRun", "glue.BatchStopJobRun")]
    spot = drawn.choice(starts if starts and drawn.random() < 0.5 else way.spots())
    return Strike(drawn.choice(_KILLS)).at(*spot)


def wrong(way: Course, stale: Stale, strike: Strike, seed: int) -> list[str]:
    """The invariants that are broken by a run whose reads lag behind."""
    begin(way.world, way.path)
    stale.begin(seed)
    way.world.invoke(asked(way.world, way.path), strike)
    found = way.world.recovered(CANCEL if way.path == CANCELLED else None)
    stale.on = False
    spots = way.spots()
    told_again = spots.index(("events.PutEvents", 1)) <= spots.index((strike.operation, strike.call))
    broken = [f"an answer that does not help: {one}" for one in way.world.answers if one["statusCode"] not in _CODES]
    return [*violations(_looked_at_again(way.world, found), way.expected, told_again=told_again), *broken]


def _looked_at_again(world: AwsWorld, found: Evidence) -> Evidence:
    """The evidence after one more tick, which sees all: the next tick does what one did not see."""
    swept = world.invoke({"action": "sweep"})
    assert swept is not None
    return replace(
        found,
        jobs=list(world.glue.account.jobs),
        staging=world.sales.staging(),
        leases=world.inside.leases(),
        due=swept["body"]["woken"],
    )


def sweep(way: Course, stale: Stale, seeds: Iterable[int], tally: Tally) -> None:
    """One run for each seed."""
    tried, struck = 0, 0
    for seed in seeds:
        strike = strike_of(way, random.Random(seed))
        found = wrong(way, stale, strike, seed)
        tried, struck = tried + 1, struck + way.world.struck
        tally.case("stale reads", not found, f"seed {seed}, {way.path}, {strike}: {'; '.join(found)}")
    assert stale.late > 0, f"none of {stale.reads} reads lagged behind"
    # What lags behind may make a run shorter than the one in which the calls were counted.
    assert 10 * struck >= 9 * tried, f"{struck} of {tried} processes were killed"


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("path", PATHS)
def test_reads_that_lag_behind(
    tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str, path: str, part: int, tally: Tally
) -> None:
    """A hundred seeds on each way, in parts: the run that is woken ends as if all reads were of now."""
    with stale_world(tmp_path, moto_endpoint, postgres_url, boto_session) as (world, stale):
        mine = range(PATHS.index(path) + part * len(PATHS), SEEDS, PARTS * len(PATHS))
        sweep(course(world, path), stale, mine, tally)
    tally.check()


def test_some_reads_that_lag_behind(
    tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str, tally: Tally, monkeypatch: Patch
) -> None:
    """A few seeds; and when the tables are read without ConsistentRead, the first run that goes wrong."""
    consistently = graph.checkpoints.dynamodb._read_consistently
    gone = threading.Event()

    def read(params: dict[str, Any], **more: object) -> dict[str, Any]:
        if gone.is_set():
            return {name: value for name, value in params.items() if name != "ConsistentRead"}
        return consistently(params, **more)

    monkeypatch.setattr(graph.checkpoints.dynamodb, "_read_consistently", read)
    with stale_world(tmp_path, moto_endpoint, postgres_url, boto_session) as (world, stale):
        way = course(world, "right at once")
        sweep(way, stale, range(SAMPLED), tally)
        gone.set()
        missed = any(wrong(way, stale, strike_of(way, random.Random(seed)), seed) for seed in range(1, 9))
        tally.case("guards that are missed when they are gone", missed, "nothing is wrong without consistent reads")
    tally.check()
