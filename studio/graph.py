"""Studio's graph: an event in, the response out, and between them the workflow that every door runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import Field, create_model
from typing_extensions import TypedDict

from agent.errors import ConflictError, DatamorphError
from agent.request import Request
from agent.run_status import is_invalid
from graph.builder import Workflow, build_workflow
from graph.response import Body, Response
from runs.accept import IN_THREAD, accept, check_doors, first_state, new_run_id, request_in, run_id_of
from runs.completion import recorded
from runs.progress import Course
from runs.respond import reason, respond
from runs.service import Service
from tools.records import RunRecord

Event = create_model(
    "Event",
    __base__=Request,
    __doc__="What to do with which tables, and how to run it.",
    run_id=(str | None, Field(None, title="Run ID", description="Name of the run; one is made when it is left out.")),
)
"""The request as an input form: the same fields, and a `run_id` that may be left out."""


class StudioState(TypedDict, total=False):
    """State of a thread. The event's parts are ephemeral, so that none of them reaches the next event's run."""

    run_id: Annotated[str | None, EphemeralValue]
    specs: Annotated[Any, EphemeralValue]
    source_schemas: Annotated[Any, EphemeralValue]
    source_data_samples: Annotated[Any, EphemeralValue]
    options: Annotated[Any, EphemeralValue]
    accepted: str | None
    """The run that was accepted and is not answered yet."""
    statusCode: int  # noqa: N815
    body: Body


StudioGraph = CompiledStateGraph[StudioState, None, Any, Response]

_UNDER_WAY = (
    "is under way in this thread; go on from its interrupt or its error in the thread's history, "
    "or set options.restart to begin a new generation"
)


class StudioError(RuntimeError):
    """A service that refused stopped the run, or kept it from starting.

    A RuntimeError, because the server shows the message of those, and hides that of an error whose kind it does not
    know.
    """


@dataclass(frozen=True)
class ThreadService(Service):
    """The service for one thread of Studio's server, which keeps the checkpoints of the thread's runs."""

    workflow: Workflow
    config: RunnableConfig
    """Config of the node that drives the workflow."""

    def closed(self, record: RunRecord) -> Response | None:
        """As `Service.closed`. Raises ConflictError for a run of another thread, model, engine or database."""
        check_doors(record, self.settings, self.database)
        return super().closed(record)

    def course(self, record: RunRecord) -> Course:
        """The workflow as a subgraph of the thread."""
        return Course(self.workflow, self.config, first_state(record), nested=True)


@dataclass(frozen=True)
class Studio:
    """The two nodes of Studio's graph."""

    service: Service

    def accept(self, state: StudioState, config: RunnableConfig) -> StudioState:
        """Record the run, or answer: the event is invalid, its run_id is taken, or the run has ended."""
        event = {name: value for name, value in state.items() if name in Request.model_fields and value is not None}
        event["run_id"] = event.get("run_id") or new_run_id()
        service = replace(self.service, database=self._place(config))
        try:
            request = request_in(event)
            with service.tools.lease.hold(request.run_id):
                _demand_free(service, request, state.get("accepted"))
                record = accept(request, service.tools, service.settings, service.database)
                response = service.closed(record)
        except DatamorphError as error:
            response = respond(error, run_id_of(event))
        return _answered(response) if response else StudioState(accepted=record.run_id)

    def run(self, workflow: Workflow, state: StudioState, config: RunnableConfig) -> StudioState:
        """Begin the accepted run, or resume it."""
        parts = self.service.tools, self.service.settings, self.service.checkpointer, self._place(config)
        return _answered(ThreadService(*parts, workflow, config).resume(state["accepted"] or ""))

    def _place(self, config: RunnableConfig) -> str:
        """The place of a run: database and thread. No other thread has the run's checkpoints."""
        return f"{self.service.database}{IN_THREAD}{config['configurable']['thread_id']}"


def _demand_free(service: Service, request: Request, under_way: str | None) -> None:
    """Raise ConflictError for an open run of another thread, and for one that this thread can resume."""
    known = service.tools.ledger.run(request.run_id)
    if known is None or is_invalid(known.status) or recorded(known) is not None:
        return
    check_doors(known, service.settings, service.database)
    if known.run_id == under_way and not request.options.restart:
        raise ConflictError(known.run_id, f"run {known.run_id} {_UNDER_WAY}")


def studio_graph(service: Service) -> StudioGraph:
    """The compiled graph, without a checkpointer: the server brings its own."""
    workflow = build_workflow(service.tools, service.settings)
    studio = Studio(service)

    def run(state: StudioState, config: RunnableConfig) -> StudioState:
        """Drive the workflow. Studio shows it as a subgraph because it stands in this closure."""
        return studio.run(workflow, state, config)

    builder = StateGraph(StudioState, input_schema=Event, output_schema=Response)
    builder.add_node("accept", studio.accept)
    builder.add_node("run", run)
    builder.add_edge(START, "accept")
    builder.add_conditional_edges("accept", route_after_accept)
    builder.add_edge("run", END)
    return builder.compile()


def route_after_accept(state: StudioState) -> Literal["run", "__end__"]:
    """Drive a run that was accepted; every other event has its answer."""
    return "run" if state.get("accepted") else "__end__"


def _answered(response: Response) -> StudioState:
    """The thread's answer. Raises StudioError where the run has none yet.

    A thread that is run again without an input goes on at the node that raised.
    """
    if response["statusCode"] in (202, 503):
        raise StudioError(reason(response) or "the run was suspended; run the thread again to go on")
    return StudioState(accepted=None, statusCode=response["statusCode"], body=response["body"])
