"""A world of fakes around real checkpoints and a real ledger: a service that any process could have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.errors import ArtifactError
from agent.settings import load_settings
from runs.service import Service
from tests.runs.scene import REPLY, SETTINGS
from tools.fakes import FakeClock, FakeDatabase, FakeDryRun, FakeJobs, FakeModel
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.toolbox import Toolbox

RUN = "run_1"


@dataclass
class MemoryArtifacts:
    """An ArtifactStore in memory."""

    texts: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key."""
        if self.texts.setdefault(key, text) != text:
            raise ArtifactError(key, "is already stored with another content")
        return f"memory:{key}#{hashlib.sha256(text.encode()).hexdigest()}"

    def put_latest(self, key: str, text: str) -> str:
        """Store under a key that always holds the newest text."""
        self.texts[key] = text
        return f"memory:{key}"

    def get(self, ref: str) -> str:
        """The text of a reference."""
        key = ref.partition("#")[0].removeprefix("memory:")
        if key not in self.texts:
            raise ArtifactError(ref, "is missing")
        return self.texts[key]


@dataclass
class World:
    """The stand-ins of one run."""

    folder: Path
    jobs: FakeJobs
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    model: FakeModel = field(default_factory=lambda: FakeModel([REPLY] * 9))

    @contextmanager
    def service(self, saver: BaseCheckpointSaver[Any]) -> Iterator[Service]:
        """The service over a checkpointer."""
        with closing(SqliteLedger(self.folder / "ledger.sqlite")) as ledger:
            tools = Toolbox(
                model=self.model,
                artifacts=self.artifacts,
                jobs=self.jobs,
                dry_run=FakeDryRun(),
                database=self.database,
                ledger=ledger,
                lease=FileLease(self.folder / "leases"),
                journal=JsonlJournal(self.folder / "journal"),
                clock=FakeClock(),
            )
            yield Service(tools, load_settings(SETTINGS, {}), saver, "fake")
