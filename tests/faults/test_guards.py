"""Each guard taken away in turn: the suite goes red without it, by the fewest cases that show what it is for.

The guard against reads of the past is in test_stale_reads.py, beside the reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint

from tests.fakes.moto_server import Aws
from tests.faults.canceller import Canceller, outcome
from tests.faults.canceller import wrong as wrong_fence
from tests.faults.cuts import armed
from tests.faults.mortal import Life
from tests.faults.publish_scene import PublishScene, publish_scene, state_of, statements
from tests.faults.quick_world import REQUEST, MemoryWorld, postgres_world, quick_world
from tests.faults.taken_over import answered, taken_over
from tests.faults.tally import Tally
from tests.graph.checkpoints.scene import ProcessDied, atomic, cut_after
from tools.aws.table import Item, Table
from tools.database import PostgresDatabase, staging_schema
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger

Patch = pytest.MonkeyPatch
Remove = Callable[[Patch], None]
TWICE = "I1: 2 runs"
WRITES: list[tuple[str, object]] = [("done", ["a"]), ("last", "a"), ("branch:to:b", None)]
"""Writes of a node's task: its results, and the next node."""


def seen(tally: Tally, guard: str, found: list[str]) -> None:
    """Count a guard; that nothing is wrong without it is the violation."""
    tally.case("guards that are missed when they are gone", bool(found), f"nothing is wrong without the {guard}")
    tally.check()


def second_worker(world: MemoryWorld) -> None:
    """The request comes again right before its job is started; that job has ended when the first worker goes on."""

    def asked_again() -> None:
        world.ask(REQUEST)
        world.jobs.end()

    world.ask(REQUEST, Life(before={"jobs.start": asked_again}))  # what it starts is taken back: too late


def died_after_record(world: MemoryWorld) -> None:
    """A process dies right after it recorded the run that it started; the list of runs is late, and the job ended."""
    world.dies(REQUEST, Life(3, frozenset({"ledger.advance"}), "after"))  # PLANNED, INTENT, STARTED
    world.jobs.end()
    with Patch.context() as patch:
        patch.setattr(world.jobs, "list_runs", lambda _: [])
        world.ask(REQUEST)


def died_before_record(world: MemoryWorld) -> None:
    """A process dies when it has started a run and not recorded it, and the job has ended."""
    world.dies(REQUEST, Life(1, frozenset({"jobs.start"}), "after"))
    world.jobs.end()
    world.ask(REQUEST)


def cancelled_asleep(world: MemoryWorld) -> None:
    """A worker sleeps past its lease right before it publishes; its run is cancelled meanwhile."""
    world.ask(REQUEST)
    world.jobs.end()

    def cancel() -> None:
        world.act("cancel", leases="of others")

    world.ask(REQUEST, Life(before={"database.publish": cancel}))


def no_lease(patch: Patch) -> None:
    """Everybody holds every run."""
    patch.setattr(FileLease, "hold", lambda *_: nullcontext())


def no_ledger(patch: Patch) -> None:
    """No launch is on record."""
    patch.setattr(SqliteLedger, "advance", lambda *_: None)


def no_look(patch: Patch) -> None:
    """Nobody looks for a run that may have been started."""
    for user in ("graph.launches", "graph.nodes.start_run"):
        patch.setattr(f"{user}.any_run", lambda *_: None)


def no_withdrawal(patch: Patch) -> None:
    """A cancel leaves no tombstone in the database."""
    patch.setattr("tools.fakes.FakeDatabase.withdraw", lambda *_: True)


