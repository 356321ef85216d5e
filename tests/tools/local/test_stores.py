"""Artifacts and ledger on this machine: what only files and processes can show."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import ArtifactError, UnavailableError
from agent.names import LaunchKey, RunKey
from tools.local.artifacts import LocalArtifacts
from tools.local.journal import LogJournal
from tools.local.ledger import SqliteLedger
from tools.records import Launch

KEY = LaunchKey("r1", 1, 1, 1)


def test_an_artifact_comes_back_from_any_folder(tmp_path: Path) -> None:
    """Also from one whose name needs quoting in a URI."""
    artifacts = LocalArtifacts(tmp_path / "a folder # with %")
    assert artifacts.get(artifacts.put("runs/x.md", "grüße\n")) == "grüße\n"


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """A text that cannot be kept is a service that refuses; one that cannot be read is missing."""
    (tmp_path / "runs").write_text("no folder")
    artifacts = LocalArtifacts(tmp_path)
    for put in (artifacts.put, artifacts.put_latest):
        with pytest.raises(UnavailableError, match=r"runs/x/y.md cannot be written: .*(exists|directory)") as caught:
            put("runs/x/y.md", "text")
        assert caught.value.service == "artifacts"
    with pytest.raises(ArtifactError, match="cannot be read: .*irectory"):
        artifacts.get((tmp_path / "runs" / "x.md").as_uri())


def test_a_launch_survives_its_process(tmp_path: Path) -> None:
    """The next process reads the record."""
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        ledger.advance(Launch(KEY, "INTENT", "job"))
        ledger.advance(Launch(KEY, "STARTED", "job", "jr_1"))
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        assert ledger.launch(KEY) == Launch(KEY, "STARTED", "job", "jr_1")
        assert ledger.launches(RunKey("r1", 1)) == [Launch(KEY, "STARTED", "job", "jr_1")]


def test_without_a_logger_function_the_steps_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """As fields, not as a sentence."""
    with caplog.at_level(logging.INFO, "datamorph.journal"):
        LogJournal().write("r1", "status", "prepare", seconds=0.5)
    (record,) = caplog.records
    assert record.message == "journal.entry"
    assert vars(record)["run_id"] == "r1"
    assert vars(record)["log_entry"]["metadata"] == {"seconds": 0.5}
