"""A process that publishes: `python -m tests.faults.publisher URL`, a JSON order a line, a JSON answer a line.

The first line of output says that it is ready.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from agent.errors import PublishError
from agent.snapshot import Snapshot
from tools.database import PostgresDatabase
from tools.records import PublishOrder


def main() -> None:
    """Answer until the input ends."""
    database = PostgresDatabase(sys.argv[1], lock_timeout=60)
    tell({"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in asked["order"].items()
        }
        try:
            made = database.publish(PublishOrder(**given), Snapshot.model_validate(asked["snapshot"]))
        except PublishError as error:
            tell({"kind": error.kind, "message": str(error)})
        else:
            tell({"kind": "already" if made.already else "published", "rows": made.rows})


def tell(answer: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
