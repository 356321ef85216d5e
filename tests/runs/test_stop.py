"""Ending a run from outside: its job is stopped first, whatever of checkpoints and artifacts cannot be had."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from agent.errors import UnavailableError
from graph.response import Response
from tests.runs.scene import LONG, MINUTES, Bench, act, ask, event, later, recorded, swept, wake
from tools.fakes import FakeJobs
from tools.local.artifacts import LocalArtifacts

MakeBench = Callable[..., Bench]
WAITING = event(options={"wait": "event"})
HOWS = pytest.mark.parametrize("how", ["cancel", "deadline"])


def ended(made: Bench, how: str) -> Response:
    """The answer of a process that ends the run."""
    return act(made, "cancel") if how == "cancel" else wake(later(made, MINUTES))


def states(made: Bench) -> list[str]:
    """How the runs of the only job stand."""
    (name,) = made.jobs.started
    return [run.state for run in made.jobs.list_runs(name)]


@HOWS
def test_the_job_is_stopped_before_anything_is_read(
    bench: MakeBench, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints that refuse cost the answer, which the next wake gives; job and staging are gone by then."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, WAITING)

    def throttled(*_: Any) -> None:
        raise UnavailableError("checkpoints", "throttled")

    with monkeypatch.context() as patch:
        patch.setattr("langgraph.checkpoint.sqlite.SqliteSaver.get_tuple", throttled)
        refused = ended(made, how)
    assert (refused["statusCode"], refused["body"]["service"]) == (503, "checkpoints")
    assert (states(made), made.jobs._jobs, len(made.database.dropped)) == (["STOPPED"], {}, 1)
    assert swept(made) == ["run_1"]
    assert ended(made, how)["statusCode"] == (410 if how == "cancel" else 422)
    assert swept(made) == []


@HOWS
def test_a_prompt_that_cannot_be_had_keeps_no_run_open(
    bench: MakeBench, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer leaves it out, and says why."""
    made = bench(jobs=FakeJobs(LONG))
    ask(made, WAITING)
    whole = LocalArtifacts.get

    def denied(self: LocalArtifacts, ref: str) -> str:
        if "prompt" in ref:
            raise UnavailableError("s3", "AccessDenied: grant s3:GetObject")
        return whole(self, ref)

    monkeypatch.setattr(LocalArtifacts, "get", denied)
    assert act(made, "status")["statusCode"] == 202
    answer = ended(made, how)
    assert (answer["statusCode"], answer["body"]["generation_prompt"]) == (410 if how == "cancel" else 422, None)
    assert "generation_prompt is left out: AccessDenied: grant s3:GetObject" in answer["body"]["warnings"]
    assert recorded(made).status == ("cancelled" if how == "cancel" else "failed")


@HOWS
def test_checkpoints_that_are_broken_keep_no_run_open(bench: MakeBench, how: str) -> None:
    """The answer is what stands on record, and says so."""
    made = bench(jobs=FakeJobs(LONG))
    begun = dict(ask(made, WAITING)["body"])
    with closing(sqlite3.connect(made.folder / "checkpoints.sqlite")) as stored, stored:
        stored.execute("UPDATE checkpoints SET checkpoint = x'c1c1c1'")
    answer = ended(made, how)
    body: dict[str, Any] = dict(answer["body"])
    assert (answer["statusCode"], states(made), swept(made)) == (410 if how == "cancel" else 422, ["STOPPED"], [])
    told = ("run_id", "target_table", "job_run_id", "attempts", "generation_prompt", "glue_code_path", "usage")
    assert {name: body[name] for name in told} == {name: begun[name] for name in told}
    assert [warning for warning in body["warnings"] if "checkpoints cannot be read" in warning] != []
    assert (body["diagnosis"] or {}).get("failure_class") == (None if how == "cancel" else "deadline")
    assert act(made, "status") == answer


def test_of_a_run_that_answered_nothing_yet_its_name_is_told(bench: MakeBench) -> None:
    """Its first invocation died, and its checkpoints are broken."""
    made = bench()
    with pytest.raises(SystemExit):
        made.service().run(event(), watch=lambda step: (_ for _ in ()).throw(SystemExit))
    with closing(sqlite3.connect(made.folder / "checkpoints.sqlite")) as stored, stored:
        stored.execute("UPDATE checkpoints SET checkpoint = x'c1c1c1'")
    body = act(made, "cancel")["body"]
    assert (body["run_id"], body["execution_status"], body["target_table"]) == ("run_1", "cancelled", None)
