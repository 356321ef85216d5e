"""`datamorph check`: how a specification is read, told without running it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import main as cli

EVENT: dict[str, Any] = {
    "specs": {
        "source_tables": [{"table_name": "orders", "alias": "o"}],
        "target_table": {"name": "totals"},
        "filters": [{"column": "amount", "operator": ">", "value": 1}],
        "aggregations": [{"function": "sum", "column": "amount", "alias": "total", "group_by": ["customer"]}],
    },
    "source_schemas": {
        "orders": {"columns": [{"name": "customer", "type": "text"}, {"name": "amount", "type": "numeric(10,2)"}]}
    },
}
UNREACHABLE = ("--database-url", "postgresql://nobody@127.0.0.1:1/none")


def check(folder: Path, event: dict[str, Any], *options: str) -> int:
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    return cli.main(["check", str(path), "--home", str(folder / "home"), *options])


def with_filter(column: str) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(EVENT))
    changed["specs"]["filters"][0]["column"] = column
    return changed


def test_the_reading_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the event's own columns where there is no database; the folder of runs is not made."""
    assert check(tmp_path, EVENT, "--no-dry-run") == 0
    out = capsys.readouterr().out
    for line in (
        "totals: ready (model compiler, columns from the event)",
        "  orders as o",
        "  keep rows where o.amount > 1",
        "  one row for each o.customer",
        "  total = sum of o.amount",
        "  def transform(sources: dict[str, DataFrame]) -> DataFrame:",
    ):
        assert f"{line}\n" in out
    assert "dry run" not in out
    assert not (tmp_path / "home").exists()


def test_with_json_the_same_is_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the form of every answer."""
    assert check(tmp_path, EVENT, "--no-dry-run", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    body = answer["body"]
    assert (answer["statusCode"], body["execution_status"], body["errors"]) == (200, "ready", [])
    assert body["reading"]["filters"] == ["keep rows where o.amount > 1"]
    assert body["transform"].startswith("def transform(")


def test_a_problem_has_the_exit_code_of_a_refused_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its path and the name that was meant."""
    assert check(tmp_path, with_filter("amuont"), "--no-dry-run") == 2
    out = capsys.readouterr().out
    assert "totals: invalid" in out
    assert "specs.filters[0].column: unknown column 'amuont'; did you mean 'amount'?" in out


def test_a_model_is_named_and_not_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its prompt is a command of its own."""
    assert check(tmp_path, EVENT, "--model", "bedrock") == 0
    assert "bedrock would write it; `datamorph prompt` shows its prompt" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "prompt"])
def test_an_unreachable_database_is_replaced_by_the_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """With a warning; where the event describes no columns, the database is needed."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENT))
    options = ["--no-dry-run"] if command == "check" else []
    assert cli.main([command, str(path), "--home", str(tmp_path / "home"), *UNREACHABLE, *options]) == 0
    told = capsys.readouterr()
    assert "columns and rows are the event's: database 'none' at 127.0.0.1:1 cannot be reached" in told.out + told.err
    path.write_text(json.dumps({"specs": EVENT["specs"]}))
    assert cli.main([command, str(path), "--home", str(tmp_path / "home"), *UNREACHABLE, *options]) == 4


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal would obey them."""
    assert check(tmp_path, with_filter("\x1b[2J"), "--no-dry-run") == 2
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.spark
@pytest.mark.slow
def test_the_dry_run_is_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On local Spark, with the event's rows and made ones."""
    assert check(tmp_path, {**EVENT, "source_data_samples": {"orders": [{"customer": "a", "amount": "5"}]}}) == 0
    out = capsys.readouterr().out
    assert "  the transform ran and gave rows\n  columns: customer string, total decimal(20,2)\n" in out
