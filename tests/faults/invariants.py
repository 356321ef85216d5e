"""The invariants I1 to I8, which hold after every fault, checked on the evidence of a scenario."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from typing_extensions import TypedDict

from agent.run_status import has_ended, open_statuses

Rows = list[tuple[Any, ...]]

_JOB_RUN_ID = re.compile(r"jr_[0-9a-f]{8,}")
_SNAPSHOT = re.compile(r"snapshot-[0-9a-f]{8}\.json#[0-9a-f]{64}")
"""It holds the number that PostgreSQL gave the target, which is another one in another scenario."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d*(\+00:00|Z)?")
_ATTEMPT = re.compile(r"-g(\d+)-a(\d+)-l\d+-")
_DIGEST = re.compile(r"(?<=-g\d-a\d-l\d)-[0-9a-f]{8}\b")
"""The end of a job's name: of the moment of acceptance, and of the script; two may have been made for one launch."""


@dataclass(frozen=True)
class Tables:
    """The target and a table that references it."""

    target: Rows
    referencing: Rows


class Left(TypedDict):
    """The part of an `Evidence` that is collected before anybody asks for the run again."""

    jobs: Sequence[str]
    staging: Sequence[str]
    leases: Sequence[str]
    due: Sequence[str]


@dataclass(frozen=True)
class Evidence:
    """All that a scenario left behind."""

    run_id: str
    runs: dict[str, int]
    """Runs of the engine by job name."""
    live_at_starts: Sequence[int]
    """How many runs were live when each one was started."""
    jobs: Sequence[str]
    """Job definitions that are still there."""
    staging: Sequence[str]
    """Staging tables that are still there."""
    leases: Sequence[str]
    """Runs that are still held."""
    seen: Sequence[Tables]
    """The tables after each step of the scenario, the last one at its end."""
    published: int
    """How often the target was filled."""
    state: dict[str, Any]
    """The workflow's final state."""
    response: dict[str, Any]
    """The last answer of the door."""
    status: str
    """The run's status in the ledger; empty when it was never accepted."""
    recorded: str
    """The response in the ledger."""
    launches: Sequence[str]
    """The states of the launches in the ledger."""
    due: Sequence[str]
    """Runs that a last sweep would wake again."""
    events: Sequence[dict[str, Any]] = ()
    """Details of the completion events, in order."""
    texts: Sequence[tuple[str, str]] = field(default=(), repr=False)
    """Everything that was written anywhere, with where that was."""

    @property
    def attempts(self) -> set[tuple[str, str]]:
        """Generation and attempt of every run that was started."""
        return {found.groups() for name in self.runs if (found := _ATTEMPT.search(name))}  # type: ignore[misc]


@dataclass(frozen=True)
class Expected:
    """The evidence of an uninterrupted run, and the rows that tables may show on the way."""

    undisturbed: Evidence
    old: Tables
    new: Tables
    canary: str
    announces: bool = True
    """Whether completion events are sent at all."""


def violations(found: Evidence, expected: Expected, *, told_again: bool = False) -> list[str]:
    """Every invariant that is broken; `told_again` where the fault struck between an event and its record.

    A process that dies, or gets no answer, while it announces cannot know whether it was heard: the event comes again,
    with the same run and generation.
    """
    return [
        *started_once(found),
        *at_most_two_attempts(found),
        *nothing_left(found),
        *old_or_new(found, expected),
        *published_once(found),
        *same_end(found, expected),
        *ended_once(found, expected, told_again),
        *no_secret(found, expected.canary),
    ]


def started_once(found: Evidence) -> list[str]:
    """I1: one run for each launch, and never two live."""
    launches: Counter[str] = Counter()
    for name, count in found.runs.items():
        launches[_DIGEST.sub("", name)] += count
    twice = [f"I1: {count} runs of {name}" for name, count in launches.items() if count > 1]
    return twice + [f"I1: {live} runs live at a start" for live in found.live_at_starts if live]


def at_most_two_attempts(found: Evidence) -> list[str]:
    """I2: two attempts a generation."""
    generations = [generation for generation, _ in found.attempts]
    return [f"I2: attempts {sorted(found.attempts)}" for one in set(generations) if generations.count(one) > 2]


