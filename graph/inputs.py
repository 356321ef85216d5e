"""Documents of a run in the artifact store: request, snapshot and texts, under keys made from their content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from agent.request import Request, parse_request
from agent.script import Script
from agent.snapshot import Snapshot
from graph.state import State
from tools.ports import ArtifactStore


@dataclass(frozen=True)
class Inputs:
    """The request and the snapshot of a run; a node loads them once."""

    request: Request
    snapshot: Snapshot

    @classmethod
    def load(cls, state: State, artifacts: ArtifactStore) -> Self:
        """Read both from the artifact store. Raises ArtifactError, UnavailableError."""
        snapshot = Snapshot.model_validate_json(artifacts.get(state["snapshot_ref"]))
        return cls(load_request(state, artifacts), snapshot)


def load_request(state: State, artifacts: ArtifactStore) -> Request:
    """Read the request that the run was accepted with; `prepare` has no snapshot yet."""
    return parse_request(json.loads(artifacts.get(state["request_ref"])), stored=True)


def store(state: State, artifacts: ArtifactStore, name: str, text: str, extension: str = "md") -> str:
    """Store a text of this run; the same text again gives the same reference."""
    return artifacts.put(document_key(state["run_id"], state["generation"], name, text, extension), text)


def document_key(run_id: str, generation: int, name: str, text: str, extension: str) -> str:
    """The immutable key of a text: `glue/runs/{run_id}/g1/{name}-{sha8}.{extension}`."""
    sha = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"glue/runs/{run_id}/g{generation}/{name}-{sha}.{extension}"


def transform_line(state: State, artifacts: ArtifactStore, script_line: int | None) -> int | None:
    """A line of the script as a line of the transform; None when it lies outside."""
    lines = artifacts.get(state["transform_ref"]).strip("\n").count("\n") + 1
    return Script("", state["transform_line"], lines).line_in_transform(script_line)
