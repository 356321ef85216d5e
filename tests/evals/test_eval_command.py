"""`datamorph eval` as it is used: the words, the exit codes, the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import evals.case
from cli import main as cli
from evals.case import CASES, case_names


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a function that runs the command and gives code, output and errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["eval", *arguments, "--home", str(tmp_path / "home")])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_all_cases_are_listed(run: Any) -> None:
    """By name, one a line."""
    assert run("--list") == (0, "\n".join(case_names()) + "\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--case", "mispelt_column"], "did you mean 'misspelt_column'?"),
        (["--prompt"], "name it with --case"),
        (["--prompt", "--case", "launch_error"], "no model is asked for it"),
        (["--model", "compiler", "--case", "launch_error"], "repairs nothing"),
        (["--model", "gpt", "--case", "launch_error"], "names no model"),
        (["--case", "launch_error", "--report", "/dev/null/x.json"], "cannot be written"),
    ],
)
def test_a_mistake_is_told_in_one_line(run: Any, arguments: list[str], told: str) -> None:
    """With exit code 2."""
    code, _, errors = run(*arguments)
    assert code == 2
    assert told in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_a_limit_is_a_number(run: Any, limit: str) -> None:
    """The limit is at least 1; argparse's own code is 2."""
    with pytest.raises(SystemExit) as ended:
        run("--limit", limit)
    assert ended.value.code == 2


def test_the_prompt_is_what_the_model_is_sent(run: Any) -> None:
    """With the diagnosis, the error and the function that failed, and without the answer."""
    code, out, _ = run("--prompt", "--case", "ambiguous_reference")
    assert code == 0
    for part in ("You write one PySpark function", "ambiguous_reference: ", "AMBIGUOUS_REFERENCE", "def tra"):
        assert part in out


def test_a_wrong_case_file_is_told(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with exit code 2."""
    (tmp_path / "half.json").write_text("{")
    monkeypatch.setattr(evals.case.load_cases, "__defaults__", ((), tmp_path))
    code, _, errors = run()
    assert (code, "half.json: is not a JSON object" in errors) == (2, True)


@pytest.mark.slow
@pytest.mark.spark
def test_limit_takes_the_first_cases(run: Any, tmp_path: Path) -> None:
    """And the report goes where it is wanted; with --json it is on standard output alone."""
    path = tmp_path / "r.json"
    code, out, errors = run("--limit", "2", "--report", str(path), "--json")
    report = json.loads(out)
    assert (code, report) == (0, json.loads(path.read_text()))
    assert [case["case"] for case in report["cases"]] == case_names()[:2]
    assert case_names()[0] in errors


@pytest.mark.spark
@pytest.mark.parametrize(("must_hold", "code"), [(True, 1), (False, 0)])
def test_a_case_that_must_hold_and_does_not_is_1(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, must_hold: bool, code: int
) -> None:
    """A case that is only recorded is told, and fails nothing."""
    stored = json.loads((CASES / "launch_error.json").read_text(encoding="utf-8"))
    stored["expected"]["failure_class"] = "capacity"
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "launch_error.json").write_text(json.dumps({**stored, "must_hold": must_hold}))
    monkeypatch.setattr(evals.case.load_cases, "__defaults__", ((), cases))
    ended, out, _ = run()
    assert ended == code
    assert "launch where capacity is right" in out
    report = json.loads((tmp_path / "home" / "evals" / "report.json").read_text())
    assert report["passed"] is (code == 0)
    assert sum(tier["fails"] for tier in report["totals"].values()) == 1


@pytest.mark.spark
def test_a_case_that_must_hold_and_was_not_run_is_1(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a reply nothing was shown."""
    stored = json.loads((CASES / "date_pattern.json").read_text(encoding="utf-8"))
    (tmp_path / "date_pattern.json").write_text(json.dumps({**stored, "completions": []}))
    monkeypatch.setattr(evals.case.load_cases, "__defaults__", ((), tmp_path))
    code, out, _ = run("--case", "date_pattern")
    assert code == 1
    assert "0 holds, 0 fails, 1 not run" in out


WRONG_REPAIRS = [
    ("and_without_parentheses", 'F.col("o.amount") > 10', 'F.col("o.amount") >= 10'),
    ("python_and", 'F.col("o.amount") > 10', 'F.col("o.amount") >= 10'),
    ("window_without_order", "F.row_number()", "F.rank()"),
    ("key_not_unique", "F.row_number()", "F.rank()"),
    ("ambiguous_reference", "F.sum(", "F.max("),
    ("date_pattern", "def transform(", "import os\nHERE = os.sep\n\n\ndef transform("),
    ("missing_aggregation", "def transform(", "def transfrom("),
]


@pytest.mark.spark
@pytest.mark.slow
def test_a_wrong_repair_fails(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its rows, or by the policy: each reply is the recorded one with one thing broken."""
    for name, right, wrong in WRONG_REPAIRS:
        stored = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
        reply = stored["completions"][0]
        assert right in reply["completion"], name
        reply["completion"] = reply["completion"].replace(right, wrong)
        (tmp_path / f"{name}.json").write_text(json.dumps(stored))
    monkeypatch.setattr(evals.case.load_cases, "__defaults__", ((), tmp_path))
    run()
    report = json.loads((tmp_path / "home" / "evals" / "report.json").read_text())
    assert [case["case"] for case in report["cases"] if case["value"] != "fails"] == []
    assert len(report["cases"]) == len(WRONG_REPAIRS)


@pytest.mark.spark
@pytest.mark.slow
def test_all_that_must_hold_holds(run: Any, tmp_path: Path) -> None:
    """Every recorded case through diagnosis, repair and real Spark."""
    code, out, _ = run()
    report = json.loads((tmp_path / "home" / "evals" / "report.json").read_text())
    assert report["totals"]["must hold"]["fails"] == 0, out
    assert report["totals"]["must hold"]["not run"] == 0, out
    assert (code, len(report["cases"])) == (0, len(case_names()))
