"""From failures to diagnoses."""

from __future__ import annotations

import pytest

from agent.diagnosis.failures import diagnose_findings, diagnose_job, diagnose_publish, finding_from_error
from agent.findings import Finding, Verdict
from tests.agent.diagnosis.scene import AT_TRANSFORM, table

TABLE = [pytest.param(*row, id=f"{row[0]}-{row[1]}-{row[2]}") for row in table()]
INFRASTRUCTURE = {"launch", "capacity", "network", "permission", "lost_process", "out_of_memory"}


@pytest.mark.parametrize(("failure_class", "version", "subject", "message"), TABLE)
def test_job_errors_get_their_class(failure_class: str, version: str, subject: str, message: str) -> None:
    """The words of Spark 3.3, Spark 3.5, PostgreSQL and Glue are understood; the subject is the signature."""
    found = diagnose_job(AT_TRANSFORM + message, "", "FAILED")
    assert found["failure_class"] == failure_class, version
    assert found["phase"] == "transform"
    assert found["line"] == 57
    if subject:
        assert found["signature"] == f"{failure_class}: {subject}"
    assert "{" not in found["root_cause"] + found["hint"]
    if failure_class in INFRASTRUCTURE:
        assert found["repairable_by"] != "code"
    elif failure_class != "missing_table":
        assert found["repairable_by"] == "code"


@pytest.mark.parametrize(("failure_class", "version", "subject", "message"), TABLE)
def test_dry_run_errors_become_findings(failure_class: str, version: str, subject: str, message: str) -> None:
    """A finding carries the class, the line and Spark's own words, without stack or plan, and diagnoses alike."""
    found = finding_from_error(AT_TRANSFORM + message, 4)
    assert (found["rule"], found["line"]) == (failure_class, 4), version
    assert found["message"]
    assert "\tat " not in found["message"]
    assert "+-" not in found["message"]
    diagnosis = diagnose_findings(Verdict(check="preflight", passed=False, findings=[found]))
    assert diagnosis["failure_class"] == failure_class
    if subject:
        assert diagnosis["signature"] == f"{failure_class}: {subject}"


def test_the_table_is_as_large_as_promised() -> None:
    """At least 30 messages, of both Spark versions."""
    assert len(TABLE) >= 30
    assert {"3.3", "3.5", "pg", "glue"} <= {version for _, version, _, _ in table()}


def test_a_suggestion_becomes_the_hint() -> None:
    """Spark's own suggestions are named, the nearest first."""
    error = (
        "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name `c`.`nmae` "
        "cannot be resolved. Did you mean one of the following? [`c`.`id`, `c`.`name`].;"
    )
    hint = finding_from_error(error, None)["hint"]
    assert "did you mean c.name?" in hint
    assert "c.id" in hint


def test_a_lost_alias_gets_its_own_hint() -> None:
    """After a grouping the bare name is right."""
    error = "AnalysisException: Column 'c.id' does not exist. Did you mean one of the following? [id, n];"
    assert "F.col('id')" in finding_from_error(error, None)["hint"]


def job(error: str, log: str = "", state: str = "FAILED") -> tuple[str, str, str]:
    """Class, who repairs, and phase."""
    found = diagnose_job(error, log, state)
    return found["failure_class"], found["repairable_by"], found["phase"]


