"""From refusals of a publish to diagnoses."""

from __future__ import annotations

import pytest

from agent.diagnosis.failures import diagnose_publish


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("constraint", 'null value in column "n" (SQLSTATE 23502)', ("not_null_violation", "code")),
        ("constraint", "something (SQLSTATE 23502)", ("not_null_violation", "code")),
        ("constraint", 'duplicate key value violates unique constraint "k"', ("unique_violation", "code")),
        ("constraint", 'violates check constraint "c"', ("check_violation", "code")),
        ("constraint", 'violates foreign key constraint "f"', ("foreign_key_violation", "code")),
        ("constraint", "value too long for type character varying(3)", ("value_too_long", "code")),
        ("constraint", "column 'n': 3 values are longer than character varying(3)", ("value_too_long", "code")),
        ("constraint", "numeric field overflow (SQLSTATE 22003)", ("numeric_overflow", "code")),
        ("constraint", "column 'n': not every value fits numeric(5,2)", ("numeric_overflow", "code")),
        ("constraint", "a trigger or function of the target refused the rows (SQLSTATE P0001)", ("unknown", "code")),
        ("columns", "staging lacks columns x", ("output_columns", "code")),
        ("empty_result", "no rows", ("empty_result", "nobody")),
        ("staging_not_plain", "it is a view", ("staging_not_plain", "nobody")),
        ("target_changed", "column x is gone", ("target_changed", "nobody")),
        ("run_id_taken", "run_id r was published into t by another installation", ("run_id_taken", "nobody")),
        ("transient", "the lock was not granted", ("network", "retry")),
        ("row_count", "staging has 3 rows, the job reported 4", ("row_count", "retry")),
    ],
)
def test_publish_failures(kind: str, message: str, expected: tuple[str, str]) -> None:
    """Rows that PostgreSQL refuses are the code's; the rest is not."""
    found = diagnose_publish(kind, message)
    assert (found["failure_class"], found["repairable_by"], found["phase"]) == (*expected, "publish")


@pytest.mark.parametrize(
    ("message", "failure_class", "words"),
    [
        (
            "the key (id, day) is NULL in 2 rows of the result",
            "not_null_violation",
            "specs.target_table.keys says that id, day identifies a row, and the result has NULL there",
        ),
        (
            "the key (id) is not unique in the result: 1 rows repeat another's",
            "unique_violation",
            "specs.target_table.keys says that id identifies a row, and the result has several rows with one such key",
        ),
        (
            'no partition of relation "sales" found for row (SQLSTATE 23514)',
            "check_violation",
            "the result has rows that no partition of sales takes",
        ),
        (
            'new row for relation "sales_1" violates partition constraint (SQLSTATE 23514)',
            "check_violation",
            "the result has rows that no partition of sales_1 takes",
        ),
        (
            'conflicting key value violates exclusion constraint "apart" (SQLSTATE 23P01)',
            "check_violation",
            "the result breaks the target's check apart",
        ),
        ("something (SQLSTATE 23514)", "check_violation", "the result breaks a check of the target"),
        (
            "invalid input value for enum mood: \"…\" (SQLSTATE 22P02); column 't': not every value fits enum mood",
            "target_type_mismatch",
            "a value of column t does not have the form of its type enum mood in the target",
        ),
        (
            "invalid input syntax for type uuid: \"…\" (SQLSTATE 22P02); column 't': not every value fits uuid",
            "target_type_mismatch",
            "a value of column t does not have the form of its type uuid in the target",
        ),
        (
            "integer out of range (SQLSTATE 22003); column 'n': not every value fits integer",
            "numeric_overflow",
            "a number of column n does not fit its type integer in the target",
        ),
        (
            "numeric field overflow (SQLSTATE 22003); column 'n': not every value fits numeric(5,2)",
            "numeric_overflow",
            "a number of column n does not fit its type numeric(5,2) in the target",
        ),
    ],
)
def test_what_stops_a_publish_is_told_by_its_cause(message: str, failure_class: str, words: str) -> None:
    """A key, a partition, a check, a form or a size; and no hint lacks a word."""
    found = diagnose_publish("constraint", message)
    assert (found["failure_class"], found["root_cause"]) == (failure_class, words)
    assert "so that holds" not in found["hint"]
