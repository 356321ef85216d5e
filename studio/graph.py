"""Studio's graph: an event in, the response out, and between them the workflow that every door runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import Field, create_model
from typing_extensions import TypedDict

from agent.errors import ConflictError, DatamorphError, InvalidRequestError, UnknownRunError, UnsupportedTypeError
from agent.request import Request
from agent.settings import Settings
from graph.builder import Workflow, build_workflow
from graph.response import Response, response_of
from graph.state import State
from runs.accept import IN_THREAD, accept, check_doors, first_state, new_run_id, request_in
from runs.completion import conclude, recorded
from runs.respond import respond
from tools.records import ENDED_STATUSES, RunRecord
from tools.toolbox import Toolbox

Event = create_model(
    "Event",
    __base__=Request,
    __doc__="What to do with which tables, and how to run it.",
    run_id=(str | None, Field(None, title="Run ID", description="Name of the run; one is made when it is left out.")),
)
"""The request as an input form: the same fields, and a `run_id` that may be left out."""


class StudioState(TypedDict, total=False):
    """What a thread keeps. The event's parts last for one step, so that none of them gets into the next event's run."""

    run_id: Annotated[str | None, EphemeralValue]
    specs: Annotated[Any, EphemeralValue]
    source_schemas: Annotated[Any, EphemeralValue]
    source_data_samples: Annotated[Any, EphemeralValue]
    options: Annotated[Any, EphemeralValue]
    accepted: str | None
    """The run that was accepted and is not answered yet."""
    statusCode: int  # noqa: N815
    body: dict[str, Any]


StudioGraph = CompiledStateGraph[StudioState, None, Any, Response]

_UNDER_WAY = (
    "is under way in this thread; go on from its interrupt or its error in the thread's history, "
    "or set options.restart to begin a new generation"
)


class StudioError(RuntimeError):
    """What stopped a run, or kept it from starting.

    A RuntimeError, because the server shows the message of those, and hides that of an error whose kind it does not
    know. The cause is the error itself.
    """


@contextmanager
def readable() -> Iterator[None]:
    """Let the server show what went wrong."""
    try:
        yield
    except DatamorphError as error:
        raise StudioError(str(error)) from error


@dataclass(frozen=True)
class Studio:
    """What Studio's nodes work with."""

    tools: Toolbox
    settings: Settings
    database: str
    """Where the database is, without credentials."""

    def accept(self, state: StudioState, config: RunnableConfig) -> StudioState:
        """Record the run, or answer: the event is invalid, its run_id is taken, or the run has ended before."""
        event = {name: value for name, value in state.items() if name in Request.model_fields and value is not None}
        event["run_id"] = event.get("run_id") or new_run_id()
        try:
            request = request_in(event)
            with self.tools.lease.hold(request.run_id):
                record = self._accepted(request, state.get("accepted"), self._place(config))
        except (InvalidRequestError, ConflictError) as error:
            return _answered(respond(error, str(event["run_id"])))
        response = recorded(record)
        return _answered(response) if response else StudioState(accepted=record.run_id)

    def go_on(self, workflow: Workflow, run_id: str, config: RunnableConfig) -> Response:
        """Begin the accepted run, or go on with it where it was left; the answer when it has ended.

        Raises UnavailableError: the thread then goes on at the same node when it is run again without an input.
        """
        with self.tools.lease.hold(run_id):
            record = self.tools.ledger.run(run_id)
            if record is None:
                raise UnknownRunError(run_id)
            check_doors(record, self.settings, self._place(config))
            if (answer := recorded(record)) is not None:
                return answer
            response = self._driven(workflow, record, config)
            status = response["body"]["execution_status"]
            if status in ENDED_STATUSES:
                return conclude(self.tools, record, response)
            self.tools.ledger.finish(record.run_id, record.generation, status, json.dumps(response))
            return response

    def _accepted(self, request: Request, under_way: str | None, place: str) -> RunRecord:
        known, restart = self.tools.ledger.run(request.run_id), request.options.restart
        if known is None or known.status == "invalid":
            return accept(request, self.tools, self.settings, place)
        if recorded(known) is None:
            check_doors(known, self.settings, place)
            if known.run_id == under_way and not restart:
                raise ConflictError(known.run_id, f"run {known.run_id} {_UNDER_WAY}")
        elif not restart and known.database.partition(IN_THREAD)[0] == self.database:
            # The answer of a run that has ended is the same in every thread.
            place = known.database
        return accept(request, self.tools, self.settings, place)

    def _driven(self, workflow: Workflow, record: RunRecord, config: RunnableConfig) -> Response:
        try:
            state = workflow.invoke(first_state(record), config, durability="sync")
        except (InvalidRequestError, UnsupportedTypeError) as error:
            return respond(error, record.run_id)
        return response_of(cast(State, state), self.tools.artifacts)

    def _place(self, config: RunnableConfig) -> str:
        """What a run is bound to: its checkpoints are in this thread, and nobody else could go on with it."""
        return f"{self.database}{IN_THREAD}{config['configurable']['thread_id']}"


def studio_graph(studio: Studio) -> StudioGraph:
    """The compiled graph, without a checkpointer: the server brings its own."""
    workflow = build_workflow(studio.tools, studio.settings)

    def accept(state: StudioState, config: RunnableConfig) -> StudioState:
        with readable():
            return studio.accept(state, config)

    def run(state: StudioState, config: RunnableConfig) -> StudioState:
        """Drive the workflow, which Studio shows as a subgraph because it stands in this closure."""
        with readable():
            try:
                return _answered(studio.go_on(workflow, state["accepted"] or "", config))
            except ConflictError as error:
                return _answered(respond(error))

    builder = StateGraph(StudioState, input_schema=Event, output_schema=Response)
    builder.add_node("accept", accept)
    builder.add_node("run", run)
    builder.add_edge(START, "accept")
    builder.add_conditional_edges("accept", route_after_accept)
    builder.add_edge("run", END)
    return builder.compile()


def route_after_accept(state: StudioState) -> Literal["run", "__end__"]:
    """A run that was accepted is driven; anything else has its answer."""
    return "run" if state.get("accepted") else "__end__"


def _answered(response: Response) -> StudioState:
    return StudioState(accepted=None, statusCode=response["statusCode"], body=response["body"])
