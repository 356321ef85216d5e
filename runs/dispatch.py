"""Dispatch of an input by its kind: a start, an action on a run, a job event, a sweep tick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.errors import DatamorphError, InvalidRequestError, Problem
from agent.nearest import did_you_mean
from graph.response import Response
from runs.accept import run_id_of
from runs.actions import Actions
from runs.respond import respond

JOB_EVENT = "Glue Job State Change"
"""The detail-type of https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html."""
SCHEDULED_EVENT = "Scheduled Event"
"""Detail-type of a scheduled rule without an input of its own; it counts as a sweep tick."""

_ON_RUNS: dict[str, Callable[[Actions, str], Response]] = {
    "status": Actions.status,
    "resume": Actions.resume,
    "cancel": Actions.cancel,
}


def answer(actions: Actions, event: object) -> Response:
    """Answer an input. Only unforeseen errors are raised; the others are answers."""
    try:
        return _answer(actions, event)
    except DatamorphError as error:
        return respond(error, run_id_of(event))


def is_start(event: object) -> bool:
    """True for an input that starts a run: it has `specs`, or is no action and no event."""
    return not isinstance(event, dict) or "specs" in event or not {"action", "detail-type"} & event.keys()


def _answer(actions: Actions, event: object) -> Response:
    if not isinstance(event, dict):
        return actions.service.run(event, control=actions.control)
    kind = event.get("detail-type")
    if kind == JOB_EVENT:
        return actions.on_job_event(event)
    if kind == SCHEDULED_EVENT:
        return actions.sweep()
    if kind is not None:
        told = f"{kind!r} is not for this function; it takes {JOB_EVENT!r}: correct the rule's event pattern"
        raise InvalidRequestError([Problem("detail-type", told)])
    if "action" in event:
        return _act(actions, event)
    return actions.service.run(event, control=actions.control)


def _act(actions: Actions, event: dict[str, Any]) -> Response:
    action = event["action"]
    if action == "sweep":
        _only(event, {"action"})
        return actions.sweep()
    if not isinstance(action, str) or action not in _ON_RUNS:
        raise InvalidRequestError([Problem("action", _unknown(action))])
    _only(event, {"action", "run_id"})
    run_id = event.get("run_id")
    if not isinstance(run_id, str) or not run_id:
        raise InvalidRequestError([Problem("run_id", f"is required for the action {action!r}, as a string")])
    return _ON_RUNS[action](actions, run_id)


def _only(event: dict[str, Any], known: set[str]) -> None:
    """Refuse keys that an action does not take: a specification beside an action is a mistake of the caller."""
    told = f"does not go with the action {event['action']!r}; leave it out"
    if unknown := [Problem(key, told) for key in event if key not in known]:
        raise InvalidRequestError(unknown)


def _unknown(action: object) -> str:
    known = [*_ON_RUNS, "sweep", "doctor"]
    return f"unknown action {action!r}{did_you_mean(action, known, listed=True)}"
