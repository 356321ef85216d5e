"""The state machine of a launch: one start of the engine, from its plan until its job definition is deleted."""

from __future__ import annotations

from typing import Literal, get_args

LaunchState = Literal["PLANNED", "INTENT", "STARTED", "TERMINAL", "CLEANED"]

STATES: tuple[LaunchState, ...] = get_args(LaunchState)

FOLLOWING: dict[LaunchState | None, tuple[LaunchState, ...]] = {
    None: STATES,  # not recorded yet
    "PLANNED": STATES,
    "INTENT": STATES[1:],  # about to be started; a run may exist
    "STARTED": STATES[2:],  # its job run is known
    "TERMINAL": STATES[3:],  # its job run has ended
    "CLEANED": STATES[4:],  # its job definition is deleted
}
"""The states that may be recorded after each state. The same state again is fine: a node may run twice."""


def may_follow(before: LaunchState | None, state: LaunchState) -> bool:
    """True when a launch may go from one state to the other."""
    return state in FOLLOWING[before]
