"""Reading: the meaning of a specification over a snapshot, with everything that is not certain about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.compiler.narration.unread import Narration, read_narration
from agent.compiler.notes import Note, Notes, Unread
from agent.compiler.plan.listed_order import AS_LISTED
from agent.compiler.plan.plan import plan_of
from agent.compiler.plan.reading_findings import Findings
from agent.compiler.plan.resolution import read_sources
from agent.compiler.plan.steps import Plan
from agent.compiler.problems import USE_A_MODEL, Stages
from agent.compiler.spec.entries import read_entries
from agent.compiler.spec.step_order import reversals
from agent.elements import Entries
from agent.errors import InvalidRequestError, Problem
from agent.request import Request
from agent.snapshot import Snapshot

_ADVICE = re.compile(rf"(?:;|,? or) {USE_A_MODEL}|{USE_A_MODEL}, or ")
"""The advice to ask a model, which is needless where one is asked."""


@dataclass(frozen=True)
class Reading:
    """The meaning of a specification: its plan, the assumptions behind it, and the parts that are left open."""

    plan: Plan | None
    """None where a part has no certain meaning."""
    entries: Entries
    notes: tuple[Note, ...] = ()
    unread: tuple[Unread, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Faults that no generator of code could mend: names that do not exist, contradictions."""
    beyond: tuple[Problem, ...] = ()
    """Parts that only the compiler cannot express."""

    def certain_plan(self) -> Plan:
        """The plan where nothing is left open. Raises InvalidRequestError with all that is."""
        open_words = [Problem(one.path, _unread(one), beyond=True) for one in self.unread]
        found = [*self.problems, *self.beyond, *open_words]
        if self.plan is None or found:
            raise InvalidRequestError(found)
        return self.plan

    def told(self) -> tuple[Note, ...]:
        """Everything that a generator of code and the reader of an answer should know of the reading."""
        words = [Note(one.path, _alone(one)) for one in self.unread]
        more = [Note(one.path, _ADVICE.sub("", one.message)) for one in self.beyond]
        return (*self.notes, *words, *more)


def _unread(one: Unread) -> str:
    if one.field:
        return f"{_alone(one)}; change one of them, or {USE_A_MODEL}"
    return f"{_alone(one)} and could change the rows; put it into a field, or {USE_A_MODEL}"


def _alone(one: Unread) -> str:
    return f'"{one.words}" stands in words alone{f", while {one.field}" if one.field else ""}'


def _narration(request: Request, entries: Entries, snapshot: Snapshot) -> Narration:
    columns = [column.name for source in snapshot.sources for column in source.columns]
    return read_narration(request.specs, entries, columns)


def _without_consequences(unread: Iterable[Unread], problems: Iterable[Problem]) -> tuple[Unread, ...]:
    """The words of the steps that have no other problem."""
    steps = {found[0] for problem in problems if (found := _STEP.match(problem.path))}
    return tuple(one for one in unread if not ((step := _STEP.match(one.path)) and step[0] in steps))


_STEP = re.compile(r"specs\.transformations\[\d+\]")


def read_specification(request: Request, snapshot: Snapshot) -> Reading:
    """Read a specification. Nothing is raised: faults are part of the reading."""
    found, entries, narration = Findings(Stages(), Notes()), Entries(), Narration()
    plan, problems = None, []
    try:
        with found.stages.stage() as stage:
            entries = read_entries(request.specs, stage, found.notes)
            narration = _narration(request, entries, snapshot)
            sources = read_sources(request.specs, snapshot, stage, request.options.expression_dialect)
        found.stages.words_left = bool(narration.unread)
        plan = plan_of(entries, sources, request.specs, snapshot.target, found)
    except InvalidRequestError as error:
        problems = error.problems
    reversed_steps = [one for one in reversals(entries) if one.kind not in AS_LISTED]
    swapped = [Problem(one.second.path, one.message, beyond=True) for one in reversed_steps]
    return Reading(
        plan=None if found.stages.beyond or swapped else plan,
        entries=entries,
        notes=(*found.notes.found(), *narration.notes),
        unread=_without_consequences(narration.unread, (*problems, *found.stages.beyond, *swapped)),
        problems=tuple(problems),
        beyond=(*found.stages.beyond, *swapped),
    )


def build_plan(request: Request, snapshot: Snapshot) -> Plan:
    """The plan of a specification. Raises InvalidRequestError where the reading leaves anything open."""
    return read_specification(request, snapshot).certain_plan()
