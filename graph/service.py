"""The service behind every door: accept a request once, drive its workflow, answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command, StateSnapshot

from agent.acceptance import unsupported
from agent.errors import (
    ConflictError,
    DatamorphError,
    InvalidRequestError,
    Problem,
    UnavailableError,
    UnknownRunError,
    UnsupportedTypeError,
)
from agent.keys import thread_id
from agent.request import Request, parse_request
from agent.settings import Settings
from graph.builder import Workflow, build_workflow
from graph.documents import document_key
from graph.response import Response, conflict, invalid, response_of, unavailable
from graph.retire import retire
from graph.state import InputState, State
from tools.ports import Toolbox
from tools.records import RunRecord

_ENDED = ("success", "failed", "cancelled")
_RECURSION_LIMIT = 120
"""A belt; the caps in routes.py end a run long before."""


@dataclass(frozen=True)
class Step:
    """A node that began or ended, for whoever watches."""

    phase: Literal["start", "end"]
    node: str
    seconds: float
    """0 at the start."""
    update: dict[str, Any]
    """What the node returned; empty at the start."""
    failed: bool = False
    """True when the node raised an error, or was left by an interrupt."""


Watcher = Callable[[Step], None]


@dataclass(frozen=True)
class Service:
    """Runs and resumes workflows with one toolbox."""

    tools: Toolbox
    settings: Settings
    checkpointer: BaseCheckpointSaver[str]
    database: str
    """Where the database is, without credentials."""

    def run(self, event: object, watch: Watcher | None = None, control: RunControl | None = None) -> Response:
        """Answer an event. The same run_id and payload again gives the recorded answer, or goes on where it stopped.

        `control` lets the caller ask for a stop after the current step; the answer is then 202.
        """
        run_id = event.get("run_id") if isinstance(event, dict) else None
        try:
            request = parse_request(event)
            if problems := unsupported(request):
                raise InvalidRequestError(problems)
        except InvalidRequestError as error:
            return invalid(run_id if isinstance(run_id, str) else None, error)
        try:
            with self.tools.lease.hold(request.run_id):
                record = self._accept(request)
                return _recorded(record) or self._drive(record, watch, control)
        except ConflictError as error:
            return conflict(error)
        except UnavailableError as error:
            return unavailable(request.run_id, error)

    def resume(self, run_id: str, watch: Watcher | None = None, control: RunControl | None = None) -> Response:
        """Go on with a run where it stopped; a run that has ended gives its recorded answer.

        Raises UnknownRunError.
        """
        try:
            with self.tools.lease.hold(run_id):
                record = self.tools.ledger.run(run_id)
                if record is None:
                    raise UnknownRunError(run_id)
                self._check_doors(record)
                return _recorded(record) or self._drive(record, watch, control)
        except ConflictError as error:
            return conflict(error)

    def _check_doors(self, record: RunRecord) -> None:
        """A run goes on with the model, engine and database that it began with. Raises ConflictError."""
        settings = self.settings
        began = {"model": record.model, "engine": record.engine, "database": record.database}
        now = {"model": settings.model, "engine": settings.engine, "database": self.database}
        if differing := [f"{name} {began[name]!r}, not {now[name]!r}" for name in began if began[name] != now[name]]:
            message = f"run {record.run_id} was started with {'; '.join(differing)}; give the same again"
            raise ConflictError(record.run_id, message)

    def _accept(self, request: Request) -> RunRecord:
        """The run as it stands recorded. Raises ConflictError when another payload has the run_id."""
        ledger = self.tools.ledger
        record = self._record(request)
        known = ledger.accept(record)
        if request.options.restart or known.status == "invalid":
            if known == record:
                return known
            retire(self.tools, known)
            return ledger.new_generation(record)
        if known.payload_sha != record.payload_sha:
            message = (
                f"run_id {request.run_id} was accepted on {known.accepted_at} with another payload, model or engine; "
                "choose another run_id, or set options.restart to begin a new generation"
            )
            raise ConflictError(request.run_id, message)
        self._check_doors(known)
        return known

    def _record(self, request: Request) -> RunRecord:
        text = request.model_dump_json(indent=1, exclude_defaults=True)
        sha = request.payload_sha(self.settings.model, self.settings.engine)
        return RunRecord(
            run_id=request.run_id,
            generation=1,
            payload_sha=sha,
            request_ref=self.tools.artifacts.put(document_key(request.run_id, 0, "request", text, "json"), text),
            model=self.settings.model,
            engine=self.settings.engine,
            database=self.database,
            accepted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            status="running",
        )

    def _drive(self, record: RunRecord, watch: Watcher | None, control: RunControl | None) -> Response:
        try:
            workflow = build_workflow(self.tools, self.settings, self.checkpointer)
            response = self._answer(workflow, record, watch, control)
        except InvalidRequestError as error:
            response = invalid(record.run_id, error)
        except UnavailableError as error:
            response = unavailable(record.run_id, error)
        except UnsupportedTypeError as error:
            response = invalid(record.run_id, InvalidRequestError([Problem("specs", str(error))]))
        except DatamorphError as error:
            response = unavailable(record.run_id, UnavailableError("engine", str(error)))
        status = response["body"]["execution_status"]
        self.tools.ledger.finish(record.run_id, record.generation, status, json.dumps(response))
        return response

    def _answer(
        self, workflow: Workflow, record: RunRecord, watch: Watcher | None, control: RunControl | None
    ) -> Response:
        thread = thread_id(record.run_id, record.generation)
        config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": _RECURSION_LIMIT}
        begin = _begin_or_go_on(workflow, config, record)
        tasks = workflow.stream(begin, config, stream_mode="tasks", subgraphs=True, durability="sync", control=control)
        with suppress(GraphDrained):
            self._tell(tasks, record, watch)
        reached = workflow.get_state(config, subgraphs=True)
        if not reached.next:
            return response_of(cast(State, reached.values), self.tools.artifacts)
        # What a subgraph has done so far reaches the outer state only when it ends.
        inner = [task.state.values for task in reached.tasks if isinstance(task.state, StateSnapshot)]
        state = cast(State, {key: value for values in (reached.values, *inner) for key, value in values.items()})
        pending = state.get("publish_failure") is not None
        return response_of(state, self.tools.artifacts, "publish_pending" if pending else "running")

    def _tell(self, tasks: Iterable[Any], record: RunRecord, watch: Watcher | None) -> None:
        """Let the workflow go on, and tell journal and watcher of each step."""
        began: dict[str, float] = {}
        for _, task in tasks:
            step = _step(task, began)
            if step.phase == "end":
                self.tools.journal.write(record.run_id, "status", step.node, seconds=round(step.seconds, 3))
            if watch is not None:
                watch(step)


def _begin_or_go_on(workflow: Workflow, config: RunnableConfig, record: RunRecord) -> Any:
    """The input of a run that left no checkpoint yet; a resume for an interrupt; else None, to go on."""
    reached = workflow.get_state(config)
    if not reached.values:
        return InputState(
            run_id=record.run_id,
            generation=record.generation,
            engine=record.engine,
            model=record.model,
            request=record.request_ref,
            accepted_at=record.accepted_at,
        )
    return Command(resume="look again") if reached.interrupts else None


def _recorded(record: RunRecord) -> Response | None:
    if record.status in _ENDED and record.response:
        return cast(Response, json.loads(record.response))
    return None


def _step(task: dict[str, Any], began: dict[str, float]) -> Step:
    if "result" not in task and "error" not in task:
        began[task["id"]] = time.monotonic()
        return Step("start", task["name"], 0.0, {})
    seconds = time.monotonic() - began.get(task["id"], time.monotonic())
    result = task.get("result")
    failed = bool(task.get("error") or task.get("interrupts"))
    return Step("end", task["name"], seconds, dict(result) if result else {}, failed)
