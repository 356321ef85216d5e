"""Why a run does not go on is on record, for whoever asks how it stands: nobody hears what a sweep's wake answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from agent.errors import InvalidRequestError, Problem, UnavailableError
from agent.settings import load_settings
from runs.limits import MAX_LOST
from tests.runs.scene import (
    LONG,
    MINUTES,
    REPLY,
    SCRIPT_FAILED,
    SETTINGS,
    Bench,
    act,
    ask,
    event,
    later,
    recorded,
    refused,
    swept,
    wake,
)
from tools.fakes import FakeJobs, FakeModel, PlannedRun
from tools.records import Completion, ModelCall

MakeBench = Callable[..., Bench]


class Strict(FakeModel):
    """Answers once, and then refuses the request."""

    def complete(self, call: ModelCall) -> Completion:
        """Answer, or refuse."""
        if call.index:
            raise InvalidRequestError([Problem("specs.filters", "cannot be expressed")])
        return super().complete(call)


def test_a_bug_before_any_launch_is_on_record(bench: MakeBench) -> None:
    """503 with its kind and message, without secrets; no run is called running that nobody works on."""
    made = bench(settings=load_settings({**SETTINGS, "database_url": "postgresql://etl:Xyzzy17@h/d"}, {}))

    def bug(call: object) -> None:
        raise ZeroDivisionError("pwd=hunter22, and Xyzzy17 in the open")

    made.model.complete = bug  # type: ignore[assignment,method-assign]
    with pytest.raises(ZeroDivisionError):
        ask(made, event())
    status = act(made, "status")
    assert (status["statusCode"], status["body"]["execution_status"]) == (503, "unavailable")
    assert "unexpected ZeroDivisionError: pwd=***, and *** in the open" in status["body"]["message"]
    assert json.loads(recorded(made).response) == status
    made.model = FakeModel([REPLY])
    assert ask(made, event())["statusCode"] == 200


def test_status_of_an_interrupted_run_says_what_interrupted_it(bench: MakeBench) -> None:
    """A refusal or a bug, until the run goes on."""
    made = bench(jobs=FakeJobs(PlannedRun(looks=2)))
    with refused(made, "get", UnavailableError("glue", "throttled; raise the quota")):
        ask(made, event())
        status = act(made, "status")
    assert (status["statusCode"], status["body"]["execution_status"]) == (202, "running")
    assert [warning for warning in status["body"]["warnings"] if "throttled; raise the quota" in warning] != []
    with refused(made, "get", ZeroDivisionError("a bug")), pytest.raises(ZeroDivisionError):
        wake(made.service())
    (warning,) = [one for one in act(made, "status")["body"]["warnings"] if "interrupted" in one]
    assert "unexpected ZeroDivisionError: a bug" in warning
    done = act(made, "resume")
    assert (done["statusCode"], [one for one in done["body"]["warnings"] if "interrupted" in one]) == (200, [])


def test_a_refused_request_after_a_launch_is_not_left_behind(bench: MakeBench) -> None:
    """400 for the caller; the run stays open, so that its deadline ends it and its staging is dropped."""
    made = bench(model=Strict([REPLY]), jobs=FakeJobs(SCRIPT_FAILED))
    assert ask(made, event())["statusCode"] == 400
    assert (recorded(made).status, swept(made)) == ("interrupted", ["run_1"])
    assert any("specs.filters: cannot be expressed" in warning for warning in act(made, "status")["body"]["warnings"])
    answer = wake(later(made, MINUTES))
    assert (answer["statusCode"], answer["body"]["diagnosis"]["failure_class"]) == (422, "deadline")
    assert (len(made.database.dropped), swept(made)) == (1, [])


def test_a_refused_request_after_a_launch_is_not_woken_for_ever(bench: MakeBench) -> None:
    """It completes no step."""
    made = bench(model=Strict([REPLY]), jobs=FakeJobs(SCRIPT_FAILED))
    codes = [ask(made, event())["statusCode"], *(wake(made.service())["statusCode"] for _ in range(MAX_LOST + 1))]
    assert codes == [400] * (MAX_LOST + 1) + [422]


def test_a_refused_request_before_any_launch_is_over(bench: MakeBench) -> None:
    """Nobody wakes it; sent again, corrected or not, it begins anew."""
    made = bench(model=Strict([]))
    made.model.complete = lambda call: (_ for _ in ()).throw(InvalidRequestError([]))  # type: ignore[method-assign]
    assert ask(made, event())["statusCode"] == 400
    assert (recorded(made).status, swept(made)) == ("invalid", [])


def test_an_artifact_that_is_gone_is_the_artifact_store_s(bench: MakeBench) -> None:
    """The engine has nothing to do with it."""
    made = bench(model=FakeModel([]), jobs=FakeJobs(LONG))
    ask(made, event())
    for path in (made.folder / "artifacts").rglob("*snapshot*"):
        path.unlink()
    made.model = FakeModel([REPLY])
    body = act(made, "resume")["body"]
    assert (body["execution_status"], body["service"]) == ("unavailable", "artifacts")
