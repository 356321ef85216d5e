"""The two places where the stores of a contract's tests lie."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.moto_server import DEFAULTS, Aws
from tools.aws.artifacts import S3Artifacts
from tools.aws.lease import DynamoLease
from tools.aws.ledger import DynamoLedger
from tools.local.artifacts import LocalArtifacts
from tools.local.clock import SystemClock
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.ports import ArtifactStore, Lease, Ledger


@dataclass(frozen=True)
class Place:
    """Where a test's stores lie."""

    folder: Path
    aws: Aws | None

    def artifacts(self) -> ArtifactStore:
        """As one process opens it."""
        return S3Artifacts(self.aws.clients, DEFAULTS.bucket) if self.aws else LocalArtifacts(self.folder)

    def lease(self) -> Lease:
        """As one process opens it."""
        if self.aws:
            return DynamoLease(self.aws.clients, DEFAULTS.ledger_table, lambda: 60.0, SystemClock())
        return FileLease(self.folder)

    def ledger(self) -> AbstractContextManager[Ledger]:
        """As one process opens it."""
        if self.aws:
            return nullcontext(DynamoLedger(self.aws.clients, DEFAULTS.ledger_table, DEFAULTS.retention_days))
        return closing(SqliteLedger(self.folder / "ledger.sqlite"))
