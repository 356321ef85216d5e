"""The request of a run, as its nodes load it."""

from __future__ import annotations

import json
from pathlib import Path

from agent.raw_event import EVENT_BYTES
from graph.inputs import load_request
from graph.state import State
from tools.local.artifacts import LocalArtifacts


def test_a_stored_request_may_be_longer_than_its_event(tmp_path: Path) -> None:
    """The limits hold for what a caller sends: a stored form spells out what the event says in short."""
    artifacts = LocalArtifacts(tmp_path)
    specs = {"source_tables": ["orders"], "target_table": {"name": "t", "description": "x" * EVENT_BYTES}}
    ref = artifacts.put("request.json", json.dumps({"run_id": "r1", "specs": specs}))
    assert load_request(State(request_ref=ref), artifacts).specs.target_table.name == "t"
