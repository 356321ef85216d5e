from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote

import psycopg
import pytest

from agent.diagnosis.failures import diagnose_job
from agent.errors import EngineError
from tests.tools.spark.scene import Bench, script, wait
from tools.local.artifacts import LocalArtifacts
from tools.records import JobReport
from tools.spark.engine import LocalJobRunner
from tools.spark.jvm import SparkJvm

pytestmark = [pytest.mark.spark, pytest.mark.postgres]

SLEEP = "import time; time.sleep(60)"


def test_a_job_reads_a_table_and_leaves_its_result_and_its_report(bench: Bench, postgres_url: str) -> None:
    """A script in Glue's shape runs unchanged, from the source table to the staging table."""
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("CREATE TABLE t AS SELECT g AS id, g % 3 AS k FROM generate_series(1, 1000) AS g")
        run = bench.run(
            "count",
            script("""
            counts = read("public.t").groupBy("k").agg(F.count("id").alias("n")).orderBy("k").persist()
            write(counts, "public.counts")
            report(counts.count(), counts.columns)
            """),
        )
        assert (run.state, run.error) == ("SUCCEEDED", ""), bench.runner.log_tail("count", run.job_run_id)
        assert sql.execute("SELECT k, n FROM counts ORDER BY k").fetchall() == [(0, 333), (1, 334), (2, 333)]
    report = bench.runner.report("count", run.job_run_id)
    assert report == JobReport(3, ("k", "n"), run.job_run_id)


def test_a_run_id_looks_like_glues(bench: Bench) -> None:
    """A job run's id is `jr_` and 64 hexadecimal digits, and reaches the script with the other arguments."""
    run_id = bench.start("arguments", "import sys; print(sys.argv[1:])")
    assert re.fullmatch(r"jr_[0-9a-f]{64}", run_id)
    wait(bench.runner, "arguments", run_id)
    log = bench.runner.log_tail("arguments", run_id)
    assert f"'--JOB_RUN_ID', '{run_id}'" in log
    assert "'--JOB_NAME', 'arguments'" in log
    assert "'--staging_prefix', 's_20260101_0123456789ab_'" in log


def test_a_failed_script_fails_as_on_glue(bench: Bench) -> None:
    """The error names line and cause in Glue's words, and the traceback stands in the log."""
    run = bench.run("bad", "x = 1\nraise ValueError('no such luck')\n")
    assert run.state == "FAILED"
    assert run.error == "Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 2; ValueError: no such luck"
    assert "Traceback" in bench.runner.log_tail("bad", run.job_run_id)
    assert bench.runner.report("bad", run.job_run_id) is None


def test_a_name_is_taken_once(bench: Bench) -> None:
    """Creating a job again is refused, be its definition the same or another, until it is deleted."""
    bench.define("once", "pass")
    with pytest.raises(EngineError, match="AlreadyExistsException"):
        bench.define("once", "pass")
    bench.runner.delete("once")
    bench.define("once", "pass")


def test_an_unknown_job_cannot_be_started(bench: Bench) -> None:
    """Starting an unknown job and looking at an unknown run are errors; listing and deleting are not."""
    with pytest.raises(EngineError, match="EntityNotFoundException"):
        bench.runner.start("nobody", {})
    with pytest.raises(EngineError, match="EntityNotFoundException"):
        bench.runner.get("nobody", "jr_0")
    assert bench.runner.list_runs("nobody") == []
    bench.runner.delete("nobody")


def test_one_run_at_a_time(bench: Bench) -> None:
    """A second start is refused while the first run lives, and accepted afterwards."""
    first = bench.start("busy", SLEEP)
    with pytest.raises(EngineError, match="ConcurrentRunsExceededException"):
        bench.runner.start("busy", {})
    bench.runner.stop("busy", first)
    wait(bench.runner, "busy", first)
    second = bench.runner.start("busy", {})
    assert [run.job_run_id for run in bench.runner.list_runs("busy")] == [second, first]
    bench.runner.stop("busy", second)
    assert wait(bench.runner, "busy", second).state == "STOPPED"


