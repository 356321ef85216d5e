"""run_glue: the subgraph that runs a script on the engine, exactly once per launch."""

from __future__ import annotations

from functools import partial

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.nodes.await_run import await_run
from graph.nodes.create_job import create_job
from graph.nodes.delete_job import delete_job
from graph.nodes.start_run import start_run
from graph.nodes.suspend import suspend
from graph.routes import route_after_await, route_after_delete
from graph.state import State
from tools.toolbox import Toolbox


def build_run_glue(
    tools: Toolbox, *, timeout_minutes: int, wait: float, poll: float
) -> CompiledStateGraph[State, None, State, State]:
    """The compiled subgraph."""
    jobs, ledger, artifacts, clock = tools.jobs, tools.ledger, tools.artifacts, tools.clock
    builder = StateGraph(State)
    builder.add_node("create_job", partial(create_job, jobs=jobs, ledger=ledger, timeout_minutes=timeout_minutes))
    starting = partial(start_run, jobs=jobs, ledger=ledger, clock=clock, database=tools.database)
    builder.add_node("start_run", partial(starting, timeout_minutes=timeout_minutes))
    waiting = partial(await_run, jobs=jobs, ledger=ledger, artifacts=artifacts, clock=clock, wait=wait, poll=poll)
    builder.add_node("await_run", waiting)
    builder.add_node("delete_job", partial(delete_job, jobs=jobs, ledger=ledger))
    builder.add_edge(START, "create_job")
    builder.add_edge("create_job", "start_run")
    builder.add_edge("start_run", "await_run")
    builder.add_node("suspend", suspend)
    builder.add_conditional_edges("await_run", route_after_await)
    builder.add_edge("suspend", "await_run")
    builder.add_conditional_edges("delete_job", route_after_delete, {"create_job": "create_job", "__end__": END})
    return builder.compile()
