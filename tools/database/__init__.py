"""The database: PostgreSQL as a source of snapshots and as the place of staging and target."""

from tools.database.postgres_database import PostgresDatabase, quoted

__all__ = ["PostgresDatabase", "quoted"]