def test_a_stopped_run_passes_through_stopping(bench: Bench) -> None:
    """Stopping is asked for at once and done a little later; stopping again changes nothing."""
    run_id = bench.start("sleeper", SLEEP)
    assert wait(bench.runner, "sleeper", run_id, "RUNNING").state == "RUNNING"
    bench.runner.stop("sleeper", run_id)
    assert bench.runner.get("sleeper", run_id).state == "STOPPING"
    assert wait(bench.runner, "sleeper", run_id).state == "STOPPED"
    bench.runner.stop("sleeper", run_id)
    assert bench.runner.get("sleeper", run_id).state == "STOPPED"


def test_a_deleted_jobs_runs_stay_readable(bench: Bench) -> None:
    """Deleting the definition keeps state, log and list of its runs."""
    run = bench.run("gone", "print('still here')")
    bench.runner.delete("gone")
    bench.runner.delete("gone")
    assert bench.runner.get("gone", run.job_run_id) == run
    assert bench.runner.list_runs("gone") == [run]
    assert bench.runner.log_tail("gone", run.job_run_id) == "still here\n"


def test_a_script_that_kills_its_process_is_lost(bench: Bench) -> None:
    """A process that ends without a word is told as such, for good."""
    run = bench.run("suicide", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (run.state, run.error) == ("FAILED", "the process ended without a result (killed?)")
    assert bench.runner.get("suicide", run.job_run_id) == run


def test_the_log_tail_is_bounded(bench: Bench) -> None:
    """The log's end is given, from a line's beginning, within 20,000 characters."""
    run = bench.run("chatty", "for i in range(20_000): print('line', i)")
    tail = bench.runner.log_tail("chatty", run.job_run_id)
    assert 19_000 < len(tail) <= 20_000
    assert tail.startswith("line ") and tail.endswith("line 19999\n")


def test_a_log_that_is_gone_is_empty(bench: Bench) -> None:
    """A run whose log was never written, or was removed, is told like any other."""
    run = bench.run("quiet", "print('something')")
    (bench.home / "jobs/quiet/runs" / run.job_run_id / "log.txt").unlink()
    assert bench.runner.log_tail("quiet", run.job_run_id) == ""
    assert bench.runner.get("quiet", run.job_run_id) == run


def test_no_credential_reaches_the_script(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script sees only the search paths of this process's environment, and Spark's JVM no more."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-4711")
    monkeypatch.setenv("SOME_VARIABLE", "hush-4711")
    run = bench.run(
        "environment",
        """
import os
from pyspark.sql import SparkSession
print(dict(os.environ))
java = SparkSession.builder.getOrCreate()._jvm.System.getenv().toString()
print(java)
assert "DATAMORPH_CONNECTIONS" in os.environ and "DATAMORPH_CONNECTIONS" not in java
assert "DATAMORPH_SECRETS" not in os.environ
""",
    )
    log = bench.runner.log_tail("environment", run.job_run_id)
    assert run.state == "SUCCEEDED", log
    assert "PYSPARK_GATEWAY_PORT" in log and "hush-4711" not in log


def test_the_databases_password_is_in_no_error_and_no_log(bench: Bench, spark_jvm: SparkJvm) -> None:
    """In none of the forms in which a driver or a script may write it."""
    secret = "Hunter'2/sécret"
    url = f"postgresql://etl:{quote(secret, safe='')}@127.0.0.1:1/x"
    runner = LocalJobRunner(bench.home, bench.artifacts, url, spark_jvm)
    told = f"no {secret}, {quote(secret, safe='')}, {b64encode(f'etl:{secret}'.encode()).decode()} fits"
    run = Bench(bench.home, runner, bench.artifacts).run("teller", f"raise ValueError({told!r})")
    assert run.error.endswith("ValueError: no ***, ***, ZXRsO*** fits")
    log = runner.log_tail("teller", run.job_run_id)
    assert "ValueError: no ***" in log and "Hunter" not in log


def test_a_password_that_the_url_does_not_have_is_in_no_error_either(
    bench: Bench, spark_jvm: SparkJvm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of this process's environment, which the script is not told."""
    monkeypatch.setenv("PGPASSWORD", "Hunter2-secret")
    runner = LocalJobRunner(bench.home, bench.artifacts, "postgresql://etl@127.0.0.1:1/x", spark_jvm)
    run = Bench(bench.home, runner, bench.artifacts).run("teller", "raise ValueError('no Hunter2-secret fits')")
    assert run.error.endswith("ValueError: no *** fits")


@pytest.mark.parametrize("before", ["x" * 3_990, "line\n" * 29 + "line "])
def test_no_part_of_the_password_is_left_where_an_error_is_cut(bench: Bench, spark_jvm: SparkJvm, before: str) -> None:
    """Neither by its characters nor by its lines, in what is told and in the run's record."""
    runner = LocalJobRunner(bench.home, bench.artifacts, "postgresql://etl:Hunter2%0Asecret@127.0.0.1:1/x", spark_jvm)
    text = f"raise ValueError({before + 'Hunter2' + chr(10) + 'secret'!r})"
    run = Bench(bench.home, runner, bench.artifacts).run("teller", text)
    assert run.error.endswith("***")
    record = bench.home / "jobs/teller/runs" / run.job_run_id / "state.json"
    assert "Hunt" not in run.error + record.read_text()


@pytest.mark.parametrize("line", ["Hunter2-secret", "Hunter2-secret" * 2 + "\n"])
def test_no_part_of_the_password_is_left_where_a_log_is_cut(bench: Bench, line: str) -> None:
    """Reading a log may begin within it, also in a line without an end."""
    runner = LocalJobRunner(bench.home, bench.artifacts, "postgresql://etl:Hunter2-secret@127.0.0.1:1/x")
    run = bench.run("teller", "pass")
    (bench.home / "jobs/teller/runs" / run.job_run_id / "log.txt").write_text(line * 9_000)
    tail = runner.log_tail("teller", run.job_run_id)
    assert tail.endswith(line.replace("Hunter2-secret", "***")) and set(tail) <= set("*\n")


@pytest.mark.slow
def test_a_run_without_a_warm_jvm_brings_its_own(bench: Bench, postgres_url: str) -> None:
    """A run starts its own JVM, and leaves nothing behind but its record."""
    artifacts = LocalArtifacts(bench.home / "artifacts")
    cold = Bench(bench.home, LocalJobRunner(bench.home, artifacts, postgres_url, memory="512m"), artifacts)
    run = cold.run("cold", script('write(spark.range(3), "public.three"); report(3, ["id"])'))
    assert run.state == "SUCCEEDED", cold.runner.log_tail("cold", run.job_run_id)
    with psycopg.connect(postgres_url) as sql:
        assert sql.execute("SELECT id FROM three ORDER BY id").fetchall() == [(0,), (1,), (2,)]
    run_dir = bench.home / "jobs" / "cold" / "runs" / run.job_run_id
    assert {path.name for path in run_dir.iterdir()} == {
        "alive.lock", "launch.json", "log.txt", "script.py", "state.json", "temp",
    }  # fmt: skip
    assert cold.runner.log_tail("cold", run.job_run_id) == ""


@pytest.mark.slow
def test_a_jvm_that_ran_out_of_memory_is_named(bench: Bench) -> None:
    """Spark ends its JVM with code 52 when memory runs out; the error says so, and not just that a socket broke."""
    cold = Bench(
        bench.home, LocalJobRunner(bench.home, bench.artifacts, "postgresql://", memory="512m"), bench.artifacts
    )
    named = "java.lang.OutOfMemoryError: Java heap space; the Spark JVM ended with exit code 52"
    padded = """write(spark.range(1).selectExpr("lpad(id, 2000000000, 'x') AS a"), "public.padded")"""
    for job, body in {"ended": "spark._jvm.System.exit(52)", "filled": padded}.items():
        run = cold.run(job, script(body))
        assert (run.state, named in run.error) == ("FAILED", True), run.error
        assert diagnose_job(run.error, "", run.state)["failure_class"] == "out_of_memory"