@pytest.mark.parametrize(
    ("phase", "message", "expected"),
    [
        ("read c", 'Py4JJavaError: ERROR: relation "c" does not exist', ("missing_table", "nobody")),
        ("read c", "ValueError: column x: 3 values do not fit int", ("value_does_not_fit", "nobody")),
        ("read c", "ValueError: source c lacks columns ['x']; it has []", ("missing_table", "nobody")),
        ("read c", "UnknownHostException: db", ("network", "retry")),
        ("arguments", "ValueError: JOB_RUN_ID is missing", ("python_error", "nobody")),
        ("transform", "TypeError: transform returned list, not a DataFrame", ("python_error", "code")),
        ("transform", "SomethingNew: what is this", ("unknown", "code")),
        ("cast", "ValueError: column x: 3 values do not fit int", ("value_does_not_fit", "code")),
        ("cast", "SomethingNew: what is this", ("unknown", "code")),
        (
            "cast",
            "ValueError: the result has columns ['b'], which the target does not take; it takes ['a']",
            ("output_columns", "code"),
        ),
        ("write", "SparkUpgradeException: Fail to parse 'x' in the new parser", ("datetime_parse", "code")),
        ("write", "TypeError: 'x' object is not callable", ("python_error", "nobody")),
        ("write", "SomethingNew: what is this", ("unknown", "nobody")),
        ("report", "AnalysisException: Column 'x' does not exist.", ("unknown_column", "nobody")),
    ],
)
def test_the_phase_decides_who_can_repair(phase: str, message: str, expected: tuple[str, str]) -> None:
    """Only transform and cast, and what Spark computes late, are the code's fault."""
    error = f'Error Category: UNCLASSIFIED_ERROR; JobPhaseError: [datamorph phase="{phase}" line=9] {message}'
    assert job(error) == (*expected, phase)


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        ("TIMEOUT", "", ("timeout", "nobody", "engine")),
        ("STOPPED", "", ("stopped", "nobody", "engine")),
        ("EXPIRED", "", ("capacity", "retry", "engine")),
        ("FAILED", "", ("unknown", "nobody", "engine")),
        ("ERROR", "", ("unknown", "nobody", "engine")),
        ("FAILED", "the process ended without a result (killed?)", ("lost_process", "retry", "engine")),
        ("FAILED", "Command failed with exit code 1", ("unknown", "nobody", "engine")),
        ("FAILED", "SyntaxError: invalid syntax", ("syntax_error", "code", "engine")),
    ],
)
def test_states_and_bare_errors(state: str, error: str, expected: tuple[str, str, str]) -> None:
    """A state says enough by itself; an error without a phase is rarely the code's."""
    assert job(error, "", state) == expected


CLOSED = (
    "Error Category: UNCLASSIFIED_ERROR; An error occurred while calling o1845.jdbc. This connection has been closed."
)
JVM_LOG = """26/01/02 ERROR Executor: Exception in task 0.0
java.sql.BatchUpdateException: Batch entry 0 INSERT INTO t ("n") VALUES ('secret') was aborted
\tat org.postgresql.jdbc.BatchResultHandler.handleError(BatchResultHandler.java:165)
Caused by: org.postgresql.util.PSQLException: ERROR: value too long for type character varying(3)
\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)
Caused by: org.postgresql.util.PSQLException: This connection has been closed.
\tat org.postgresql.jdbc.PgConnection.checkClosed(PgConnection.java:993)
"""
PHASE_LOG = """some line
__main__.JobPhaseError: [datamorph phase="transform" line=31] AnalysisException: Column 'x' does not exist. \
Did you mean one of the following? [y];
last line
"""


@pytest.mark.parametrize(
    ("error", "log", "expected"),
    [
        (CLOSED, JVM_LOG, "value_too_long"),
        ("Command failed with exit code 1", PHASE_LOG, "unknown_column"),
        (
            "Command failed with exit code 1",
            "Command: java -XX:OnOutOfMemoryError='kill -9 %p'\n" + PHASE_LOG,
            "unknown_column",
        ),
        ("Command failed with exit code 1", "Command: java -XX:OnOutOfMemoryError='kill -9 %p'\n", "unknown"),
        ("Command failed with exit code 1", "java.lang.OutOfMemoryError: Java heap space\n", "out_of_memory"),
        ("Command failed with exit code 1", "NameError: name 'x' is not defined\n", "python_name"),
        ("", "LAUNCH ERROR | Something. Please refer logs for details.", "launch"),
        (
            AT_TRANSFORM + "Py4JJavaError: An error occurred while calling o9.count.",
            "Caused by: java.time.format.DateTimeParseException: Text '2020-1-2' could not be parsed\n\tat x",
            "datetime_parse",
        ),
        ("NameError: name 'x' is not defined", "java.lang.OutOfMemoryError: Java heap space", "python_name"),
    ],
)
def test_the_log_holds_the_true_cause(error: str, log: str, expected: str) -> None:
    """An error that only stands in for another is not believed while the log says more."""
    assert diagnose_job(error, log, "FAILED")["failure_class"] == expected


