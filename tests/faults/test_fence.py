"""A cancel or restart against a publish that is under way, or that comes late: PostgreSQL lets one of them win."""

from __future__ import annotations

import psycopg
import pytest

from agent.errors import PublishError, UnavailableError
from tests.faults.cuts import armed
from tests.faults.publish_scene import MODES, Mode, PublishScene, Turn, publish_scene, state_of
from tests.faults.tally import Tally
from tests.faults.test_publish_killed import statements
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres


class Canceller:
    """Withdraws one turn's publish, and remembers what it was told."""

    def __init__(self, scene: PublishScene, turn: Turn) -> None:
        self._database = PostgresDatabase(scene.url, lock_timeout=1)
        self._key = (turn.order.run_id, turn.order.generation)
        self.told = "nothing"

    def __call__(self) -> None:
        """Try once."""
        try:
            self.told = "withdrawn" if self._database.withdraw(*self._key, "cancelled") else "published"
        except UnavailableError:
            self.told = "try again"


def wrong(scene: PublishScene, turn: Turn, cancel: Canceller) -> str:
    """Publish with a cancel between two statements; what is wrong then, or empty."""
    try:
        scene.database.publish(turn.order, turn.snapshot)
        came = "published"
    except PublishError as error:
        came = error.kind
    scene.held = turn.after if came == "published" else turn.before
    if (cancel.told, came) not in (("withdrawn", "cancelled"), ("try again", "published"), ("published", "published")):
        return f"cancel was told {cancel.told!r}, and the publish {came!r}"
    if scene.state() != state_of(scene.held):
        return f"the publish gave {came!r}, and the target differs"
    cancel()
    expected = "published" if came == "published" else "withdrawn"
    return "" if cancel.told == expected else f"after {came!r} a cancel was told {cancel.told!r}"


def sweep(url: str, mode: Mode, step: int, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel before every `step`-th statement of a publish."""
    with publish_scene(url, mode, rows=5) as scene, psycopg.connect(url, autocommit=True) as killer:
        cuts = armed(killer, monkeypatch)
        commit = statements(scene, cuts)
        for at in range(commit, 0, -step):
            turn = scene.turn()
            cancel = Canceller(scene, turn)
            cuts.again([at], between=cancel)
            found = wrong(scene, turn, cancel)
            tally.case(f"cancelled at a statement of the publish, {mode}", not found, f"{at} of {commit}: {found}")
    tally.check()


def test_cancelled_at_some_statements(postgres_url: str, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever enters the run first wins, and both are told the same."""
    sweep(postgres_url, "overwrite", 6, tally, monkeypatch)


@pytest.mark.faults
@pytest.mark.parametrize("mode", MODES)
def test_cancelled_at_every_statement(
    postgres_url: str, mode: Mode, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same before each of them."""
    sweep(postgres_url, mode, 1, tally, monkeypatch)
