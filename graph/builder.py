"""The workflow's graph and its subgraph `run_glue`: nodes bound to their ports, edges from the routes' types."""

from __future__ import annotations

from functools import partial

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.errors import UnavailableError
from agent.settings import Settings
from graph.nodes.await_run import await_run
from graph.nodes.create_job import create_job
from graph.nodes.delete_job import delete_job
from graph.nodes.diagnose import diagnose
from graph.nodes.finish import finish
from graph.nodes.generate import generate
from graph.nodes.preflight import preflight
from graph.nodes.prepare import prepare
from graph.nodes.publish import publish
from graph.nodes.repair import repair
from graph.nodes.sanitize import sanitize
from graph.nodes.start_run import start_run
from graph.nodes.suspend import suspend
from graph.nodes.upload import upload
from graph.routes import (
    route_after_await,
    route_after_delete,
    route_after_diagnose,
    route_after_job,
    route_after_preflight,
    route_after_publish,
    route_after_sanitize,
)
from graph.state import InputState, State
from tools.toolbox import Toolbox

Workflow = CompiledStateGraph[State, None, InputState, State]

NO_DATABASE = "a run needs a database: give --database-url, DATAMORPH_DATABASE_URL or DATAMORPH_DATABASE_SECRET"


def build_workflow(
    tools: Toolbox, settings: Settings, checkpointer: BaseCheckpointSaver[str] | None = None
) -> Workflow:
    """The compiled workflow. Raises UnavailableError when the toolbox has no database."""
    if tools.database is None:
        raise UnavailableError("database", NO_DATABASE)
    artifacts, database, model = tools.artifacts, tools.database, tools.model
    builder = StateGraph(State, input_schema=InputState)
    rows, left = settings.sample_rows, tools.seconds_left
    preparing = partial(prepare, artifacts=artifacts, database=database, sample_rows=rows)
    builder.add_node("prepare", partial(preparing, worker_type=settings.worker_type))
    generating = partial(generate, artifacts=artifacts, model=model, sample_rows=rows, seconds_left=left)
    builder.add_node("generate", partial(generating, glue_version=settings.glue_version))
    sanitizing = partial(sanitize, artifacts=artifacts, connection=settings.connection)
    builder.add_node("sanitize", partial(sanitizing, glue_version=settings.glue_version))
    builder.add_node("preflight", partial(preflight, artifacts=artifacts, dry_run=tools.dry_run))
    builder.add_node("upload", partial(upload, artifacts=artifacts))
    builder.add_node("run_glue", _run_glue(tools, settings))
    builder.add_node(
        "publish", partial(publish, artifacts=artifacts, database=database, clock=tools.clock, ledger=tools.ledger)
    )
    builder.add_node("suspend", suspend)
    builder.add_node("diagnose", diagnose)
    repairing = partial(repair, artifacts=artifacts, model=model, sample_rows=rows, seconds_left=left)
    builder.add_node("repair", partial(repairing, glue_version=settings.glue_version))
    finishing = partial(finish, artifacts=artifacts, database=database)
    builder.add_node("finish", partial(finishing, ledger=tools.ledger, journal=tools.journal))
    builder.add_edge(START, "prepare")
    builder.add_edge("prepare", "generate")
    builder.add_edge("generate", "sanitize")
    builder.add_conditional_edges("sanitize", route_after_sanitize)
    builder.add_conditional_edges("preflight", route_after_preflight)
    builder.add_edge("upload", "run_glue")
    builder.add_conditional_edges("run_glue", route_after_job)
    builder.add_conditional_edges("publish", route_after_publish)
    builder.add_edge("suspend", "publish")
    builder.add_conditional_edges("diagnose", route_after_diagnose)
    builder.add_edge("repair", "sanitize")
    builder.add_edge("finish", END)
    return builder.compile(checkpointer=checkpointer)


def _run_glue(tools: Toolbox, settings: Settings) -> CompiledStateGraph[State, None, State, State]:
    """The subgraph that runs a script on the engine, exactly once per launch."""
    jobs, ledger, artifacts, clock = tools.jobs, tools.ledger, tools.artifacts, tools.clock
    minutes, wait, poll = settings.timeout_minutes, settings.wait_seconds, settings.poll_interval
    builder = StateGraph(State)
    builder.add_node("create_job", partial(create_job, jobs=jobs, ledger=ledger, timeout_minutes=minutes))
    starting = partial(start_run, jobs=jobs, ledger=ledger, clock=clock, database=tools.database)
    builder.add_node("start_run", partial(starting, timeout_minutes=minutes))
    waiting = partial(await_run, jobs=jobs, ledger=ledger, artifacts=artifacts, clock=clock, wait=wait, poll=poll)
    builder.add_node("await_run", waiting)
    builder.add_node("suspend", suspend)
    builder.add_node("delete_job", partial(delete_job, jobs=jobs, ledger=ledger))
    builder.add_edge(START, "create_job")
    builder.add_edge("create_job", "start_run")
    builder.add_edge("start_run", "await_run")
    builder.add_conditional_edges("await_run", route_after_await)
    builder.add_edge("suspend", "await_run")
    builder.add_conditional_edges("delete_job", route_after_delete, {"create_job": "create_job", "__end__": END})
    return builder.compile()
