"""Records the checkpoints that this version stores: `python -m tests.golden.record`, once for each release.

A file is recorded and then kept for good: later code has to resume what is in it.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import tomllib
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

# Read by langgraph at its first import.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from tests.fakes.moto_server import REGION, environment, make_stores, moto_server, reset
from tests.golden.scenes import RUN, SCENES, Scene, World, to_its_end, until_it_waits
from tests.golden.stores import DynamoStore, SqliteStore, Store
from tools.aws.clients import AwsClients
from tools.fakes import FakeJobs
from tools.local.ledger import SqliteLedger

HERE = Path(__file__).parent


def version() -> str:
    """The project's version."""
    text = (HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def recorded(scene: Scene, store: Store, folder: Path) -> dict[str, Any]:
    """A run up to where it waits as JSON, with the end that it then came to."""
    world = World(folder, FakeJobs())
    with store.saver() as saver:
        waiting = until_it_waits(scene, world, saver)
        assert waiting["statusCode"] == 202, waiting
        with closing(SqliteLedger(folder / "ledger.sqlite")) as ledger:
            record = ledger.run(RUN)
            assert record is not None
            told = {
                "run": asdict(record),
                "launches": [asdict(launch) for launch in ledger.launches(RUN, 1)],
                "artifacts": dict(world.artifacts.texts),
                "rows": store.rows(),
            }
        return {**told, "end": to_its_end(scene, world, saver)}


def main() -> None:
    """Record every scene with both checkpointers, unless this version was recorded before."""
    place = HERE / version()
    if place.exists():
        sys.exit(f"{place} is recorded; what a release stored is never changed")
    place.mkdir()
    with moto_server() as endpoint:
        os.environ.update(environment(endpoint))
        for name, scene in SCENES.items():
            for kind in ("sqlite", "dynamodb"):
                with tempfile.TemporaryDirectory() as folder, closing(AwsClients(REGION)) as clients:
                    reset(endpoint)
                    make_stores(clients)
                    path = Path(folder)
                    store: Store = SqliteStore(path / "c.sqlite") if kind == "sqlite" else DynamoStore(clients)
                    text = json.dumps(recorded(scene, store, path), sort_keys=True)
                    (place / f"{name}.{kind}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
