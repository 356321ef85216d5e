"""The command line: what users get wrong, and what scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli import main as cli
from tools.doctor.check import Check

BAD = [
    (["run", "missing.json"], 2, "missing.json: cannot be read: No such file or directory"),
    (["run", "{folder}/half.json"], 2, "is not JSON"),
    (["run", "{folder}/latin1.json"], 2, "is not UTF-8 text"),
    (["run", "{folder}/good.json", "--model", "gpt"], 2, "--model: 'gpt' names no model"),
    (["run", "{folder}/good.json", "--engine", "spark"], 2, "--engine: input should be 'local' or 'glue'"),
    (["run", "{folder}/good.json", "--database-url", "mysql://x"], 2, "--database-url"),
    (["run", "{folder}/good.json", "--engine", "glue"], 4, "AWS credentials"),
    (["run", "{folder}/good.json", "--model", "recorded:nothing.jsonl"], 2, "nothing.jsonl"),
    (["resume", "nobody"], 2, "no run 'nobody' is known here"),
    (["status", "nobody"], 2, "no run 'nobody' is known here"),
    (["status", "\udcff"], 2, "no run '\\udcff' is known here"),
    (["cancel", "x" * 3000], 2, "is known here"),
    (["prompt", "{folder}/good.json"], 2, "source_schemas.orders: no database is at hand"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make events, good and bad."""
    (tmp_path / "half.json").write_text('{"specs": ')
    (tmp_path / "latin1.json").write_bytes('{"é": 1}'.encode("latin-1"))
    specs = {"source_tables": ["orders"], "target_table": {"name": "t"}}
    (tmp_path / "good.json").write_text(json.dumps({"specs": specs}))
    return tmp_path


@pytest.mark.parametrize(("arguments", "code", "words"), BAD, ids=[" ".join(row[0][:4]) for row in BAD])
def test_a_mistake_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    """The line says what is wrong, where, and what to do; never a stack trace."""
    home = ["--home", str(folder / "home")]
    assert cli.main([a.replace("{folder}", str(folder)) for a in arguments] + home) == code
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_warning_of_the_doctor_is_no_failure(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is marked and told beside what was found, and exits with 0; what is missing exits with 4."""
    checks = [Check("database", "warning", "not verified"), Check("bucket", "ok", "there")]
    monkeypatch.setattr("tools.doctor.this_machine.examine", lambda settings: checks)
    home = ["--home", str(folder / "home")]
    assert cli.main(["doctor", *home]) == 0
    assert "! database         warning: not verified\n✓ bucket           there\n" in capsys.readouterr().out
    checks.append(Check("role", "missing", "make it"))
    assert cli.main(["doctor", *home]) == 4


@pytest.mark.parametrize("command", [["run", "x.json"], ["status"], ["doctor"], ["resume", "r"]])
def test_a_home_that_cannot_be_written_is_told(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Once, at the start, with what to do."""
    assert cli.main([*command, "--home", "/dev/null/x"]) == 2
    assert "--home: /dev/null/x cannot be written (Not a directory); choose another folder" in capsys.readouterr().err


def test_with_json_a_mistake_is_a_response_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts read one form only."""
    assert cli.main(["run", str(folder / "half.json"), "--json", "--home", str(folder)]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert (answer["statusCode"], answer["body"]["execution_status"]) == (400, "invalid")


def test_an_argument_that_is_no_utf8_is_told_in_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON's own escape."""
    assert cli.main(["status", "\udcff", "--json", "--home", str(folder)]) == 2
    assert json.loads(capsys.readouterr().out)["body"]["run_id"] == "\udcff"


def test_prompt_without_a_database_uses_the_event(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly what the model would be sent."""
    event = json.loads((folder / "good.json").read_text())
    event["source_schemas"] = {"orders": {"columns": [{"name": "amount", "type": "numeric(10,2)"}]}}
    (folder / "good.json").write_text(json.dumps(event))
    assert cli.main(["prompt", str(folder / "good.json"), "--home", str(folder / "home")]) == 0
    assert "amount numeric(10,2)" in capsys.readouterr().out


@pytest.mark.parametrize(("sample_rows", "shown"), [("rows", "17.29"), ("masked", "10.00"), ("none", "no sample rows")])
def test_prompt_shows_the_rows_that_a_run_would(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sample_rows: str, shown: str
) -> None:
    """DATAMORPH_SAMPLE_ROWS holds for it too."""
    monkeypatch.setenv("DATAMORPH_SAMPLE_ROWS", sample_rows)
    event = json.loads((folder / "good.json").read_text())
    event["source_schemas"] = {"orders": {"columns": [{"name": "amount", "type": "numeric(10,2)"}]}}
    event["source_data_samples"] = {"orders": [{"amount": "17.29"}]}
    (folder / "good.json").write_text(json.dumps(event))
    assert cli.main(["prompt", str(folder / "good.json"), "--home", str(folder / "home")]) == 0
    out = capsys.readouterr().out
    assert [word in out for word in ("17.29", "10.00", "no sample rows")] == [
        word == shown for word in ("17.29", "10.00", "no sample rows")
    ]


def test_prompt_refuses_what_run_refuses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table's name with a slip, for one."""
    event = json.loads((folder / "good.json").read_text())
    event["source_schemas"] = {"ordes": {"columns": []}}
    (folder / "good.json").write_text(json.dumps(event))
    assert cli.main(["prompt", str(folder / "good.json"), "--home", str(folder / "home")]) == 2
    assert "source_schemas.ordes: is no source; did you mean 'orders'?" in capsys.readouterr().err


def test_an_unexpected_error_is_told_without_its_trace(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DATAMORPH_DEBUG shows where."""

    def broken(source: str) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("cli.run_commands.read_event", broken)
    assert cli.main(["run", "x", "--home", str(folder)]) == 4
    assert "unexpected ZeroDivisionError: by zero; set DATAMORPH_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("DATAMORPH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["run", "x", "--home", str(folder)])


def test_no_runs_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first `datamorph status` on a machine."""
    assert cli.main(["status", "--json", "--home", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "needs --database-url; the embedded database has a user for its jobs already"),
        (
            ["--database-url", "postgresql://etl@h/other"],
            "names h:5432/sales, and --database-url h:5432/other; only the",
        ),
    ],
)
def test_a_jobs_user_of_another_database_is_refused(
    folder: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its staging would never be seen by publish."""
    words = ["run", str(folder / "good.json"), "--job-database-url", "postgresql://jobs:Hunter2-x@h/sales", *options]
    assert cli.main([*words, "--home", str(folder)]) == 2
    err = capsys.readouterr().err
    assert (told in err, "Hunter2" in err) == (True, False), err