def test_phase_and_line_come_from_the_log_when_the_error_has_none() -> None:
    """The marker in the log places the failure."""
    found = diagnose_job("Command failed with exit code 1", PHASE_LOG, "FAILED")
    assert (found["phase"], found["line"], found["repairable_by"]) == ("transform", 31, "code")


def test_glue_line_numbers_are_read() -> None:
    """Without a marker Glue's own line number counts."""
    found = diagnose_job("Error Category: X; Failed Line Number: 24; NameError: name 'x' is not defined", "", "FAILED")
    assert found["line"] == 24


def test_evidence_is_redacted_and_short() -> None:
    """No row value and no password, and at most 4,000 characters."""
    error = CLOSED + " postgresql://u:geheim@h/db Failing row contains (1, geheim). " + "x" * 9000
    for found in (diagnose_job(error, JVM_LOG, "FAILED"), diagnose_publish("constraint", error)):
        text = "".join(str(value) for value in found.values())
        assert "geheim" not in text
        assert "'secret'" not in text
        assert len(found["evidence"]) <= 4000
        assert len(found["signature"]) <= 1000


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AnalysisException: Column 'x' does not exist.", "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] A column or function "
         "parameter with name `x` cannot be resolved. "),
        ("An error occurred while calling o12.foo: Weird#12L at 0x7f22 in 17 rows of 'a'", "An error occurred while "
         "calling o99.foo: Weird#7 at 0x1 in 3 rows of 'bcd'"),
    ],
)  # fmt: skip
def test_the_same_failure_has_the_same_signature(one: str, other: str) -> None:
    """Details that change from run to run do not count."""
    assert diagnose_job(one, "", "FAILED")["signature"] == diagnose_job(other, "", "FAILED")["signature"]


def test_other_columns_have_other_signatures() -> None:
    """A second unknown column is another failure: the repair made progress."""
    one, other = (diagnose_job(f"Column '{name}' does not exist.", "", "FAILED") for name in "xy")
    assert one["signature"] != other["signature"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("import", "policy"), ("sql", "policy"), ("repair_lost_join", "policy"), ("name", "python_name"),
        ("reply_empty", "reply_format"), ("no_transform", "reply_format"), ("signature", "reply_format"),
        ("reply_truncated", "reply_truncated"), ("syntax_error", "syntax_error"), ("lost_alias", "lost_alias"),
        ("python_operator", "python_operator"),
    ],
)  # fmt: skip
def test_findings_get_a_class(rule: str, expected: str) -> None:
    """The rule of the first finding names the class; code can repair it."""
    finding = Finding(rule=rule, message="m", line=3, hint="h")
    found = diagnose_findings(Verdict(check="sanitize", passed=False, findings=[finding]))
    assert (found["failure_class"], found["repairable_by"], found["phase"]) == (expected, "code", "sanitize")
    assert (found["root_cause"], found["line"], found["hint"]) == ("m", 3, "h")


def test_all_findings_are_evidence() -> None:
    """A repair sees every finding; fewer findings have another signature."""
    findings = [Finding(rule="import", message=f"import of {m}", line=i, hint="x") for i, m in enumerate(("os", "re"))]
    both = diagnose_findings(Verdict(check="sanitize", passed=False, findings=findings))
    one = diagnose_findings(Verdict(check="sanitize", passed=False, findings=findings[:1]))
    assert both["evidence"] == "import: import of os\nline 1: import: import of re"
    assert both["signature"] != one["signature"]
    assert both["hint"] == "x"


def test_a_passed_verdict_has_no_diagnosis() -> None:
    """There must be something to diagnose."""
    with pytest.raises(ValueError, match="nothing to diagnose"):
        diagnose_findings(Verdict(check="sanitize", passed=True, findings=[]))
