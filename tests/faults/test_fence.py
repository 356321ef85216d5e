"""A cancel, restart or deadline against a publish that is under way, or comes late: PostgreSQL lets one of them win."""

from __future__ import annotations

import threading
import time
from typing import Literal, get_args

import psycopg
import pytest

from tests.faults.canceller import Canceller, outcome, wrong
from tests.faults.cuts import Cuts, armed
from tests.faults.publish_scene import MODES, SAMPLED, Mode, PublishScene, publish_scene, statements
from tests.faults.tally import Tally
from tools.records import Withdrawal

pytestmark = pytest.mark.postgres

Release = Literal["committed", "killed"]
RELEASES: tuple[Release, ...] = get_args(Release)
REASONS: tuple[Withdrawal, ...] = get_args(Withdrawal)
_SECONDS = 20
_BLOCKERS = """
SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def sweep(url: str, mode: Mode, step: int, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel before every `step`-th statement of a publish, for each reason in turn."""
    with publish_scene(url, mode, rows=5) as scene, psycopg.connect(url, autocommit=True) as killer:
        cuts = armed(killer, monkeypatch)
        commit = statements(scene, cuts)
        for case, at in enumerate(range(commit, 0, -step)):
            turn = scene.turn()
            cancel = Canceller(scene, turn, REASONS[case % len(REASONS)])
            cuts.again([at], between=cancel)
            found = wrong(scene, turn, cancel, outcome(scene, turn))
            tally.case(f"cancelled at a statement of the publish, {mode}", not found, f"{at} of {commit}: {found}")
    tally.check()


def test_cancelled_at_some_statements(postgres_url: str, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first to enter the run wins, and both are told the same."""
    sweep(postgres_url, "overwrite", 6, tally, monkeypatch)


@pytest.mark.faults
@pytest.mark.parametrize("mode", MODES)
def test_cancelled_at_every_statement(
    postgres_url: str, mode: Mode, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same before each of them."""
    sweep(postgres_url, mode, 1, tally, monkeypatch)


@pytest.mark.parametrize("mode", SAMPLED)
def test_a_cancel_that_waits(postgres_url: str, mode: Mode, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the publish's entry uncommitted: it loses when that is committed, and wins when it is rolled back."""
    with publish_scene(postgres_url, mode, rows=5) as scene, psycopg.connect(postgres_url, autocommit=True) as killer:
        cuts = armed(killer, monkeypatch)
        commit = statements(scene, cuts)
        for release in RELEASES:
            for why in REASONS:
                found = wrong_when(scene, cuts, commit, release, why)
                tally.case(f"a cancel that waits for the publish, {mode}", not found, f"{release}, {found}")
    tally.check()


def wrong_when(scene: PublishScene, cuts: Cuts, commit: int, release: Release, why: Withdrawal) -> str:
    """The violation when the publish that a cancel waits for comes to its end; empty when there is none."""
    turn = scene.turn()
    cancel = Canceller(scene, turn, why, lock_timeout=_SECONDS)
    thread = threading.Thread(target=cancel)

    def between() -> None:
        thread.start()
        pid = blocker(cuts.killer)
        if release == "killed":
            cuts.killer.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            # Else the publish may look for the withdrawal before it is entered, and would be tried again.
            thread.join()

    cuts.again([commit], between=between)
    came = outcome(scene, turn)
    thread.join()
    expected = ("published", "published") if release == "committed" else ("withdrawn", why)
    if (cancel.told, came) != expected:
        return f"{why}: the cancel was told {cancel.told!r}, and the publish {came!r}"
    return wrong(scene, turn, cancel, came)


def blocker(killer: psycopg.Connection[tuple[int]]) -> int:
    """The session that another one waits for, as soon as one does."""
    until = time.monotonic() + _SECONDS / 2
    while time.monotonic() < until:
        if found := killer.execute(_BLOCKERS).fetchone():
            return int(found[0])
        time.sleep(0.01)
    raise AssertionError("the cancel waits for nobody")


@pytest.mark.parametrize(("told", "kept"), [("withdrawn", False), ("published", True)])
def test_two_that_are_told_differently_are_seen(postgres_url: str, told: str, kept: bool) -> None:
    """A cancel that says it came first though the rows are there, and one that says the rows are there."""
    with publish_scene(postgres_url, "overwrite", rows=5) as scene:
        turn = scene.turn()
        cancel = Canceller(scene, turn)
        came = outcome(scene, turn)
        cancel.told = told
        assert (wrong(scene, turn, cancel, came) == "") is kept
