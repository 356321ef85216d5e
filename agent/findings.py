"""Findings, verdicts and diagnoses of a script, as plain data that a checkpoint can hold."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

FailureClass = Literal[
    "ambiguous_reference",
    "unknown_column",
    "lost_alias",
    "missing_table",
    "missing_aggregation",
    "type_mismatch",
    "python_operator",
    "python_name",
    "python_error",
    "syntax_error",
    "policy",
    "reply_format",
    "reply_truncated",
    "output_columns",
    "value_does_not_fit",
    "datetime_parse",
    "not_null_violation",
    "unique_violation",
    "check_violation",
    "foreign_key_violation",
    "value_too_long",
    "numeric_overflow",
    "target_type_mismatch",
    "empty_result",
    "row_count",
    "staging_not_plain",
    "target_changed",
    "run_id_taken",
    "out_of_memory",
    "too_large_for_samples",
    "too_slow_for_samples",
    "timeout",
    "stopped",
    "network",
    "permission",
    "launch",
    "capacity",
    "lost_process",
    "deadline",
    "no_progress",
    "unknown",
]
RepairableBy = Literal["code", "resources", "retry", "nobody"]


class Finding(TypedDict):
    """A fault that a check found in a script."""

    rule: str
    """The check's name of the fault, as `import`, `ambiguous_reference`."""
    message: str
    """The fault; for a Spark error, Spark's own words."""
    line: int | None
    """1-based line of the transform; None when the fault has no line."""
    hint: str
    """The right form; empty when it is not certain."""


class Verdict(TypedDict):
    """The result of one check of a script."""

    check: Literal["sanitize", "preflight"]
    passed: bool
    findings: list[Finding]


class Diagnosis(TypedDict):
    """The cause of a failed script or run, and what can repair it."""

    failure_class: FailureClass
    root_cause: str
    line: int | None
    hint: str
    repairable_by: RepairableBy
    evidence: str
    """The error's own words, redacted, at most 4,000 characters."""
    signature: str
    """Class and normalised message: equal for the same failure seen twice."""
    phase: str
    """The phase: `sanitize`, `preflight`, `read flights`, `transform`, `cast`, `write`, `engine` or `publish`."""


class JobOutcome(TypedDict):
    """The end of one launch of the engine."""

    job_run_id: str
    state: str
    """One of Glue's ten job run states."""
    error: str
    log_ref: NotRequired[str]
    """The log's tail in the artifact store."""
    rows: int | None
    """Rows that the job reported as written; None without a report."""
    columns: list[str]
    """Their names in order; empty without a report."""
    notes: NotRequired[list[str]]
    """The job's notes on rounded values."""
    dpu_seconds: float
    seconds: float
    diagnosis: Diagnosis | None
    """The diagnosis of a failed job, with the line of the transform; None after a success."""
