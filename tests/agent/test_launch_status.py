"""The state machine of a launch."""

from __future__ import annotations

from agent.launch_status import FOLLOWING, STATES, may_follow


def test_a_launch_never_goes_back() -> None:
    """From its plan to its clean-up; a state may be recorded again, and one may be left out."""
    assert STATES == ("PLANNED", "INTENT", "STARTED", "TERMINAL", "CLEANED")
    allowed = [[may_follow(before, state) for state in STATES] for before in STATES]
    assert allowed == [[before <= state for state in range(5)] for before in range(5)]
    assert FOLLOWING[None] == STATES
