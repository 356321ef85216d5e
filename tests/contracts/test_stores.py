"""ArtifactStore, Lease and Journal: what the workflow relies on, on this machine and on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ArtifactError, ConflictError
from tests.contracts.scene import Place
from tests.fakes.aws_lambda import FakeLambda
from tests.fakes.moto_server import DEFAULTS
from tools.aws.invocations import LambdaJournal
from tools.local.journal import JsonlJournal
from tools.ports import ArtifactStore, Journal


@pytest.fixture
def artifacts(place: Place) -> ArtifactStore:
    """Make an empty store."""
    return place.artifacts()


@pytest.fixture
def tamper(place: Place) -> Callable[[str, str | None], None]:
    """Change a stored text, or remove it, behind the store's back."""

    def change(key: str, text: str | None) -> None:
        if place.aws and text is not None:
            place.aws.clients.get("s3").put_object(Bucket=DEFAULTS.bucket, Key=key, Body=text.encode())
        elif place.aws:
            place.aws.clients.get("s3").delete_object(Bucket=DEFAULTS.bucket, Key=key)
        elif text is not None:
            (place.folder / key).write_text(text)
        else:
            (place.folder / key).unlink()

    return change


@dataclass(frozen=True)
class Told:
    """A journal, and how to read and to break what it writes to."""

    journal: Journal
    entries: Callable[[], list[Any]]
    obstruct: Callable[[], object]


@pytest.fixture(params=["local", "aws"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Told:
    """Make an empty journal."""
    if request.param == "local":
        path = tmp_path / "journal" / "r1.jsonl"
        return Told(
            JsonlJournal(path.parent),
            lambda: [json.loads(line) for line in path.read_text().splitlines()],
            lambda: path.parent.write_text("in the way"),
        )
    functions: FakeLambda = request.getfixturevalue("fake_lambda")
    functions.functions["logger"] = None
    return Told(
        LambdaJournal(request.getfixturevalue("aws").clients, "logger"),
        lambda: [invocation.payload for invocation in functions.invocations],
        functions.functions.clear,
    )


def test_a_reference_carries_the_hash_of_its_text(artifacts: ArtifactStore) -> None:
    """And the place of the newest text carries none."""
    uri, _, sha = artifacts.put("runs/a.txt", "abc").partition("#")
    assert uri.endswith("runs/a.txt")
    assert sha == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert "#" not in artifacts.put_latest("runs/latest.txt", "abc")


def test_an_immutable_key_takes_the_same_text_again(artifacts: ArtifactStore) -> None:
    """And gives the same reference: a node may run twice."""
    assert artifacts.put("k", "one") == artifacts.put("k", "one")


def test_a_refused_text_leaves_the_stored_one(artifacts: ArtifactStore) -> None:
    """The reference that was given out stays good."""
    reference = artifacts.put("k", "one")
    with pytest.raises(ArtifactError, match="another content"):
        artifacts.put("k", "two")
    assert artifacts.get(reference) == "one"


@pytest.mark.parametrize("text", ["", "a\r\nb\rc\n", "\ufeff\x00 \u2028 ü 🦊", "no end of line"])
def test_a_text_comes_back_character_by_character(artifacts: ArtifactStore, text: str) -> None:
    """Line ends and odd characters too: the script's hash names the job."""
    assert artifacts.get(artifacts.put("k", text)) == text


def test_another_process_reads_the_same_store(place: Place) -> None:
    """A reference is all it needs."""
    assert place.artifacts().get(place.artifacts().put("runs/x y.md", "grüße\n")) == "grüße\n"


def test_a_changed_or_missing_artifact_is_noticed(
    artifacts: ArtifactStore, tamper: Callable[[str, str | None], None]
) -> None:
    """The reference carries the hash."""
    reference = artifacts.put("k", "one")
    tamper("k", "two")
    with pytest.raises(ArtifactError, match="changed"):
        artifacts.get(reference)
    tamper("k", None)
    with pytest.raises(ArtifactError, match="missing"):
        artifacts.get(reference)


def test_the_latest_key_holds_the_newest_text(artifacts: ArtifactStore) -> None:
    """And is read without a hash."""
    artifacts.put_latest("k", "one")
    assert artifacts.get(artifacts.put_latest("k", "two")) == "two"


def test_a_lease_is_exclusive_and_given_back(place: Place) -> None:
    """Other runs are not concerned."""
    lease = place.lease()
    busy = pytest.raises(ConflictError, match="another process")
    with lease.hold("r1"), lease.hold("r2"), busy, place.lease().hold("r1"):
        pass
    with lease.hold("r1"):
        pass


def test_each_hold_has_a_token_of_its_own(place: Place) -> None:
    """Or none at all: where a holder that lives cannot lose the run."""
    tokens = []
    for _ in range(2):
        with place.lease().hold("r1") as token:
            tokens.append(token)
    assert tokens == [None, None] if place.aws is None else None not in tokens and len(set(tokens)) == 2


def test_a_lease_is_given_back_after_a_failure(place: Place) -> None:
    """The error comes through, and the next worker may hold the run."""
    lease = place.lease()
    with pytest.raises(ZeroDivisionError), lease.hold("r1"):
        raise ZeroDivisionError
    with lease.hold("r1"):
        pass


def test_clearing_leaves_what_is_held(place: Place) -> None:
    """It stays held, and other runs may be held as before."""
    lease = place.lease()
    with lease.hold("r1"):
        assert place.lease().clear() == 0
        with pytest.raises(ConflictError), place.lease().hold("r1"):
            pass
    assert lease.clear() == 0
    with lease.hold("r1"):
        pass


def test_the_journal_tells_each_step_in_the_logger_s_format(told: Told) -> None:
    """One JSON object a step, whatever the metadata."""
    told.journal.write("r1", "status", "prepare", "all of it", seconds=0.5, error=ValueError("odd"))
    told.journal.write("r1", "end", "done")
    first, second = told.entries()
    assert set(first) == {"run_id", "log_entry"}
    assert first["run_id"] == "r1"
    assert first["log_entry"].pop("timestamp").endswith("+00:00")
    assert first["log_entry"] == {
        "type": "status",
        "title": "prepare",
        "description": "all of it",
        "metadata": {"seconds": 0.5, "error": "odd"},
    }
    assert (second["log_entry"]["type"], second["log_entry"]["metadata"]) == ("end", {})


def test_a_journal_that_cannot_be_written_is_only_logged(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    """The run goes on, whatever the metadata."""
    told.obstruct()
    told.journal.write("r1", "status", "prepare", values={1, 2}, error=ValueError("odd"))
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["journal.write_failed"]
