"""A job as the user that docs/deploy.md makes for it, with the engine's own credentials; and the doctors' answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from agent.errors import UnavailableError
from tests.fixtures.postgres import Users, as_role
from tests.tools.database.scene import NEW, OLD, STAGED, Sql, order, publish, request, rows
from tests.tools.spark.scene import Bench, script
from tools.database import PostgresDatabase
from tools.doctor.job_role import examine_users
from tools.local.artifacts import LocalArtifacts
from tools.spark.engine import LocalJobRunner
from tools.spark.jvm import SparkJvm

DEPLOY = (Path(__file__).parents[3] / "docs" / "deploy.md").read_text(encoding="utf-8")
PASSWORD = "%E2%80%A6"  # the page's ellipsis

ATTEMPTS = {
    "DROP TABLE summary": "42501",
    "DELETE FROM summary": "42501",
    "INSERT INTO summary VALUES (3, 'mine')": "42501",
    "UPDATE orders SET id = 9": "42501",
    "CREATE TABLE public.x (id integer)": "42501",
    "CREATE SCHEMA x": "42501",
    "SELECT * FROM secret.vault": "42501",
    "SELECT rolpassword FROM pg_authid": "42501",
    "DELETE FROM datamorph_staging.publishes": "42501",
    "DROP TABLE datamorph_staging.publishes": "42501",
    "DROP SCHEMA datamorph_staging CASCADE": "42501",
    "SET ROLE etl": "42501",
    "ALTER ROLE etl_jobs SUPERUSER": "42501",
    "COPY orders TO PROGRAM 'cat'": "42501",
    "SELECT * FROM orders": "done",
    "CREATE TABLE datamorph_staging.mine (id integer)": "done",
}

TRYING = f"""
import os
import psycopg

[url] = json.loads(os.environ["DATAMORPH_CONNECTIONS"]).values()
with psycopg.connect(url, autocommit=True) as connection:
    for attempt in {list(ATTEMPTS)!r}:
        try:
            connection.execute(attempt)
            print("tried", attempt, "->", "done")
        except psycopg.Error as error:
            print("tried", attempt, "->", error.sqlstate)
"""

STAGING = f"""
spark.conf.set("spark.sql.session.timeZone", "UTC")
write(read("orders").selectExpr("id + 6 AS id", "'new' AS note"), "datamorph_staging.{STAGED}")
"""


@pytest.fixture
def installed(postgres_url: str) -> Iterator[Users]:
    """Run the page's statements, word for word, on a database with sources, a target and what is nobody's business."""
    [statements] = re.findall(r"```sql\n(.*?)```", DEPLOY, re.DOTALL)
    name = conninfo_to_dict(postgres_url)["dbname"]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        sql = Sql(connection)
        sql("CREATE TABLE orders (id integer); INSERT INTO orders VALUES (1), (2)")
        sql("CREATE TABLE summary (id integer, note text); INSERT INTO summary VALUES (1, 'old'), (2, 'old')")
        sql("CREATE SCHEMA secret; CREATE TABLE secret.vault (word text); GRANT USAGE ON SCHEMA secret TO PUBLIC")
        sql(statements.replace("DATABASE sales", f"DATABASE {name}"))
        try:
            publisher, jobs = (as_role(postgres_url, role, PASSWORD) for role in ("etl", "etl_jobs"))
            yield Users(postgres_url, publisher, jobs, "etl_jobs")
        finally:
            sql("DROP OWNED BY etl, etl_jobs CASCADE; DROP ROLE etl, etl_jobs")


@pytest.fixture
def bench(tmp_path: Path, installed: Users, spark_jvm: SparkJvm) -> Bench:
    """Make an engine whose jobs log in as the jobs' user."""
    artifacts = LocalArtifacts(tmp_path / "artifacts")
    return Bench(tmp_path, LocalJobRunner(tmp_path, artifacts, installed.jobs, spark_jvm), artifacts)


@pytest.mark.spark
@pytest.mark.postgres
def test_readmes_statements_are_what_a_run_needs(installed: Users, bench: Bench) -> None:
    """Snapshot, job, publish into a target that is there and one that is not, and the end of staging."""
    database = PostgresDatabase(installed.publisher, job_role=installed.job_role)
    database.prepare_staging()
    seen = database.snapshot(request(), 3)
    assert len(seen.sources[0].samples) == 2
    assert bench.run("etl", script(STAGING)).state == "SUCCEEDED"
    assert database.publish(order(), seen).rows == 2
    made = publish(database, order(run_id="r2", target="fresh"))
    assert (made.created, database.drop_staging(STAGED), database.staging_tables()) == (True, 1, [])
    with psycopg.connect(installed.admin) as connection:
        assert rows(Sql(connection)) == NEW
    assert examine_users(installed.publisher, "etl_jobs", "").status == "ok"


