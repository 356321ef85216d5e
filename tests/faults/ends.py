"""A run as the stores of either world have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.errors import ConflictError
from agent.names import RunKey, thread_id
from runs.service import Service
from tests.faults.invariants import plain
from tools.local.lease import FileLease


def on_record(service: Service, run_id: str) -> dict[str, Any]:
    """The run's final state and records, in its first generation: parts of an `Evidence`."""
    record = service.tools.ledger.run(run_id)
    saved = service.checkpointer.get_tuple({"configurable": {"thread_id": thread_id(RunKey(run_id, 1))}})
    return {
        "state": plain(saved.checkpoint["channel_values"]) if saved else {},
        "status": record.status if record else "",
        "recorded": record.response if record else "",
        "launches": [launch.state for launch in service.tools.ledger.launches(RunKey(run_id, 1))],
    }


def held(folder: Path) -> list[str]:
    """The runs that are held by a file lock; the file of a lock that nobody holds is no lease left."""
    found = []
    for path in sorted(folder.glob("*.lock")):
        try:
            with FileLease(folder).hold(path.stem):
                pass
        except ConflictError:
            found.append(path.stem)
    return found
