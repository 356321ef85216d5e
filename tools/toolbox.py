"""The Toolbox: all ports of one process, carried together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.ports import (
    Announcer,
    ArtifactStore,
    Clock,
    Database,
    DryRun,
    JobList,
    JobRunner,
    Journal,
    Lease,
    Ledger,
    Model,
)


@dataclass(frozen=True)
class Toolbox:
    """The ports of one process; the composition builds it once, and the nodes receive its ports."""

    model: Model
    artifacts: ArtifactStore
    jobs: JobRunner
    dry_run: DryRun | None
    """None where Spark is not installed: preflight is skipped and the answer says so."""
    database: Database | None
    """None where no database is configured for this process."""
    ledger: Ledger
    lease: Lease
    journal: Journal
    clock: Clock
    announcer: Announcer | None = None
    """None where no bus is configured."""
    job_list: JobList | None = None
    """None where no janitor sweeps job definitions, as on the embedded engine."""
    seconds_left: Callable[[], float] | None = None
    """Gives the seconds left for a step that begins now; None where no invocation ends by itself."""
