"""The janitor: deletes job definitions, staging tables and leases that runs left behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product

from agent.errors import DatamorphError, OutOfTimeError
from agent.names import (
    LaunchKey,
    RunKey,
    compact_date,
    date_of_table,
    prefix_of_table,
    run_of_job,
    staging_prefix,
)
from agent.run_status import has_ended, is_open
from graph.routes import MAX_ATTEMPTS, MAX_LAUNCHES
from runs.limits import orphan_date
from tools.ports import JobList
from tools.records import RunRecord
from tools.toolbox import Toolbox

PAGE = 200
"""Runs that are read from the ledger at a time."""


@dataclass
class _Sweep:
    """Names of deleted leftovers so far, and the refusals."""

    tools: Toolbox
    gone: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def put_away(self, name: str, work: Callable[[], object]) -> None:
        """Put one thing away, unless `work` returns nothing; a refusal does not keep the others back."""
        self.demand_time()
        try:
            if work():
                self.gone.append(name)
        except DatamorphError as error:
            self.failed.append(f"{name}: {error}")

    def runs(self) -> Iterator[RunRecord]:
        """All runs, the newest first."""
        page = self.tools.ledger.runs(PAGE)
        while page:
            yield from page
            self.demand_time()
            page = self.tools.ledger.runs(PAGE, page[-1])

    def demand_time(self) -> None:
        """Raise OutOfTimeError when the invocation has to end."""
        if self.tools.seconds_left is not None and self.tools.seconds_left() <= 0:
            raise OutOfTimeError("the time of this invocation is over; the next sweep puts away the rest")


def clean(tools: Toolbox) -> tuple[list[str], list[str]]:
    """Delete what ended runs have left; names of deleted leftovers, and refusals for the next sweep to try again."""
    sweep = _Sweep(tools)
    for step in (_definitions, _staging, _leases):
        try:
            step(sweep)
        except DatamorphError as error:
            sweep.failed.append(str(error))
    return sweep.gone, list(dict.fromkeys(sweep.failed))


def _definitions(sweep: _Sweep) -> None:
    """Delete the job definitions of runs that have ended, and of unknown runs once they have expired."""
    jobs = sweep.tools.job_list
    if jobs is not None:
        for name in jobs.ours():
            sweep.put_away(name, partial(_deleted, sweep.tools, jobs, name))


def _left(tools: Toolbox, jobs: JobList, name: str) -> bool:
    """True for a job definition that is a leftover."""
    key = run_of_job(name) or RunKey("", 0)
    record = tools.ledger.run(key.run_id)
    if record is not None:
        if record.key == key and is_open(record.status):
            return False
        over = record.generation > key.generation or has_ended(record.status)
        if over and any(launch.job_name == name for launch in tools.ledger.launches(key)):
            return True
    # The job may be another installation's, which may be at work until the definition has expired.
    found = jobs.look(name)
    return found is not None and found.expired


def _deleted(tools: Toolbox, jobs: JobList, name: str) -> bool:
    """Delete a leftover job definition. One with a live job run is kept: the run is stopped for the next sweep."""
    if not _left(tools, jobs, name):
        return False
    live = [run for run in tools.jobs.list_runs(name) if not run.terminal]
    for run in live:
        tools.jobs.stop(name, run.job_run_id)
    if not live:
        tools.jobs.delete(name)
    return not live


def _staging(sweep: _Sweep) -> None:
    """Drop the staging tables of runs that have ended, and of runs that nobody here knows once they are too old.

    A table that nobody here knows belongs to an older generation, or to another installation that shares the database.
    """
    database = sweep.tools.database
    if database is None:
        return
    tables: dict[str, list[str]] = defaultdict(list)
    for table in database.staging_tables():
        tables[prefix_of_table(table)].append(table)
    for prefix, ended in _of_runs(sweep, tables):
        own = tables.pop(prefix, [])
        for table in own if ended else ():
            sweep.put_away(table, partial(database.drop_staging, table))
    too_old = orphan_date(sweep.tools.clock.now())
    for table in (table for unknown in tables.values() for table in unknown if date_of_table(table) < too_old):
        sweep.put_away(table, partial(database.drop_staging, table))


def _of_runs(sweep: _Sweep, tables: Mapping[str, list[str]]) -> Iterator[tuple[str, bool]]:
    """Prefixes of the staging tables that runs of the ledger may have, and whether the run has ended.

    Newest runs first, until no table is left, or only tables that are older than the runs that follow.
    """
    for record in sweep.runs() if tables else ():
        if compact_date(record.accepted_at) < min(map(date_of_table, tables)):
            return
        for attempt, launch in product(range(1, MAX_ATTEMPTS + 1), range(1, MAX_LAUNCHES + 1)):
            key = LaunchKey(*record.key, attempt, launch)
            yield staging_prefix(key, record.accepted_at), has_ended(record.status)
        if not tables:
            return


def _leases(sweep: _Sweep) -> None:
    if count := sweep.tools.lease.clear():
        sweep.gone.append(f"{count} leases")
