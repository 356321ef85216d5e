"""Artifacts, ledger, lease and journal on this machine."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ArtifactError, ConflictError
from tools.artifacts import LocalArtifacts
from tools.journal import JsonlJournal
from tools.lease import FileLease
from tools.ledger import SqliteLedger
from tools.records import Launch, LaunchKey, RunRecord

RECORD = RunRecord("r1", 1, "sha", "ref", "compiler", "local", "embedded", "2026-01-01T00:00:00.000+00:00", "running")
KEY = LaunchKey("r1", 1, 1, 1)


def test_an_artifact_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    """Also under a folder whose name needs quoting in a URI."""
    artifacts = LocalArtifacts(tmp_path / "a folder # with %")
    assert artifacts.get(artifacts.put("runs/x.md", "grüße\n")) == "grüße\n"


def test_an_immutable_key_is_never_overwritten(tmp_path: Path) -> None:
    """The same text again is fine, another one is an error."""
    artifacts = LocalArtifacts(tmp_path)
    assert artifacts.put("k", "one") == artifacts.put("k", "one")
    with pytest.raises(ArtifactError, match="another content"):
        artifacts.put("k", "two")


def test_a_changed_or_missing_artifact_is_noticed(tmp_path: Path) -> None:
    """The reference carries the hash."""
    artifacts = LocalArtifacts(tmp_path)
    ref = artifacts.put("k", "one")
    (tmp_path / "k").write_text("two")
    with pytest.raises(ArtifactError, match="changed"):
        artifacts.get(ref)
    (tmp_path / "k").unlink()
    with pytest.raises(ArtifactError, match="missing"):
        artifacts.get(ref)


def test_the_latest_key_holds_the_newest_text(tmp_path: Path) -> None:
    """And is read without a hash."""
    artifacts = LocalArtifacts(tmp_path)
    artifacts.put_latest("k", "one")
    assert artifacts.get(artifacts.put_latest("k", "two")) == "two"


def test_a_run_is_accepted_once(tmp_path: Path) -> None:
    """The second one is told what stands recorded."""
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        assert ledger.accept(RECORD) == RECORD
        assert ledger.accept(replace(RECORD, payload_sha="other")) == RECORD


def test_a_new_generation_counts_up(tmp_path: Path) -> None:
    """And replaces the run's record."""
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        ledger.accept(RECORD)
        ledger.finish("r1", 1, "failed", "{}")
        assert ledger.new_generation(RECORD).generation == 2
        assert ledger.run("r1") == replace(RECORD, generation=2)


def test_a_late_end_of_an_old_generation_changes_nothing(tmp_path: Path) -> None:
    """The newer one stands."""
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        ledger.accept(RECORD)
        ledger.new_generation(RECORD)
        ledger.finish("r1", 1, "failed", "{}")
        assert ledger.runs() == [replace(RECORD, generation=2)]


def test_a_launch_survives_its_process(tmp_path: Path) -> None:
    """What was recorded is read by the next process."""
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        ledger.advance(Launch(KEY, "INTENT", "job"))
        ledger.advance(Launch(KEY, "STARTED", "job", "jr_1"))
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        assert ledger.launch(KEY) == Launch(KEY, "STARTED", "job", "jr_1")
        assert ledger.launches("r1", 1) == [Launch(KEY, "STARTED", "job", "jr_1")]
        assert ledger.launch(replace(KEY, attempt=2)) is None


@pytest.mark.parametrize("step", [Launch(KEY, "INTENT", "job", "jr_1"), Launch(KEY, "TERMINAL", "job", "jr_2")])
def test_a_launch_never_goes_back_nor_changes_its_job_run(tmp_path: Path, step: Launch) -> None:
    """Either would mean that two workers are at it."""
    with closing(SqliteLedger(tmp_path / "l.sqlite")) as ledger:
        ledger.advance(Launch(KEY, "STARTED", "job", "jr_1"))
        with pytest.raises(ValueError, match="launch"):
            ledger.advance(step)


def test_a_lease_is_exclusive_and_given_back(tmp_path: Path) -> None:
    """Other runs are not concerned."""
    lease = FileLease(tmp_path)
    with lease.hold("r1"), lease.hold("r2"), pytest.raises(ConflictError), FileLease(tmp_path).hold("r1"):
        pass
    with lease.hold("r1"):
        pass


def test_the_journal_appends_lines_in_the_logger_s_format(tmp_path: Path) -> None:
    """One JSON object a step."""
    journal = JsonlJournal(tmp_path)
    journal.write("r1", "status", "prepare", seconds=0.5)
    journal.write("r1", "end", "done")
    first, second = [json.loads(line) for line in (tmp_path / "r1.jsonl").read_text().splitlines()]
    assert (first["run_id"], first["log_entry"]["title"]) == ("r1", "prepare")
    assert first["log_entry"]["metadata"] == {"seconds": 0.5}
    assert second["log_entry"]["type"] == "end"
