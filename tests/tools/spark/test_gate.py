"""Transforms that the gate lets through, on real Spark."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from agent.errors import ReplyError
from agent.request import parse_request
from agent.sanitizing.policy import checked_texts
from agent.script import assemble
from agent.snapshot import Column, Snapshot, Source, Target
from tests.agent.sanitizing.gate_cases import BENIGN, HOSTILE, Case, extract_transform
from tests.tools.spark.scene import Bench

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # PySpark tells of its own old names.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

Transform = Callable[[Any], "DataFrame"]


@pytest.fixture
def session(spark: SparkSession) -> Iterator[SparkSession]:
    """Set the session as the script sets it around a transform."""
    settings = {"spark.sql.ansi.enabled": "true", "spark.sql.variable.substitute": "false"}
    before = {name: spark.conf.get(name) for name in settings}
    for name, value in settings.items():
        spark.conf.set(name, value)
    yield spark
    for name, old in before.items():
        spark.conf.set(name, old or "")


def compiled(code: str) -> Transform:
    """The function of a reply, with the names that the script imports."""
    from pyspark.sql import DataFrame, Window
    from pyspark.sql import functions as F
    from pyspark.sql import types as T

    names: dict[str, Any] = {"F": F, "T": T, "Window": Window, "DataFrame": DataFrame}
    exec(compile("from __future__ import annotations\n" + code, "reply", "exec"), names)
    transform: Transform = names["transform"]
    return transform


def guard(transform: str) -> AbstractContextManager[None]:
    """The script's wrapping of a transform, so that Spark reads no text but those that were checked."""
    script = whole_script("return sources")
    part = script[script.index("# who reads them") : script.index("# makes Spark loud")]
    part += script[script.index("def texts(") : script.index("def quoted(")]
    names: dict[str, Any] = {"CHECKED_TEXTS": checked_texts(transform), "contextmanager": contextmanager}
    exec("from pyspark.sql import Column, DataFrame, GroupedData, functions as F\n" + part, names)
    around: AbstractContextManager[None] = names["checked_texts"]()
    return around


def frames(spark: SparkSession, case: Case) -> dict[str, DataFrame]:
    """The sources of a case, each under its alias."""
    from pyspark.sql import functions as F

    spark.conf.set("spark.sql.ansi.enabled", "false")
    found = {}
    for key, table in case["sources"].items():
        rows = ", ".join("(" + ", ".join(map(_literal, row)) + ")" for row in table["rows"])
        names = ["`" + name.replace("`", "``") + "`" for name, _ in table["columns"]]
        texts = spark.sql(f"SELECT * FROM VALUES {rows} AS t({', '.join(names)})")
        types = [sql_type for _, sql_type in table["columns"]]
        nested = ("array", "map", "struct")
        columns = [
            F.from_json(F.col(name), sql_type) if sql_type.lower().startswith(nested) else F.col(name).cast(sql_type)
            for name, sql_type in zip(names, types, strict=True)
        ]
        named = [column.alias(name) for column, (name, _) in zip(columns, table["columns"], strict=True)]
        found[key] = texts.select(named).alias(key)
    spark.conf.set("spark.sql.ansi.enabled", "true")
    return found


def _literal(value: object) -> str:
    if value is None:
        return "CAST(NULL AS string)"
    text = value if isinstance(value, str) else json.dumps(value)
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def test_good_code_gives_the_rows_that_it_was_written_for(session: SparkSession) -> None:
    """Every accepted transform runs, and gives after extraction what it gives as it was written."""
    accepted = [case for case in BENIGN if "sources" in case and "refused" not in case]
    assert len(accepted) > 150
    for case in accepted:
        written = compiled(case["code"])(frames(session, case)).collect()
        transform = extract_transform(case["code"], "end_turn")
        sources = MappingProxyType(frames(session, case))
        with guard(transform):
            extracted = compiled(transform)(sources)
        assert sorted(map(repr, extracted.collect())) == sorted(map(repr, written)), case["id"]


UNSEEN = """
    reflected = "".join(["refl", "ect"]) + "('java.lang.System', 'getProperty', 'user.name')"
    unseen = reflected.replace("x", "x")
    return {body}
"""


