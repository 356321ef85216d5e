"""Check that the jobs have a database user of their own, for every engine."""

from __future__ import annotations

from agent.errors import DatamorphError
from tools.database import catalog, grants, staging_schema
from tools.database.connection import Connection, Connector, UnreachableError
from tools.doctor.check import Check

NAME = "database users"


def examine_users(url: str, job_role: str | None, remedy: str, job_url: str | None = None) -> Check:
    """Check as the publisher, whose URL is `url`; `remedy` says how jobs get a role of their own.

    `job_url` is the jobs' own URL, by which their login is tried too.
    """
    found = _as_publisher(url, job_role, remedy)
    if job_url is None or found.status not in ("ok", "warning"):
        return found
    try:
        with Connector(job_url).session():
            return found
    except DatamorphError as error:
        return Check(NAME, "missing", f"the jobs' user {job_role!r} cannot log in: {error}")


def _as_publisher(url: str, job_role: str | None, remedy: str) -> Check:
    connector = Connector(url)
    try:
        with connector.session() as connection, connector.translated():
            return _examined(connection, job_role, remedy)
    except UnreachableError:
        return Check(NAME, "not needed", "the database cannot be reached")
    except DatamorphError as error:
        return Check(NAME, "missing", str(error))


def _examined(connection: Connection, job_role: str | None, remedy: str) -> Check:
    row = connection.execute("SELECT current_user::text").fetchone()
    publisher = row[0] if row else ""
    if job_role in (None, publisher):
        detail = f"{publisher!r} runs the jobs and publishes: a job could alter or drop every table that publish may"
        return Check(NAME, "warning", f"{detail}; {remedy}")
    assert job_role is not None
    # The first run creates the schema.
    lacking = grants.missing(connection, job_role) if catalog.schema_exists(connection, staging_schema.SCHEMA) else []
    if lacking:
        return Check(NAME, "missing", f"run as its owner or a superuser: {'; '.join(lacking)}")
    if excess := grants.excess(connection, job_role):
        return Check(NAME, "warning", "; ".join(excess))
    return Check(NAME, "ok", f"{job_role!r} runs the jobs, {publisher!r} publishes")
