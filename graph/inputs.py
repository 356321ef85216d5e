"""What state refers to: requests, snapshots and texts in the artifact store, under names made from their content."""

from __future__ import annotations

import hashlib
import json

from agent.request import Request, parse_request
from agent.snapshot import Snapshot
from graph.state import State
from tools.ports import ArtifactStore


def store(state: State, artifacts: ArtifactStore, name: str, text: str, extension: str = "md") -> str:
    """Keep a text of this run; the same text again gives the same reference."""
    return artifacts.put(document_key(state["run_id"], state["generation"], name, text, extension), text)


def document_key(run_id: str, generation: int, name: str, text: str, extension: str) -> str:
    """The immutable key of a text: `glue/runs/{run_id}/g1/{name}-{sha8}.{extension}`."""
    sha = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"glue/runs/{run_id}/g{generation}/{name}-{sha}.{extension}"


def load_request(state: State, artifacts: ArtifactStore) -> Request:
    """The request that the run was accepted with."""
    return parse_request(json.loads(artifacts.get(state["request_ref"])))


def load_snapshot(state: State, artifacts: ArtifactStore) -> Snapshot:
    """What sources and target looked like when the run began."""
    return Snapshot.model_validate_json(artifacts.get(state["snapshot_ref"]))