def nothing_left(found: Evidence) -> list[str]:
    """I3: no definition, no staging table, no lease, no launch that was not put away."""
    left = {
        "definitions": found.jobs,
        "staging tables": found.staging,
        "leases": found.leases,
        "runs that are due": found.due,
    }
    open_launches = [state for state in found.launches if state != "CLEANED"]
    told = [f"I3: {what} left: {names}" for what, names in left.items() if names]
    return told + ([f"I3: launches {open_launches}"] if open_launches else [])


def old_or_new(found: Evidence, expected: Expected) -> list[str]:
    """I4: at every step all old rows or all new ones, and the new ones exactly when the run says success."""
    mixed = [f"I4: the tables show {seen}" for seen in found.seen if seen not in (expected.old, expected.new)]
    right = expected.new if found.status == "success" else expected.old
    return mixed + ([] if found.seen[-1] == right else [f"I4: status {found.status!r} and {found.seen[-1]}"])


def published_once(found: Evidence) -> list[str]:
    """I4: the target is filled once by a run that says success, also with the same rows, and never by another one."""
    right = int(found.status == "success")
    told = f"I4: status {found.status!r}, and the target was filled {found.published} times"
    return [] if found.published == right else [told]


def same_end(found: Evidence, expected: Expected) -> list[str]:
    """I5: state and response of the uninterrupted run, the response by the parts of its body."""
    told = []
    for name in ("state", "response"):
        one, other = (_by_part(untimed(getattr(given, name))) for given in (found, expected.undisturbed))
        differing = [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
        told += [f"I5: {name} {key}: {one.get(key)!r}, not {other.get(key)!r}" for key in differing]
    return told


def _by_part(value: dict[str, Any]) -> dict[str, Any]:
    """A response with each part of its body beside its status code; a state as it is."""
    if "body" not in value:
        return value
    parts = {f"body.{name}": part for name, part in value["body"].items()}
    return {name: one for name, one in value.items() if name != "body"} | parts


def ended_once(found: Evidence, expected: Expected, told_again: bool = False) -> list[str]:
    """I6: one terminal record, which is what the door answers, and one completion event that agrees with it."""
    told = [] if has_ended(found.status) else [f"I6: the run stands as {found.status!r}"]
    if not found.recorded or json.loads(found.recorded) != found.response:
        told.append(f"I6: recorded is {found.recorded!r}, and the door answers {found.response}")
    kinds = {json.dumps(event, sort_keys=True) for event in found.events}
    count, right = len(found.events), int(expected.announces)
    if len(kinds) != right or (count != right and not told_again):
        told.append(f"I6: {count} completion events: {sorted(kinds)}")
    wrong = [event for event in found.events if event["execution_status"] != found.status]
    return told + [f"I6: {event} of a run that is {found.status!r}" for event in wrong]


def ended_in_time(status: str, limit: str) -> list[str]:
    """I8: a run that has reached a limit, and was woken after that, is open no more."""
    return [f"I8: the run stands as {status!r} after {limit} and a sweep"] if status in open_statuses() else []


def no_secret(found: Evidence, canary: str) -> list[str]:
    """I7: the database's password stands nowhere, in no form."""
    forms = _forms(canary)
    return [f"I7: the secret stands in {where}" for where, text in found.texts if any(form in text for form in forms)]


def _forms(secret: str) -> list[str]:
    """As it is, percent-encoded, and what base64 has of it wherever among other bytes it begins."""
    octets = secret.encode()
    whole = (octets[start : len(octets) - (len(octets) - start) % 3] for start in range(3))
    return [secret, quote(secret, safe=""), *(b64encode(part).decode() for part in whole)]


def plain(channels: dict[str, Any]) -> dict[str, Any]:
    """A state's own channels, without those that LangGraph keeps beside them."""
    return {name: value for name, value in channels.items() if ":" not in name and not name.startswith("__")}


def untimed(value: dict[str, Any]) -> dict[str, Any]:
    """A state or response with job run ids numbered, and without moments and the snapshot's hash."""
    text, known = _SNAPSHOT.sub("snapshot", json.dumps(value, sort_keys=True)), list[str]()
    for one in _JOB_RUN_ID.findall(text):
        known += [] if one in known else [one]
    for number, one in enumerate(known):
        text = text.replace(one, f"jr#{number}")
    return dict(json.loads(_DIGEST.sub("", _MOMENT.sub("T", text))))