@pytest.mark.spark
@pytest.mark.postgres
def test_a_job_that_tries_to_do_harm_does_none(installed: Users, bench: Bench) -> None:
    """It uses all that its process was given, and PostgreSQL refuses it."""
    database = PostgresDatabase(installed.publisher, job_role=installed.job_role)
    database.prepare_staging()
    run = bench.run("harm", script(TRYING))
    (run_id,) = (one.job_run_id for one in bench.runner.list_runs("harm"))
    tried = dict(re.findall(r"^tried (.*) -> (\w+)$", bench.runner.log_tail("harm", run_id), re.MULTILINE))
    assert (run.state, tried) == ("SUCCEEDED", ATTEMPTS)
    with psycopg.connect(installed.admin) as connection:
        assert rows(Sql(connection)) == OLD


@pytest.mark.postgres
def test_missing_grants_are_told_as_statements(installed: Users) -> None:
    """Before a run, and by the doctor, word for word as they can be run."""
    database = PostgresDatabase(installed.publisher, job_role="etl_jobs")
    database.prepare_staging()
    with psycopg.connect(installed.admin, autocommit=True) as connection:
        sql = Sql(connection)
        sql("REVOKE SELECT ON orders FROM etl_jobs")
        with pytest.raises(
            UnavailableError, match="which may not read public.orders: GRANT SELECT on public.orders TO"
        ):
            database.snapshot(request(), 0)
        sql("GRANT SELECT ON orders TO etl_jobs; ALTER SCHEMA datamorph_staging OWNER TO postgres")
        sql("GRANT USAGE, CREATE ON SCHEMA datamorph_staging TO etl")
        sql("REVOKE ALL ON SCHEMA datamorph_staging FROM etl_jobs")
        sql("REVOKE etl_jobs FROM etl")
        wanted = "GRANT etl_jobs TO etl; GRANT USAGE, CREATE ON SCHEMA datamorph_staging TO etl_jobs"
        with pytest.raises(UnavailableError, match=wanted):
            database.prepare_staging()
        found = examine_users(installed.publisher, "etl_jobs", "")
        assert (found.status, found.detail.endswith(wanted)) == ("missing", True)
        sql(wanted)
        database.prepare_staging()
    assert examine_users(installed.publisher, "etl_jobs", "").status == "ok"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("done", "told"),
    [
        ("ALTER ROLE etl_jobs SUPERUSER", "ALTER ROLE etl_jobs NOSUPERUSER"),
        ("GRANT UPDATE ON orders TO etl_jobs", "may write public.orders: REVOKE"),
        ("ALTER TABLE datamorph_staging.publishes OWNER TO etl_jobs", "may write datamorph_staging.publishes"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "may create in schema public: REVOKE CREATE ON SCHEMA public FROM"),
        ("ALTER SCHEMA datamorph_staging OWNER TO etl_jobs", "ALTER SCHEMA datamorph_staging OWNER TO etl"),
    ],
)
def test_a_role_of_its_own_that_may_too_much_is_a_warning(installed: Users, done: str, told: str) -> None:
    """With what to take from it."""
    PostgresDatabase(installed.publisher, job_role="etl_jobs").prepare_staging()
    with psycopg.connect(installed.admin, autocommit=True) as connection:
        connection.execute(done.encode())
    found = examine_users(installed.publisher, "etl_jobs", "")
    assert (found.status, told in found.detail) == ("warning", True), found


@pytest.mark.postgres
@pytest.mark.parametrize("role", [None, "etl"])
def test_one_user_for_both_is_a_warning(installed: Users, role: str | None) -> None:
    """With what to do about it, whether the user is named twice or once."""
    found = examine_users(installed.publisher, role, "make another")
    assert (found.status, found.detail.endswith("; make another")) == ("warning", True)
    assert "'etl' runs the jobs and publishes" in found.detail


def test_a_user_that_is_not_there_is_missing(postgres_url: str) -> None:
    """Told in PostgreSQL's words."""
    found = examine_users(postgres_url, "nobody_at_all", "")
    assert (found.status, 'role "nobody_at_all" does not exist' in found.detail) == ("missing", True)


def test_the_doctor_logs_in_as_the_jobs(installed: Users) -> None:
    """A wrong password of the jobs' user is found before a job is started."""
    wrong = as_role(installed.publisher, installed.job_role, "wrong")
    assert examine_users(installed.publisher, installed.job_role, "", installed.jobs).status == "ok"
    found = examine_users(installed.publisher, installed.job_role, "", wrong)
    assert found.status == "missing"
    assert "cannot log in" in found.detail
