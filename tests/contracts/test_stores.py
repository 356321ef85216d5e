"""ArtifactStore, Ledger, Lease and Journal: what the workflow relies on at the edges of their use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ArtifactError
from tools.artifacts import LocalArtifacts
from tools.journal import JsonlJournal
from tools.lease import FileLease
from tools.ledger import SqliteLedger
from tools.ports import ArtifactStore, Ledger
from tools.records import Launch, LaunchKey, RunRecord

RECORD = RunRecord("r1", 1, "sha", "ref", "compiler", "local", "embedded", "2026-01-01T00:00:00.000+00:00", "running")


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    """Make an empty store."""
    return LocalArtifacts(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open an empty ledger."""
    with closing(SqliteLedger(tmp_path / "ledger.sqlite")) as made:
        yield made


def test_a_reference_carries_the_hash_of_its_text(artifacts: ArtifactStore) -> None:
    """And the place of the newest text carries none."""
    uri, _, sha = artifacts.put("runs/a.txt", "abc").partition("#")
    assert uri.endswith("runs/a.txt")
    assert sha == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert "#" not in artifacts.put_latest("runs/latest.txt", "abc")


def test_a_refused_text_leaves_the_stored_one(artifacts: ArtifactStore) -> None:
    """The reference that was given out stays good."""
    reference = artifacts.put("k", "one")
    with pytest.raises(ArtifactError):
        artifacts.put("k", "two")
    assert artifacts.get(reference) == "one"


@pytest.mark.parametrize("text", ["", "a\r\nb\rc\n", "\ufeff\x00 \u2028 ü 🦊", "no end of line"])
def test_a_text_comes_back_character_by_character(artifacts: ArtifactStore, text: str) -> None:
    """Line ends and odd characters too: the script's hash names the job."""
    assert artifacts.get(artifacts.put("k", text)) == text


def test_an_unknown_run_is_none(ledger: Ledger) -> None:
    """It has no launches, and no generation can follow."""
    assert ledger.run("nobody") is None
    assert ledger.runs() == []
    assert ledger.launches("nobody", 1) == []
    with pytest.raises(LookupError):
        ledger.new_generation(RECORD)


def test_the_newest_runs_are_listed_first(ledger: Ledger) -> None:
    """As many as were asked for."""
    for day in (2, 1, 3):
        ledger.accept(replace(RECORD, run_id=f"r{day}", accepted_at=f"2026-01-0{day}T00:00:00.000+00:00"))
    assert [record.run_id for record in ledger.runs()] == ["r3", "r2", "r1"]
    assert [record.run_id for record in ledger.runs(limit=2)] == ["r3", "r2"]


def test_a_finished_run_keeps_its_response(ledger: Ledger) -> None:
    """Being accepted again does not change it; other runs are not concerned."""
    ledger.accept(RECORD)
    ledger.accept(replace(RECORD, run_id="r2"))
    ledger.finish("r1", 1, "success", '{"statusCode": 200}')
    done = replace(RECORD, status="success", response='{"statusCode": 200}')
    assert ledger.run("r1") == done
    assert ledger.accept(RECORD) == done
    assert ledger.run("r2") == replace(RECORD, run_id="r2")


def test_launches_are_listed_in_order(ledger: Ledger) -> None:
    """By attempt and launch, of one generation."""
    keys = [LaunchKey("r1", 1, attempt, launch) for attempt, launch in ((2, 1), (1, 10), (1, 2))]
    for key in [*keys, LaunchKey("r1", 2, 1, 1), LaunchKey("r2", 1, 1, 1)]:
        ledger.advance(Launch(key, "PLANNED", "job"))
    assert [launch.key for launch in ledger.launches("r1", 1)] == keys[::-1]


def test_a_launch_s_state_may_be_recorded_again(ledger: Ledger) -> None:
    """A node that runs twice after a crash says the same again; a refused step changes nothing."""
    started = Launch(LaunchKey("r1", 1, 1, 1), "STARTED", "job", "jr_1")
    ledger.advance(started)
    ledger.advance(started)
    with pytest.raises(ValueError, match="cannot go back"):
        ledger.advance(replace(started, state="PLANNED"))
    assert ledger.launch(started.key) == started
    ledger.advance(replace(started, state="CLEANED"))
    assert ledger.launches("r1", 1) == [replace(started, state="CLEANED")]


def test_a_lease_is_given_back_after_a_failure(tmp_path: Path) -> None:
    """The error comes through, and the next worker may hold the run."""
    lease = FileLease(tmp_path)
    with pytest.raises(ZeroDivisionError), lease.hold("r1"):
        raise ZeroDivisionError
    with lease.hold("r1"):
        pass


def test_a_journal_that_cannot_be_written_is_only_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on, whatever the metadata."""
    (tmp_path / "file").write_text("in the way")
    JsonlJournal(tmp_path / "file").write("r1", "status", "prepare", values={1, 2}, error=ValueError("odd"))
    assert [record.message for record in caplog.records] == ["journal.write_failed"]
