"""The service behind every door: accepts a request once, drives its workflow, answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained, GraphInterrupt
from langgraph.runtime import RunControl

from agent.errors import ConflictError, DatamorphError, OutOfTimeError, UnknownRunError
from agent.run_status import allows, answer_while_open, has_ended, is_announcing, is_open, target, worked
from agent.settings import Settings
from graph.builder import build_workflow
from graph.checkpoints.fencing import demand_held, fenced
from graph.response import Response, response_of
from runs.accept import accept, check_database, check_doors, request_in, run_id_of
from runs.completion import conclude, recorded, tell
from runs.limits import limit_reached, renewed_deadline
from runs.progress import Course, Step, own_course
from runs.respond import respond
from runs.stop import overrun
from tools.models.selection import model_of
from tools.records import Change, RunRecord
from tools.toolbox import Toolbox

Watcher = Callable[[Step], None]
"""Is told of each step."""


@dataclass(frozen=True)
class Service:
    """Runs and resumes workflows with one toolbox."""

    tools: Toolbox
    settings: Settings
    checkpointer: BaseCheckpointSaver[str]
    database: str
    """Place of the database, without credentials; in Studio with the thread."""

    def run(self, event: object, watch: Watcher | None = None, control: RunControl | None = None) -> Response:
        """Answer an event. The same run_id and payload again gives the recorded answer, or goes on where it stopped.

        `control` lets the caller ask for a stop after the current step; the answer is then 202.
        """
        try:
            request = request_in(event)
            with self.tools.lease.hold(request.run_id) as owner:
                record = accept(request, self.tools, self.settings, self.database)
                if (answer := self.closed(record)) is not None:
                    return answer
                return self._held(record, owner)._drive(record, watch, control)
        except DatamorphError as error:
            return respond(error, run_id_of(event))

    def resume(self, run_id: str, watch: Watcher | None = None, control: RunControl | None = None) -> Response:
        """Go on with a run where it stopped; a run that has ended gives its recorded answer."""
        try:
            with self.tools.lease.hold(run_id) as owner:
                record = self.tools.ledger.run(run_id)
                if record is None:
                    raise UnknownRunError(run_id)
                if (answer := self.closed(record)) is not None:
                    return answer
                return self.check_doors(record)._held(record, owner)._drive(record, watch, control)
        except DatamorphError as error:
            return respond(error, run_id)

    def look(self, record: RunRecord) -> Response:
        """The current answer for an open run, without starting anything; an unavailable prompt is left out.

        Raises UnavailableError when the checkpoints cannot be read.
        """
        state, ended = self.course(record).reached()
        # The end may be in the checkpoints and not on record yet.
        status = None if ended else answer_while_open(record.status)
        return response_of(state, self.tools.artifacts, status, passing=True)

    def ended(self, record: RunRecord) -> Response | None:
        """The answer of an ended run, announced first if it was not yet; None for an open run."""
        if is_announcing(record.status):
            tell(self.tools, record)
        return recorded(record)

    def closed(self, record: RunRecord) -> Response | None:
        """The answer of an ended run, or of one that a limit ends now; None for a run that may continue."""
        return self.ended(record) or self._over(record)

    def secrets(self) -> list[str]:
        """Passwords to redact from every answer and log."""
        # Loaded with the first error that needs it: the client of PostgreSQL is no part of a door's import.
        from tools.database.database_url import passwords

        urls = (self.settings.database_url, self.settings.job_database_url)
        return [secret for url in urls if url for secret in passwords(url)]

    def check_doors(self, record: RunRecord) -> Service:
        """The service with the model that a run began with. Raises ConflictError for another engine or database."""
        began = self._as_begun(record)
        check_doors(record, began.settings, began.database)
        return began

    def course(self, record: RunRecord) -> Course:
        """The run's workflow in its own thread. Raises UnavailableError without a database."""
        return own_course(build_workflow(self.tools, self.settings, self.checkpointer), record)

    def _over(self, record: RunRecord) -> Response | None:
        """End an open run that has reached a limit; None for a run below its limits, and for a published run."""
        reason = limit_reached(record, self.tools.clock.now())
        if reason is None or not allows(record.status, "overrun"):
            return None
        check_database(record, self.settings, self.database)
        return overrun(self.tools, record, self.look, reason)

    def _held(self, record: RunRecord, owner: str | None) -> Service:
        """The service whose checkpoints are fenced by one hold of the run."""
        return replace(self, checkpointer=fenced(self.checkpointer, record.run_id, owner))

    def _as_begun(self, record: RunRecord) -> Service:
        """The service with the model that the run began with."""
        if record.model == self.settings.model:
            return self
        settings = self.settings.model_copy(update={"model": record.model})
        return replace(self, settings=settings, tools=replace(self.tools, model=model_of(settings)))

    def _drive(self, record: RunRecord, watch: Watcher | None, control: RunControl | None) -> Response:
        """Drive an open run and record how it stands.

        Raises ConflictError for a run that is being cancelled, or was cancelled, restarted or ended a moment ago.
        """
        if allows(record.status, "end_cancel"):
            raise ConflictError(record.run_id, f"run {record.run_id} is being cancelled; cancel it again to end that")
        # A run that was refused before anything was launched begins anew, with all its time.
        now = self.tools.clock.now()
        anew = "" if is_open(record.status) else renewed_deadline(record, now, self.settings.run_deadline_minutes)
        counted = self.tools.ledger.hop(record.key, anew)
        if (counted.generation, counted.status) != (record.generation, target("drive")):
            raise ConflictError(record.run_id, f"run {record.run_id} was cancelled, restarted or ended meanwhile")
        record = counted
        try:
            response = self._answer(self.course(record), record, watch, control)
        except (ConflictError, GraphInterrupt):
            # An interrupt of a subgraph suspends the graph around it; the run goes on being `running`.
            raise
        except DatamorphError as error:
            response = respond(error, record.run_id)
            if response["statusCode"] == 503:
                self.tools.ledger.settle(record.key)
        except Exception as error:
            # The door tells of it. The record keeps a run without launches from being woken again and again.
            with suppress(DatamorphError):
                demand_held(self.checkpointer)
                self._stands(record, respond(error, record.run_id, self.secrets()))
            raise
        demand_held(self.checkpointer)
        if has_ended(response["body"]["execution_status"]):
            return conclude(self.tools, record, response)
        self._stands(record, response)
        return response

    def _stands(self, record: RunRecord, response: Response) -> None:
        """Record how a run stands, unless another worker has begun on it since."""
        ledger = self.tools.ledger
        event = worked(response["body"]["execution_status"], lambda: ledger.launches(record.key))
        ledger.change(record.key, Change(event, json.dumps(response), hops=record.hops))

    def _answer(self, course: Course, record: RunRecord, watch: Watcher | None, control: RunControl | None) -> Response:
        with suppress(GraphDrained, OutOfTimeError):
            self._tell(course.steps(control), record, watch)
        state, ended = course.reached()
        if ended:
            return response_of(state, self.tools.artifacts)
        pending = state.get("publish_failure") is not None
        return response_of(state, self.tools.artifacts, "publish_pending" if pending else "running")

    def _tell(self, steps: Iterable[Step], record: RunRecord, watch: Watcher | None) -> None:
        """Let the workflow go on, and tell journal and watcher of each step."""
        settled = False
        for step in steps:
            # Waking up is no progress: only a completed step resets the count of lost invocations.
            if step.phase == "end" and step.node != "suspend" and not (step.failed or settled):
                self.tools.ledger.settle(record.key)
                settled = True
            if step.phase == "end":
                self.tools.journal.write(record.run_id, "status", step.node, seconds=round(step.seconds, 3))
            if watch is not None:
                watch(step)
