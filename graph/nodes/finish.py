"""finish: report and clean up; no failure here fails the run."""

from __future__ import annotations

import json

from agent.errors import DatamorphError
from agent.names import RunKey
from graph.inputs import store
from graph.launches import drop_staged
from graph.response import response_of
from graph.state import State, WorkflowStatus
from tools.ports import ArtifactStore, Database, Journal, Ledger


def finish(
    state: State,
    *,
    artifacts: ArtifactStore,
    database: Database,
    ledger: Ledger,
    journal: Journal,
) -> State:
    """Drop the run's staging tables, store the report, write to the journal."""
    status: WorkflowStatus = "success" if state["status"] == "success" else "failed"
    done = State(status=status, warnings=list(state["warnings"]))
    for launch in ledger.launches(RunKey(state["run_id"], state["generation"])):
        done["warnings"] += drop_staged(database, launch.key, state["accepted_at"])
    body = response_of(State(**{**state, **done}), artifacts)["body"]
    try:
        store(state, artifacts, "report", json.dumps(body, indent=1, ensure_ascii=False), "json")
    except DatamorphError as error:
        done["warnings"].append(f"the report was not stored: {error}")
    journal.write(
        state["run_id"], "success" if status == "success" else "error", f"run {status}", rows=state["rows_written"]
    )
    return done
