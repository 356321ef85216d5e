"""Drops what a launch has staged. A table that PostgreSQL does not let go keeps no run open: a sweep drops it later."""

from __future__ import annotations

from agent.errors import UnavailableError
from agent.names import staging_prefix
from tools.ports import Database
from tools.records import LaunchKey


def drop_staged(database: Database, key: LaunchKey, accepted_at: str) -> list[str]:
    """Drop the staging tables of a launch; returns a warning when they are still there."""
    try:
        database.drop_staging(staging_prefix(key.run_id, key.generation, key.attempt, key.launch, accepted_at))
    except UnavailableError as error:
        return [f"staging of attempt {key.attempt} is still there: {error}"]
    return []
