"""create_job: define the job of the next launch."""

from __future__ import annotations

from agent.errors import ConflictError, EngineError
from agent.names import LaunchKey, job_name
from graph.state import State
from tools.ports import JobRunner, Ledger
from tools.records import JobDefinition, Launch


def create_job(state: State, *, jobs: JobRunner, ledger: Ledger, timeout_minutes: int) -> State:
    """Define the job of the next launch; an existing definition of that name is this launch's own.

    Raises ConflictError for a launch that the ledger knows with another script: a fork of an older checkpoint.
    """
    launch = state["launch"] + 1 if state["outcome"] else state["launch"]
    sha = state["job_script_ref"].rpartition("#")[2]
    key = LaunchKey(state["run_id"], state["generation"], state["attempt"], launch)
    name = job_name(key, sha, state["accepted_at"])
    known = ledger.launch(key)
    if known is None:
        ledger.advance(Launch(key, "PLANNED", name))
    elif known.job_name != name:
        message = (
            f"attempt {key.attempt}, launch {key.launch} was {known.job_name}; options.restart runs another script"
        )
        raise ConflictError(key.run_id, message)
    update = State(launch=launch, job_name=name, outcome=None, publish_failure=None)
    define_job(State(**{**state, **update}), jobs, timeout_minutes)
    return update


def define_job(state: State, jobs: JobRunner, timeout_minutes: int) -> None:
    """Define the launch's job, unless it is defined."""
    tags = {"run_id": state["run_id"], "generation": str(state["generation"]), "attempt": str(state["attempt"])}
    definition = JobDefinition(
        name=state["job_name"],
        script_ref=state["job_script_ref"],
        timeout_minutes=timeout_minutes,
        tags=tags,
        worker_type=state["worker_type"],
    )
    try:
        jobs.create(definition)
    except EngineError as error:
        if error.code != "AlreadyExistsException":
            raise
