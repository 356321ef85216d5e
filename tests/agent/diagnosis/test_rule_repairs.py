"""Repairs without a model, where a rule is certain."""

from __future__ import annotations

import pytest

from agent.diagnosis.failures import diagnose_findings, diagnose_job, finding_from_error
from agent.diagnosis.rule_repairs import repair_by_rule
from agent.findings import Diagnosis, Verdict
from agent.sanitizing.policy import check_policy

HEADER = "def transform(sources: dict[str, DataFrame]) -> DataFrame:\n"


def unknown_column(name: str, *suggestions: str) -> Diagnosis:
    """The diagnosis of Spark's error for an unknown column."""
    quoted = ", ".join("`" + one.replace(".", "`.`") + "`" for one in suggestions)
    subject = "`" + name.replace(".", "`.`") + "`"
    error = (
        "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name "
        f"{subject} cannot be resolved. Did you mean one of the following? [{quoted}].;"
    )
    return diagnose_findings(Verdict(check="preflight", passed=False, findings=[finding_from_error(error, 2)]))


def refused(source: str) -> Diagnosis:
    """The diagnosis of what the policy holds against a source."""
    return diagnose_findings(Verdict(check="sanitize", passed=False, findings=check_policy(source)))


@pytest.mark.parametrize(
    ("body", "mended", "diagnosis"),
    [
        (
            'return sources["c"].select(F.col("customer_nme"), "customer_nme")',
            'return sources["c"].select(F.col("customer_name"), "customer_name")',
            unknown_column("customer_nme", "customer_name", "customer_id"),
        ),
        (
            "return sources['c'].select('c.customer_nmae').filter(F.col('ä') == 'ö')  # ü",
            "return sources['c'].select('c.customer_name').filter(F.col('ä') == 'ö')  # ü",
            unknown_column("c.customer_nmae", "c.customer_name", "c.customer_id"),
        ),
        (
            'x = "ä"; return sources["c"].select(F.lit("ö"), F.col("customer_nme"))',
            'x = "ä"; return sources["c"].select(F.lit("ö"), F.col("customer_name"))',
            unknown_column("customer_nme", "c.customer_name", "c.customer_id"),
        ),
    ],
)
def test_mends_a_misspelt_column(body: str, mended: str, diagnosis: Diagnosis) -> None:
    """One near name, and the wrong name a whole literal: it is replaced everywhere, and nothing else is."""
    assert repair_by_rule(f"{HEADER}    {body}\n", diagnosis) == f"{HEADER}    {mended}\n"


@pytest.mark.parametrize(
    ("body", "diagnosis"),
    [
        pytest.param('F.col("amout")', unknown_column("amout", "amount", "amoult"), id="two near names"),
        pytest.param('F.col("amount")', unknown_column("amount", "account"), id="another word"),
        pytest.param('F.col("line_2")', unknown_column("line_2", "line_1"), id="another digit"),
        pytest.param('F.col("qty")', unknown_column("qty", "qti"), id="a short name"),
        pytest.param('F.col("c.name")', unknown_column("c.name", "o.name"), id="another alias"),
        pytest.param('F.col("c.name")', unknown_column("c.name", "name"), id="a lost alias"),
        pytest.param('F.expr("custmer + 1")', unknown_column("custmer", "customer"), id="inside SQL text"),
        pytest.param('F.col(f"custmer{1}")', unknown_column("custmer", "customer"), id="inside an f-string"),
        pytest.param('F.col("cust" "mer")', unknown_column("custmer", "customer"), id="in two pieces"),
        pytest.param(
            'F.lit(1).alias("custmer"), "custmer"', unknown_column("custmer", "customer"), id="also a new name"
        ),
        pytest.param('F.col("x") == "custmer", "custmer"', unknown_column("custmer", "customer"), id="also a value"),
        pytest.param('F.col("x")', unknown_column("zzzzz"), id="no suggestion"),
    ],
)
def test_leaves_doubtful_columns_to_the_model(body: str, diagnosis: Diagnosis) -> None:
    """Where another meaning is possible no rule applies."""
    assert repair_by_rule(f'{HEADER}    return sources["c"].select({body})\n', diagnosis) is None


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ('return sources["a"].select(col("x"), lit("ä"))', 'return sources["a"].select(F.col("x"), F.lit("ä"))'),
        (
            'return sources["a"].groupBy("k").agg(sum(F.col("x")).alias("t"), max("y").alias("m"))',
            'return sources["a"].groupBy("k").agg(F.sum(F.col("x")).alias("t"), F.max("y").alias("m"))',
        ),
        (
            'return sources["a"].select(round(sum(col("x")), 2).alias("ü"))',
            'return sources["a"].select(F.round(F.sum(F.col("x")), 2).alias("ü"))',
        ),
        (
            'x = "üä"; return sources["a"].select(x, upper("y"))',
            'x = "üä"; return sources["a"].select(x, F.upper("y"))',
        ),
    ],
)
def test_adds_a_missing_prefix(body: str, mended: str) -> None:
    """Functions of F that stand bare get their `F.`, byte for byte nothing else changes."""
    source = f"{HEADER}    {body}\n"
    assert repair_by_rule(source, refused(source)) == f"{HEADER}    {mended}\n"


@pytest.mark.parametrize(
    "body",
    [
        'return sources["a"].select(max(F.col("x"), F.col("y")))',
        'return sources["a"].select(np.array("x"))',
        'return sources["a"].select(col("x"), spark.table("y"))',
        'return sources["a"].select(IntegerType("x"))',
    ],
)
def test_leaves_doubtful_names_to_the_model(body: str) -> None:
    """Python's own function on plain values, unknown names, and sources that stay refused are not mended."""
    source = f"{HEADER}    {body}\n"
    assert repair_by_rule(source, refused(source)) is None


def test_leaves_other_failures_to_the_model() -> None:
    """A diagnosis of another class, or source that is not Python, is not mended."""
    source = f'{HEADER}    return sources["a"].select(col("x"))\n'
    assert repair_by_rule(source, diagnose_job("Column is ambiguous", "", "FAILED")) is None
    assert repair_by_rule("def transform(", refused(source)) is None
    assert repair_by_rule(source, {**refused(source), "failure_class": "unknown"}) is None


def test_mends_after_a_job_too() -> None:
    """The evidence of a Glue error of Spark 3.3 serves as well."""
    error = "Column 'custmer_id' does not exist. Did you mean one of the following? [customer_id, total];"
    source = f'{HEADER}    return sources["a"].select("custmer_id")\n'
    assert repair_by_rule(source, diagnose_job(error, "", "FAILED")) == source.replace("custmer", "customer")
