"""The session of a publish cut off at every statement, and at any moment, under somebody who reads the target."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Sequence

import psycopg
import pytest

from tests.faults.cuts import CUTS, OURS, Cuts, How, armed
from tests.faults.publish_scene import (
    MODES,
    SAMPLED,
    Mode,
    PublishScene,
    Turn,
    publish_scene,
    state_of,
    statements,
    tried,
)
from tests.faults.reader import Reader
from tests.faults.tally import Tally
from tools.records import Published

pytestmark = pytest.mark.postgres

_TRIES = 5
_SHARE = 0.5
"""For each round so many publishes must be cut off; usually four in five are."""
_READS = 3
"""Beside each publish, on average."""
KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND datname = %s"


def wrong(scene: PublishScene, turn: Turn, came: str) -> str:
    """The violation after a publish that was cut off, and after its repetition; empty when there is none."""
    state = scene.state()
    if came not in ("published", "transient"):
        return f"the publish gave {came!r}"
    if state not in ({state_of(turn.after)} if came == "published" else turn.allowed):
        return f"after {came!r} the target is neither as before nor as after"
    again = scene.database.publish(turn.order, turn.snapshot)
    if not isinstance(again, Published) or again.already is not (state == state_of(turn.after)):
        return f"the repetition gave {again}"
    scene.published(turn)
    if scene.state() != state_of(turn.after) or scene.entries(turn) != 1:
        return "the repetition did not bring the rows, once"
    return ""


def cut_at(scene: PublishScene, cuts: Cuts, at: Sequence[int], how: How, tally: Tally) -> None:
    """One case: a publish cut off at these statements, and repeated."""
    turn = scene.turn()
    cuts.again(at, how)
    came = tried(scene, turn)
    made = tuple(cuts.made)
    cuts.again()
    found = wrong(scene, turn, came) if made == tuple(at) else f"cut at {made}"
    tally.case(f"publish cut at a statement, {scene.mode}", not found, f"{how} {at}: {found}")


@pytest.mark.parametrize(("mode", "step"), [("overwrite", 9), ("merge", 17)])
def test_some_statements_cut_off(
    postgres_url: str, mode: Mode, step: int, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever statement is cut off, the target is as before or as after, and the repetition brings the rows once."""
    sweep(postgres_url, mode, step, tally, monkeypatch)


@pytest.mark.faults
@pytest.mark.parametrize("mode", MODES)
def test_every_statement_cut_off(postgres_url: str, mode: Mode, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each statement of the publish, BEGIN and COMMIT too; and COMMIT together with each statement that comes then."""
    sweep(postgres_url, mode, 1, tally, monkeypatch)


def sweep(url: str, mode: Mode, step: int, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at every `step`-th statement from the last, which is COMMIT, to the first."""
    with publish_scene(url, mode) as scene, psycopg.connect(url, autocommit=True) as killer:
        cuts = armed(killer, monkeypatch)
        commit = statements(scene, cuts)
        for how in CUTS:
            for at in range(commit, 0, -step):
                cut_at(scene, cuts, [at], how, tally)
        # The look into the ledger that finds out what became of COMMIT is cut off as well.
        for following in range(commit + 1, commit + 9, step):
            cut_at(scene, cuts, [commit, following], "answer lost", tally)
    tally.check()


@pytest.mark.parametrize("mode", SAMPLED)
def test_killed_at_any_moment(postgres_url: str, mode: Mode, tally: Tally) -> None:
    """A reader sees whole results in their order, however often the publishing backend is killed."""
    at_any_moment(postgres_url, mode, 6, tally)


@pytest.mark.faults
@pytest.mark.parametrize("mode", MODES)
def test_killed_at_very_many_moments(postgres_url: str, mode: Mode, tally: Tally) -> None:
    """The same, a hundred times."""
    at_any_moment(postgres_url, mode, 100, tally)


def test_kills_that_do_not_hit_are_seen(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishes that all come through prove nothing."""
    monkeypatch.setattr("tests.faults.test_publish_killed.KILL", "SELECT %s::text, %s::text")
    with pytest.raises(AssertionError, match="0 of 10 publishes were cut off"):
        at_any_moment(postgres_url, "overwrite", 2, Tally())


def at_any_moment(url: str, mode: Mode, rounds: int, tally: Tally) -> None:
    """Publish results of some thousand rows while somebody reads, and kill the backend at random."""
    moments = random.Random(5)
    with publish_scene(url, mode, rows=2000) as scene:
        longest, cut = seconds(scene), 0
        states = [scene.state()]
        with Reader(url) as reader:
            # A publish that is quicker than its kill proves nothing.
            while len(states) <= rounds or (cut < _SHARE * rounds and len(states) <= _TRIES * rounds):
                turn = scene.turn()
                delay = moments.uniform(0.0, longest)
                came = with_a_kill(scene, turn, delay)
                found = wrong(scene, turn, came)
                states.append(state_of(turn.after))
                cut += came == "transient"
                told = f"round {len(states)}, {delay:.3f}: {found}"
                how = "cut off" if came == "transient" else "came through"
                tally.case(f"publish killed at any moment, {mode}, {how}", not found, told)
        assert cut >= _SHARE * rounds, f"{cut} of {len(states) - 1} publishes were cut off"
        # A read of all that was appended takes longer and longer: they are counted by publishes, and not by seconds.
        assert reader.error is None
        assert reader.reads >= _READS * rounds, f"{reader.reads} reads in {reader.seconds:.1f} s"
        order = [states.index(state) if state in states else -1 for state in reader.seen]
        tally.case(f"reads beside it, {mode}", -1 not in order and order == sorted(order), f"seen in order {order}")
    tally.check()


def seconds(scene: PublishScene) -> float:
    """How long an undisturbed publish takes: the middle one of three."""
    taken = []
    for _ in range(3):
        turn = scene.turn()
        began = time.monotonic()
        assert tried(scene, turn) == "published"
        taken.append(time.monotonic() - began)
        scene.published(turn)
    return statistics.median(taken)


def with_a_kill(scene: PublishScene, turn: Turn, delay: float) -> str:
    """Publish, and after `delay` seconds end every session of ours."""

    def kill() -> None:
        with psycopg.connect(scene.url, autocommit=True, application_name="killer") as killer:
            stop.wait(delay)
            killer.execute(KILL, (OURS, killer.info.dbname))

    stop = threading.Event()
    thread = threading.Thread(target=kill)
    thread.start()
    came = tried(scene, turn)
    thread.join()
    return came
