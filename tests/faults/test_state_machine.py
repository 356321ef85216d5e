"""A run under anything that may befall it, in any order, with processes that die at any call: found by Hypothesis."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from runs.limits import MAX_LOST
from tests.faults.invariants import ended_in_time
from tests.faults.mortal import Life
from tests.faults.quick_world import CANCEL, REQUEST, RESTART, RUN, quick_world
from tests.faults.saver_calls import Moment
from tests.faults.tally import Tally

PLANS = [("SUCCEEDED", "SUCCEEDED"), ("FAILED", "SUCCEEDED"), ("FAILED", "FAILED"), ("TIMEOUT", "SUCCEEDED")]
CHANGES = frozenset({
    "jobs.start", "jobs.create", "jobs.delete", "jobs.stop", "ledger.accept", "ledger.new_generation", "ledger.hop",
    "ledger.advance", "ledger.change", "database.publish", "database.withdraw",
    "database.drop_staging", "announcer.announce",
})  # fmt: skip
"""All calls but the checkpointer's that change what outlives a process; no invocation makes many more than ten."""
SAVES = frozenset({"saver.put", "saver.put_writes"})
BRINKS = [frozenset({name}) for name in ("jobs.start", "database.publish", "announcer.announce")]
"""Calls that cannot be taken back."""
SPOTS = st.one_of(
    st.tuples(st.integers(1, 10), st.just(CHANGES)),
    st.tuples(st.integers(1, 40), st.just(SAVES)),
    st.tuples(st.just(1), st.sampled_from(BRINKS)),
)
"""The how-manieth call of which ones."""
MOMENTS: st.SearchStrategy[Moment] = st.sampled_from(["before", "after"])
ASKED = {
    "start": REQUEST,
    "restart": RESTART,
    "resume": {"action": "resume", "run_id": RUN},
    "cancel": CANCEL,
}
SAMPLED = 60
SWEPT = 250


class RunUnderFire(RuleBasedStateMachine):
    """One run; every invariant is checked when it has been brought to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.told_again = False
        """Whether a process died that had begun to announce the end: it is told of again."""
        self.late: list[str] = []
        """Violations at limits."""

    @initialize(states=st.sampled_from(PLANS))
    def begin(self, states: tuple[str, ...]) -> None:
        """An empty world."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.world = self.stack.enter_context(quick_world(folder, *states))

    @rule(asked=st.sampled_from(["start", "restart"]))
    def start(self, asked: str) -> None:
        """A caller asks for the run, or once more, or for a new generation."""
        self.world.ask(ASKED[asked])

    @rule(action=st.sampled_from(["status", "resume"]))
    def poll(self, action: str) -> None:
        """A caller looks how the run stands, or wakes it."""
        self.world.act(action)

    @rule(cancelled=st.booleans())
    def stop(self, cancelled: bool) -> None:
        """A caller cancels the run, or somebody stops its job in the console."""
        if cancelled:
            self.world.act("cancel")
        elif self.world.jobs.started:
            name = self.world.jobs.started[-1]
            self.world.jobs.stop(name, self.world.jobs.list_runs(name)[0].job_run_id)

    @rule()
    def delete(self) -> None:
        """Somebody deletes a definition; its run goes on."""
        for name in self.world.jobs.definitions():
            self.world.jobs.delete(name)

    @rule()
    def job_ends(self) -> None:
        """Whatever runs ends as planned."""
        self.world.jobs.end()

    @rule(foreign=st.booleans())
    def event(self, foreign: bool) -> None:
        """The event of the newest start comes, or one that is not the run's: early, late or again."""
        self.world.ask(self.world.job_event(foreign))

    @rule(asked=st.sampled_from(["start", "start", "restart"]), spot=SPOTS, moment=MOMENTS)
    def crash_at_start(self, asked: str, spot: tuple[int, frozenset[str]], moment: Moment) -> None:
        """The process that a caller asked dies at one of its calls, if it comes so far."""
        self._die(asked, Life(*spot, moment))

    @rule(asked=st.sampled_from(["resume", "resume", "cancel"]), spot=SPOTS, moment=MOMENTS)
    def crash_at_work(self, asked: str, spot: tuple[int, frozenset[str]], moment: Moment) -> None:
        """The job of the run has ended, and the process that goes on with it dies."""
        self.world.jobs.end()
        self._die(asked, Life(*spot, moment))

    @rule()
    def deadline_passes(self) -> None:
        """Whatever the run waits for, it ends."""
        self.world.past_deadline()
        self.late += self.world.swept_late()

    @rule(asked=st.sampled_from(["start", "resume", "cancel"]), spot=SPOTS, moment=MOMENTS)
    def crash_after_the_deadline(self, asked: str, spot: tuple[int, frozenset[str]], moment: Moment) -> None:
        """The process that is to end the run dies."""
        self.world.past_deadline()
        self._die(asked, Life(*spot, moment))
        self.late += self.world.swept_late()

    @rule(asked=st.sampled_from(["start", "resume"]))
    def crash_again_and_again(self, asked: str) -> None:
        """Process after process dies before it completes a step."""
        if all(self._die(asked, Life(1, frozenset({"ledger.hop"}), "after")) for _ in range(MAX_LOST)):
            self.world.sweep()
            record = self.world.record()
            self.late += ended_in_time(record.status if record else "", f"{MAX_LOST} lost invocations")

    def _die(self, asked: str, life: Life) -> bool:
        """Whether the process died: a run may have come to another end before the call."""
        died = self.world.dies(ASKED[asked], life)
        self.told_again = self.told_again or (died and "announcer.announce" in life.calls)
        return died

    @rule()
    def sweep(self) -> None:
        """A tick of the schedule."""
        self.world.sweep()

    def teardown(self) -> None:
        """Bring the run to its end, and look."""
        with self.stack:
            wrong = [*self.late, *self.world.recover(self.told_again)]
            tally().case("a state machine of a run", not wrong, "; ".join(wrong))
            assert not wrong, "; ".join(wrong)


_TALLIES: list[Tally] = []


def tally() -> Tally:
    """The tally of the test that is at work."""
    return _TALLIES[-1]


def explore(examples: int, steps: int, counted: Tally) -> None:
    """Let Hypothesis look for a way to break a promise."""
    _TALLIES[:] = [counted]
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(RunUnderFire, settings=profile)
    counted.check()


def test_some_ways_to_break_a_run(tally: Tally) -> None:
    """A bounded search, the same one each time."""
    explore(SAMPLED, 10, tally)


@pytest.mark.faults
def test_ways_to_break_a_run(tally: Tally) -> None:
    """A long one."""
    explore(SWEPT, 25, tally)
