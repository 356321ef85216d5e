"""Puts away what runs left that died at their very end: definitions, staging tables, leases."""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import DatamorphError
from agent.keys import generation_of_job, run_id_of_job, staging_prefix
from tools.ports import Database, JobList, Toolbox
from tools.records import ENDED_STATUSES, OPEN_STATUSES

LOOKED_BACK = 200
"""Of so many runs, the newest, staging tables are told apart: one of an older run is left to whoever sees it."""


def clean(tools: Toolbox) -> tuple[list[str], list[str]]:
    """Names of what was put away, and what could not be: the next sweep tries again."""
    steps: list[Callable[[Toolbox], list[str]]] = [_definitions, _staging, _leases]
    gone: list[str] = []
    failed: list[str] = []
    for step in steps:
        try:
            gone += step(tools)
        except DatamorphError as error:
            failed.append(str(error))
    return gone, failed


def _definitions(tools: Toolbox) -> list[str]:
    """Delete the definitions of runs that have ended, and those that nobody here knows when they are over."""
    jobs = tools.job_list
    return [] if jobs is None else [name for name in jobs.ours() if _left(tools, jobs, name) and _deleted(tools, name)]


def _left(tools: Toolbox, jobs: JobList, name: str) -> bool:
    run_id, generation = run_id_of_job(name) or "", generation_of_job(name) or 0
    record = tools.ledger.run(run_id)
    if record is not None:
        if record.generation == generation and record.status in OPEN_STATUSES:
            return False
        over = record.generation > generation or record.status in ENDED_STATUSES
        if over and any(launch.job_name == name for launch in tools.ledger.launches(run_id, generation)):
            return True
    # Another installation's, perhaps: it may be at work until the definition has expired.
    found = jobs.look(name)
    return found is not None and found.expired


def _deleted(tools: Toolbox, name: str) -> bool:
    """Delete a definition; one with a live run is kept, its run is stopped, and the next sweep deletes it."""
    live = [run for run in tools.jobs.list_runs(name) if not run.terminal]
    for run in live:
        tools.jobs.stop(name, run.job_run_id)
    if not live:
        tools.jobs.delete(name)
    return not live


def _staging(tools: Toolbox) -> list[str]:
    """Drop the staging tables of runs that have ended."""
    return [] if tools.database is None else _dropped(tools, tools.database)


def _dropped(tools: Toolbox, database: Database) -> list[str]:
    tables, gone = set(database.staging_tables()), list[str]()
    for record in tools.ledger.runs(LOOKED_BACK) if tables else []:
        for launch in tools.ledger.launches(record.run_id, record.generation) if tables else []:
            key = launch.key
            prefix = staging_prefix(key.run_id, key.generation, key.attempt, key.launch, record.accepted_at)
            own = sorted(table for table in tables if table.startswith(prefix))
            if own and record.status in ENDED_STATUSES:
                database.drop_staging(prefix)
                gone += own
            tables.difference_update(own)
    return gone


def _leases(tools: Toolbox) -> list[str]:
    count = tools.lease.clear()
    return [f"{count} leases"] if count else []
