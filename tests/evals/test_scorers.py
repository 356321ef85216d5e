"""Scores: what is right holds, and each kind of wrong is found out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.findings import Diagnosis
from evals.case import Case, load_cases
from evals.scorers import compared, scores_of
from evals.target import Trial
from tools.records import DryRunResult

USAGE: Any = {"input_tokens": 0, "output_tokens": 0, "dpu_seconds": 0.0, "usd": 0.0}
(CASE,) = load_cases(["misspelt_column"])
ROWS = tuple(dict(zip(CASE.repair.columns, row, strict=True)) for row in CASE.repair.rows)
RIGHT = DryRunResult(columns=tuple((name, "string") for name in CASE.repair.columns), rows=3, sample=ROWS)
DIAGNOSIS = Diagnosis(
    failure_class="unknown_column",
    root_cause="column `o`.`amuont` is unknown",
    line=6,
    hint="did you mean o.amount?",
    repairable_by="code",
    evidence="",
    signature="",
    phase="preflight",
)
TRIAL = Trial((DIAGNOSIS,), "rule", True, {"check": "sanitize", "passed": True, "findings": []}, RIGHT, USAGE)


def values(case: Case, trial: Trial) -> dict[str, str]:
    return {score.check: score.value for score in scores_of(case, trial)}


def test_what_is_right_holds() -> None:
    """Every check."""
    assert set(values(CASE, TRIAL).values()) == {"holds"}


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("class", {"failure_class": "unknown_table"}),
        ("repairable", {"repairable_by": "nobody"}),
        ("line", {"line": 5}),
        ("words", {"hint": "look again"}),
    ],
)
def test_a_wrong_diagnosis_fails_its_check(check: str, changes: dict[str, Any]) -> None:
    """And no other."""
    wrong: Any = {**DIAGNOSIS, **changes}
    found = values(CASE, replace(TRIAL, diagnoses=(wrong,)))
    assert [name for name, value in found.items() if value == "fails"] == [check]


def test_a_repair_that_does_not_run_fails() -> None:
    """With Spark's first line as explanation."""
    scores = scores_of(CASE, replace(TRIAL, result=DryRunResult(error="AnalysisException: no\nplan")))
    failed = {score.check: score.explanation for score in scores if score.value == "fails"}
    assert failed == {"runs": "AnalysisException: no", "rows": "it did not run"}


def test_a_repair_that_the_policy_refuses_is_not_clean() -> None:
    """With the finding as explanation."""
    finding: Any = {"rule": "import", "message": "import of os", "line": 3, "hint": ""}
    refused: Any = {"check": "sanitize", "passed": False, "findings": [finding]}
    scores = scores_of(CASE, replace(TRIAL, verdict=refused, result=None))
    failed = {score.check: score.explanation for score in scores if score.value == "fails"}
    assert failed["clean"] == "import: import of os"
    assert set(failed) == {"clean", "runs", "rows"}


def test_more_rows_than_are_shown_are_wrong() -> None:
    """The sample alone does not tell."""
    assert not compared(CASE, replace(RIGHT, rows=4))[0]


(SILENT,) = load_cases(["wrong_column_summed"])


@pytest.mark.parametrize(("noticed", "diagnoses"), [(True, ()), (False, (DIAGNOSIS,))])
def test_what_fails_nowhere_is_noticed_where_it_should_be(noticed: bool, diagnoses: tuple[Any, ...]) -> None:
    """And only there."""
    expected = SILENT.expected.model_copy(update={"noticed": noticed})
    found = values(SILENT.model_copy(update={"expected": expected}), replace(TRIAL, diagnoses=diagnoses))
    assert found["noticed"] == "fails"


@pytest.mark.parametrize(("noticed", "value"), [(True, "fails"), (False, "holds")])
def test_a_wrong_function_s_rows_are_wrong(noticed: bool, value: str) -> None:
    """A case whose rows are right has nothing to notice."""
    columns = tuple((name, "string") for name in SILENT.repair.columns)
    rows = tuple(dict(zip(SILENT.repair.columns, row, strict=True)) for row in SILENT.repair.rows)
    right = DryRunResult(columns=columns, rows=len(rows), sample=rows)
    expected = SILENT.expected.model_copy(update={"noticed": noticed})
    found = values(SILENT.model_copy(update={"expected": expected}), replace(TRIAL, diagnoses=(), result=right))
    assert found["rows"] == value


def test_another_way_of_mending_fails() -> None:
    """A model that was asked where a rule is certain costs money."""
    assert values(CASE, replace(TRIAL, way="model"))["way"] == "fails"


def test_without_a_reply_nothing_is_held_to_it() -> None:
    """Neither holds nor fails."""
    found = values(CASE, replace(TRIAL, way="model", asked=False, verdict=None, result=None))
    assert {name for name, value in found.items() if value == "not run"} == {"clean", "runs", "rows"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (ROWS[:2], "lacking"),
        ((*ROWS, ROWS[0]), "wrong"),
        (({**ROWS[0], "total": "150.5"}, *ROWS[1:]), "150.5"),
        (({**ROWS[0], "orders": True}, *ROWS[1:]), "true"),
    ],
)
def test_rows_are_compared_to_the_letter(rows: tuple[dict[str, Any], ...], told: str) -> None:
    """As a multiset, with scale and type."""
    same, explanation = compared(CASE, replace(RIGHT, rows=len(rows), sample=rows))
    assert not same
    assert told in explanation


def test_order_counts_only_where_the_case_says_so() -> None:
    """SQL promises none otherwise."""
    turned = replace(RIGHT, sample=ROWS[::-1])
    assert compared(CASE, turned)[0]
    ordered = CASE.model_copy(update={"repair": CASE.repair.model_copy(update={"ordered": True})})
    assert not compared(ordered, turned)[0]


def test_columns_are_compared_by_name_and_order() -> None:
    """A column too many is a wrong result."""
    same, told = compared(CASE, replace(RIGHT, columns=RIGHT.columns[::-1]))
    assert (same, told.startswith("columns orders, total")) == (False, True)
