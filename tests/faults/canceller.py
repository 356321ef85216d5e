"""A cancel against a publish: whoever comes first wins, and both are told so."""

from __future__ import annotations

from agent.errors import PublishError, UnavailableError
from tests.faults.publish_scene import PublishScene, Turn, state_of
from tools.database import PostgresDatabase
from tools.records import Withdrawal


class Canceller:
    """Withdraws one turn's publish, and remembers what it was told."""

    def __init__(self, scene: PublishScene, turn: Turn, why: Withdrawal = "cancelled", lock_timeout: int = 1) -> None:
        self._database = PostgresDatabase(scene.url, lock_timeout=lock_timeout)
        self._key = turn.order.key
        self.why = why
        self.told = "nothing"

    def __call__(self) -> None:
        """Try once."""
        try:
            self.told = "withdrawn" if self._database.withdraw(self._key, self.why) else "published"
        except UnavailableError:
            self.told = "try again"


def outcome(scene: PublishScene, turn: Turn) -> str:
    """Publish once; what came of it: `published`, or the refusal's kind."""
    try:
        scene.database.publish(turn.order, turn.snapshot)
    except PublishError as error:
        return error.kind
    return "published"


def wrong(scene: PublishScene, turn: Turn, cancel: Canceller, came: str) -> str:
    """The violation after a publish with a cancel between two of its statements; empty when there is none."""
    scene.held = turn.after if came == "published" else turn.before
    if (cancel.told, came) not in (("withdrawn", cancel.why), ("try again", "published"), ("published", "published")):
        return f"{cancel.why}: the cancel was told {cancel.told!r}, and the publish {came!r}"
    if scene.state() != state_of(scene.held):
        return f"the publish gave {came!r}, and the target differs"
    cancel()
    expected = "published" if came == "published" else "withdrawn"
    return "" if cancel.told == expected else f"after {came!r} a cancel was told {cancel.told!r}"