@pytest.mark.parametrize(
    "body",
    [
        'sources["t"].select(F.expr(unseen))',
        'sources["t"].selectExpr("id", unseen)',
        'sources["t"].selectExpr(["id", unseen])',
        'sources["t"].filter(unseen)',
        'sources["t"].where(condition=unseen)',
        'sources["t"].select(F.from_json("name", unseen))',
        'sources["t"].select(F.from_csv(F.col("name"), schema=unseen))',
        'sources["t"].select(F.col("id").cast(unseen))',
        'sources["t"].select(F.col("id").astype(dataType=unseen))',
        'sources["t"].agg({"id": unseen})',
        'sources["t"].groupBy("name").agg({"id": unseen})',
    ],
)
def test_text_that_was_not_checked_reaches_no_reader(session: SparkSession, body: str) -> None:
    """Whatever the policy may have missed, the script refuses a text that the policy has not seen."""
    one = {"columns": [["id", "int"], ["name", "string"]], "rows": [[1, "ann"]]}
    sources = frames(session, {"sources": {"t": one}})
    code = f"def transform(sources):{UNSEEN.format(body=body)}"
    with guard("def transform(sources):\n    return sources"), pytest.raises(ValueError, match="was not checked as"):
        compiled(code)(sources)


def test_no_text_is_replaced_before_it_is_parsed(session: SparkSession, tmp_path: Path) -> None:
    """Substitution is off: what looks like a variable comes out as it is written, or is an error of Spark."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    jvm = session.sparkContext._jvm
    assert jvm is not None
    jvm.System.setProperty("gate.secret", "s3cr3t")
    session.conf.set("spark.gate.secret", "s3cr3t")
    secrets = {"s3cr3t", os.environ["HOME"], str(tmp_path), session.sparkContext.applicationId}
    one = {"columns": [["id", "int"], ["name", "string"]], "rows": [[1, "ann"], [2, "bob"]]}
    for case in (case for case in HOSTILE if case["id"].startswith("subst_") and "refused" not in case):
        keys = case.get("sources") or {"a": one, "s": one, "t": one}
        try:
            rows = compiled(extract_transform(case["code"], "end_turn"))(frames(session, {"sources": keys})).collect()
        except (ReplyError, PySparkException, Py4JError):
            continue
        assert not any(secret in repr(row) for row in rows for secret in secrets), case["id"]


def whole_script(body: str) -> str:
    """A script over one source, whose transform has this body."""
    request = parse_request({"run_id": "r", "specs": {"source_tables": ["t"], "target_table": {"name": "x"}}})
    columns = (Column(name="id", type="integer"), Column(name="name", type="text"))
    source = Source(key="t", table="t", relation="public.t", columns=columns)
    snapshot = Snapshot(sources=(source,), target=Target(name="x", exists=False), origin="event")
    return assemble(f"def transform(sources):\n    {body}\n", request, snapshot, "dmdb-connection").text


@pytest.mark.postgres
def test_a_dollar_in_a_string_is_what_postgresql_makes_of_it(bench: Bench, postgres_url: str) -> None:
    """The whole script writes `${…}` in a literal as it stands there, as PostgreSQL does."""
    text = "concat('cost ${amount} of ', name, ' ${env:HOME}')"
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("CREATE SCHEMA datamorph_staging; CREATE TABLE t (id int, name text)")
        sql.execute("INSERT INTO t VALUES (1, 'ann'), (2, '${x}')")
        run = bench.run("dollar", whole_script(f'return sources["t"].select("id", F.expr("{text}").alias("c"))'))
        assert run.state == "SUCCEEDED", bench.runner.log_tail("dollar", run.job_run_id)
        table = f"s_20260101_0123456789ab_{hashlib.sha256(run.job_run_id.encode()).hexdigest()[:12]}"
        written = sql.execute(f"SELECT id, c FROM datamorph_staging.{table} ORDER BY id".encode()).fetchall()
        assert written == sql.execute(f"SELECT id, {text} FROM t ORDER BY id".encode()).fetchall()
        assert written[1][1] == "cost ${amount} of ${x} ${env:HOME}"


@pytest.mark.postgres
def test_sources_cannot_be_written_to(bench: Bench, postgres_url: str) -> None:
    """Where the policy might miss it, the script refuses: `sources` is read-only."""
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("CREATE TABLE t (id int, name text)")
    run = bench.run("store", whole_script('sources["q"] = sources["t"]; return sources["q"]'))
    assert run.state == "FAILED"
    assert 'phase="transform"' in run.error
    assert "does not support item assignment" in run.error


@pytest.mark.postgres
def test_an_error_within_a_guarded_call_has_its_line(bench: Bench, postgres_url: str) -> None:
    """The line is the transform's, not the guard's."""
    with psycopg.connect(postgres_url, autocommit=True) as sql:
        sql.execute("CREATE TABLE t (id int, name text)")
    text = whole_script('x = 1\n    return sources["t"].filter(F.col("nme") == 1)')
    run = bench.run("line", text)
    [line] = [number for number, one in enumerate(text.splitlines(), 1) if "nme" in one]
    assert f"line={line}]" in run.error