GUARDS: dict[str, tuple[Callable[[MemoryWorld], None], Remove, str]] = {
    "lease": (second_worker, no_lease, TWICE),
    "ledger": (died_after_record, no_ledger, TWICE),
    "look before a start": (died_before_record, no_look, TWICE),
    "withdrawal, by its run": (cancelled_asleep, no_withdrawal, "I4: cancelled, [1]"),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_run_goes_wrong_without(tmp_path: Path, monkeypatch: Patch, guard: str, tally: Tally) -> None:
    """A job is started twice, or a cancelled run is published; with the guard nothing is wrong."""
    scenario, remove, expected = GUARDS[guard]

    def wrong(folder: str) -> list[str]:
        with quick_world(tmp_path / folder, "SUCCEEDED") as world:
            scenario(world)
            return world.recover()

    assert wrong("with it") == []
    remove(monkeypatch)
    seen(tally, guard, [one for one in wrong("without it") if one.startswith(expected)])


def intruded(scene: PublishScene, patch: Patch) -> str:
    """Somebody else inserts a row while a publish is about to commit, if he may."""
    with (
        psycopg.connect(scene.url, autocommit=True) as killer,
        psycopg.connect(scene.url, autocommit=True, options="-c lock_timeout=100") as other,
    ):
        cuts = armed(killer, patch)
        commit = statements(scene, cuts)

        def insert() -> None:
            with suppress(psycopg.errors.LockNotAvailable):
                other.execute("INSERT INTO summary VALUES (0, 'of somebody else')")

        turn = scene.turn()
        cuts.again([commit], between=insert)
        scene.database.publish(turn.order, turn.snapshot)
    return "" if scene.state() == state_of(turn.after) else "the row of somebody else is among the new ones"


def repeated(scene: PublishScene, _: Patch) -> str:
    """A publish of which the answer was lost comes again, after that of another run."""
    first = scene.turn()
    scene.database.publish(first.order, first.snapshot)
    scene.published(first)
    second = scene.turn()
    scene.database.publish(second.order, second.snapshot)
    scene.database.publish(first.order, first.snapshot)
    return "" if scene.state() == state_of(second.after) else "the older rows are back"


def cancelled(scene: PublishScene, patch: Patch) -> str:
    """A run is cancelled when its publish is about to begin."""
    with psycopg.connect(scene.url, autocommit=True) as killer:
        cuts = armed(killer, patch)
        turn = scene.turn()
        cancel = Canceller(scene, turn)
        cuts.again([1], between=cancel)
        return wrong_fence(scene, turn, cancel, outcome(scene, turn))


def no_lock(patch: Patch) -> None:
    """A publish does not lock its target."""
    execute = psycopg.Connection.execute

    def unlocked(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        return execute(self, "SELECT 1" if str(query).startswith("LOCK TABLE") else query, *given, **more)

    patch.setattr(psycopg.Connection, "execute", unlocked)


def no_row(patch: Patch) -> None:
    """A publish leaves no entry."""
    patch.setattr(staging_schema, "record", lambda *_: True)


def no_tombstone(patch: Patch) -> None:
    """A cancel leaves none."""
    patch.setattr(PostgresDatabase, "withdraw", lambda *_: True)


PUBLISHES: dict[str, tuple[Callable[[PublishScene, Patch], str], Remove]] = {
    "publish lock": (intruded, no_lock),
    "publish row": (repeated, no_row),
    "withdrawal": (cancelled, no_tombstone),
}


@pytest.mark.postgres
@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("guard", PUBLISHES)
def test_a_publish_goes_wrong_without(
    postgres_url: str, monkeypatch: Patch, guard: str, removed: bool, tally: Tally
) -> None:
    """The target is a mixture, has older rows again, or those of a cancelled run; with the guard nothing is wrong."""
    scenario, remove = PUBLISHES[guard]
    if removed:
        remove(monkeypatch)
    with publish_scene(postgres_url, "overwrite", rows=5) as scene:
        wrong = scenario(scene, monkeypatch)
    if removed:
        seen(tally, guard, [wrong] if wrong else [])
    else:
        assert wrong == ""


@pytest.mark.postgres
def test_a_run_is_lost_without_the_fence(
    postgres_url: str, tmp_path: Path, aws: Aws, monkeypatch: Patch, tally: Tally
) -> None:
    """A late worker's script is the newest then, the job that ran is another one's, and no wake gets any further."""
    monkeypatch.setattr("runs.service.fenced", lambda saver, *_: saver)
    with postgres_world(tmp_path, postgres_url) as made:
        seen(tally, "fence", [one for one in taken_over(made, aws, answered) if one.startswith("I5")])


def test_a_task_is_done_in_part_without_its_transaction(aws: Aws, monkeypatch: Patch, tally: Tally) -> None:
    """LangGraph takes a task with any stored write as done, and loses the others; test_store_cut.py has runs."""

    def one_by_one(table: Table, puts: Sequence[Item], check: Item | None = None) -> bool:
        values_first = sorted(puts, key=lambda put: "payload" not in put["Item"])
        return all([table.write("put_item", **put) for put in values_first])

    assert partly_stored() == []
    monkeypatch.setattr(Table, "transact", one_by_one)
    seen(tally, "transaction for a task's writes", partly_stored())


def partly_stored() -> list[str]:
    """The cuts at which a task's writes are neither all there nor all missing."""
    found = []
    with atomic() as saver:
        for cut in range(2 * len(WRITES)):
            at = saver.put({"configurable": {"thread_id": f"t{cut}", "checkpoint_ns": ""}}, empty_checkpoint(), {}, {})
            with cut_after(saver.client, cut), suppress(ProcessDied):
                saver.put_writes(at, WRITES, "task")
            stored = saver.get_tuple(at)
            count = len(stored.pending_writes or []) if stored else -1
            found += [] if count in (0, len(WRITES)) else [f"cut after {cut}: {count} writes of {len(WRITES)}"]
            saver.delete_thread(f"t{cut}")
    return found
