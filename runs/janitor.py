"""Puts away what runs left that died at their very end: definitions, staging tables, leases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product

from agent.errors import DatamorphError, OutOfTimeError
from agent.names import LaunchKey, RunKey, prefix_of_table, run_of_job, staging_prefix
from agent.run_status import has_ended, is_open
from graph.routes import MAX_ATTEMPTS, MAX_LAUNCHES
from tools.launch_steps import acceptances
from tools.ports import JobList
from tools.records import RunRecord
from tools.toolbox import Toolbox

PAGE = 200
"""Of so many runs at a time, the newest first, staging tables are told apart until none is left to be told."""


@dataclass
class _Sweep:
    """What was put away so far, and what could not be."""

    tools: Toolbox
    gone: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def put_away(self, name: str, work: Callable[[], object]) -> None:
        """Put one thing away, unless `work` finds that it has to stay; a refusal keeps none of the others back."""
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
    """Names of what was put away, and what could not be: the next sweep tries again."""
    sweep = _Sweep(tools)
    for step in (_definitions, _staging, _leases):
        try:
            step(sweep)
        except DatamorphError as error:
            sweep.failed.append(str(error))
    return sweep.gone, list(dict.fromkeys(sweep.failed))


def _definitions(sweep: _Sweep) -> None:
    """Delete the definitions of runs that have ended, and those that nobody here knows when they are over."""
    jobs = sweep.tools.job_list
    if jobs is not None:
        for name in jobs.ours():
            sweep.put_away(name, partial(_deleted, sweep.tools, jobs, name))


def _left(tools: Toolbox, jobs: JobList, name: str) -> bool:
    key = run_of_job(name) or RunKey("", 0)
    record = tools.ledger.run(key.run_id)
    if record is not None:
        if record.key == key and is_open(record.status):
            return False
        over = record.generation > key.generation or has_ended(record.status)
        if over and any(launch.job_name == name for launch in tools.ledger.launches(key)):
            return True
    # Another installation's, perhaps: it may be at work until the definition has expired.
    found = jobs.look(name)
    return found is not None and found.expired


def _deleted(tools: Toolbox, jobs: JobList, name: str) -> bool:
    """Delete a definition that was left; with a live run it is kept, and the run is stopped for the next sweep."""
    if not _left(tools, jobs, name):
        return False
    live = [run for run in tools.jobs.list_runs(name) if not run.terminal]
    for run in live:
        tools.jobs.stop(name, run.job_run_id)
    if not live:
        tools.jobs.delete(name)
    return not live


def _staging(sweep: _Sweep) -> None:
    """Drop the staging tables of runs that have ended, and of generations that were followed by another."""
    database = sweep.tools.database
    if database is None:
        return
    tables: dict[str, list[str]] = defaultdict(list)
    for table in database.staging_tables():
        tables[prefix_of_table(table)].append(table)
    for record in sweep.runs() if tables else ():
        for prefix, over in _prefixes(record):
            own = tables.pop(prefix, [])
            for table in own if over else ():
                sweep.put_away(table, partial(database.drop_staging, table))
        if not tables:
            return


def _prefixes(record: RunRecord) -> Iterator[tuple[str, bool]]:
    """How the staging tables of each launch that a run may have had begin, and whether nobody needs them any more."""
    launches = product(acceptances(record), range(1, MAX_ATTEMPTS + 1), range(1, MAX_LAUNCHES + 1))
    for (generation, accepted_at), attempt, launch in launches:
        over = generation < record.generation or has_ended(record.status)
        yield staging_prefix(LaunchKey(record.run_id, generation, attempt, launch), accepted_at), over


def _leases(sweep: _Sweep) -> None:
    if count := sweep.tools.lease.clear():
        sweep.gone.append(f"{count} leases")
