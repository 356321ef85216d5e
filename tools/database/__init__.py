"""The database: PostgreSQL as a source of snapshots and as the place of staging and target."""

from tools.database.port import PostgresDatabase, quoted

__all__ = ["PostgresDatabase", "quoted"]
