"""delete_job: delete the job's definition."""

from __future__ import annotations

from graph.state import State, launch_key
from tools.ports import JobRunner, Ledger
from tools.records import Launch


def delete_job(state: State, *, jobs: JobRunner, ledger: Ledger) -> State:
    """Delete the definition and record the launch as CLEANED; error, log and cost were read before."""
    jobs.delete(state["job_name"])
    ledger.advance(Launch(launch_key(state), "CLEANED", state["job_name"], state["job_run_id"]))
    return State(outcome=state["outcome"])
