"""A run under anything that may befall it, in any order, with processes that die at any call: found by Hypothesis."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.faults.mortal import Life
from tests.faults.quick_world import REQUEST, RESTART, RUN, quick_world
from tests.faults.saver_calls import Moment
from tests.faults.tally import Tally

PLANS = [("SUCCEEDED", "SUCCEEDED"), ("FAILED", "SUCCEEDED"), ("FAILED", "FAILED"), ("TIMEOUT", "SUCCEEDED")]
CALLS = st.integers(1, 90)
"""A run that is right at once makes some eighty calls of ports and checkpointer until it waits for its job."""
MOMENTS: st.SearchStrategy[Moment] = st.sampled_from(["before", "after"])
ASKED = {
    "start": REQUEST,
    "restart": RESTART,
    "resume": {"action": "resume", "run_id": RUN},
    "cancel": {"action": "cancel", "run_id": RUN},
    "sweep": {"action": "sweep"},
}
SAMPLED = 60
SWEPT = 1_500


class RunUnderFire(RuleBasedStateMachine):
    """One run; every invariant is checked when it has been brought to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.died = False
        """Whether a process died: one that did so while it announced the end leaves that to be told of again."""

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

    @rule(asked=st.sampled_from(sorted(ASKED)), at=CALLS, moment=MOMENTS)
    def crash(self, asked: str, at: int, moment: Moment) -> None:
        """A process dies at one of its calls, if it comes so far."""
        self.died = self.world.ask(ASKED[asked], Life(at, moment)) is None or self.died

    @rule()
    def sweep(self) -> None:
        """A tick of the schedule."""
        self.world.sweep()

    def teardown(self) -> None:
        """Bring the run to its end, and look."""
        with self.stack:
            wrong = self.world.recover(self.died)
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
    explore(SAMPLED, 12, tally)


@pytest.mark.faults
def test_ways_to_break_a_run(tally: Tally) -> None:
    """A long one."""
    explore(SWEPT, 25, tally)
