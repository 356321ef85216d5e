"""upload: store the script that the job is going to run."""

from __future__ import annotations

from graph.state import State
from tools.ports import ArtifactStore


def upload(state: State, *, artifacts: ArtifactStore) -> State:
    """Store the script under its immutable key and as the run's latest version."""
    script = artifacts.get(state["script_ref"])
    sha8 = state["script_ref"].rpartition("#")[2][:8]
    folder = f"glue/codes/{state['run_id']}"
    return State(
        job_script_ref=artifacts.put(f"{folder}/g{state['generation']}-a{state['attempt']}-{sha8}_glue.py", script),
        latest_uri=artifacts.put_latest(f"{folder}_glue.py", script),
        launch=1,
        outcome=None,
    )
