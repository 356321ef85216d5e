"""The notes of a reading, as the state keeps them."""

from __future__ import annotations

import json

from agent.compiler.notes import Note
from graph.nodes.prepare import _told


def test_a_checkpoint_stays_small() -> None:
    """The first notes are kept, each cut, and the others are counted."""
    told = _told([Note(f"specs.filters[{n}]", "x" * 10_000, "y") for n in range(1000)])
    assert len(json.dumps(told)) < 30_000
    assert told[-1]["message"] == "960 more parts were not certain either; `datamorph check` tells them all"
    assert _told([Note("specs", "read so", "or so")]) == [{"path": "specs", "message": "read so", "other": "or so"}]
