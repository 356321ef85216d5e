"""JobRunner: what the workflow relies on, of every engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest

from agent.errors import EngineError
from tests.contracts.engines import (
    CHATTER,
    FAIL,
    REPORT,
    SLEEP,
    SUCCEED,
    Engine,
    FakeEngine,
    GlueEngine,
    LocalEngine,
)
from tests.fakes.glue import fake_glue
from tests.fakes.moto_server import Aws
from tools.records import JobReport, JobRunState


@pytest.fixture(
    params=["fake", "glue", *(pytest.param(name, marks=pytest.mark.spark) for name in ("local", "glue-executed"))]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Make each engine in turn, without any job; Glue is behind HTTP, and its runs are planned or executed."""
    with ENGINES[request.param](request, tmp_path) as made:
        yield made
        made.close()


@contextmanager
def fake_engine(request: pytest.FixtureRequest, home: Path) -> Iterator[Engine]:
    yield FakeEngine()


@contextmanager
def local_engine(request: pytest.FixtureRequest, home: Path) -> Iterator[Engine]:
    yield LocalEngine(home, request.getfixturevalue("spark_jvm"))


@contextmanager
def glue_engine(request: pytest.FixtureRequest, home: Path) -> Iterator[Engine]:
    aws: Aws = request.getfixturevalue("aws")
    executed = {"folder": home, "jvm": request.getfixturevalue("spark_jvm")} if request.param != "glue" else {}
    with fake_glue(aws.endpoint, **executed) as glue:
        request.getfixturevalue("monkeypatch").setenv("AWS_ENDPOINT_URL_GLUE", glue.endpoint_url)
        yield GlueEngine(glue, aws.clients, planned=not executed)


ENGINES = {"fake": fake_engine, "local": local_engine, "glue": glue_engine, "glue-executed": glue_engine}


def code_of(call: Callable[..., object], *arguments: object) -> str:
    """The code with which the engine refuses a call."""
    with pytest.raises(EngineError) as caught:
        call(*arguments)
    return caught.value.code


def test_a_name_is_taken_once(engine: Engine) -> None:
    """Creating a job again is refused, be it the same or another one; an engine may say that it is another one."""
    engine.define("once", SUCCEED)
    assert code_of(engine.define, "once", SUCCEED) == "AlreadyExistsException"
    other = code_of(engine.define, "once", FAIL)
    assert other in ("AlreadyExistsException", "IdempotentParameterMismatchException")


def test_an_unknown_job_cannot_be_started(engine: Engine) -> None:
    """Nor one that was deleted."""
    assert code_of(engine.start, "nobody") == "EntityNotFoundException"
    engine.define("gone", SUCCEED)
    engine.runner.delete("gone")
    assert code_of(engine.start, "gone") == "EntityNotFoundException"


def test_an_unknown_job_has_no_runs(engine: Engine) -> None:
    """Nor has one that was never started."""
    assert engine.runner.list_runs("nobody") == []
    engine.define("idle", SUCCEED)
    assert engine.runner.list_runs("idle") == []


@pytest.mark.parametrize("question", ["get", "stop", "report", "log_tail"])
def test_an_unknown_run_is_told(engine: Engine, question: str) -> None:
    """Be the job unknown, or the run another job's, or the id none at all."""
    ask = getattr(engine.runner, question)
    engine.define("job", SUCCEED)
    others = engine.run("other", SUCCEED).job_run_id
    never, long, path = "jr_" + 64 * "0", "jr_" + 300 * "0", f"../runs/{others}"
    for asked in [("nobody", others), ("job", others), *[("other", each) for each in (never, long, path, "")]]:
        assert code_of(ask, *asked) == "EntityNotFoundException", asked


def test_a_run_has_glues_kind_of_id(engine: Engine) -> None:
    """`jr_` and 64 hexadecimal digits, by which it is found."""
    engine.define("job", SUCCEED)
    job_run_id = engine.start("job")
    assert re.fullmatch(r"jr_[0-9a-f]{64}", job_run_id)
    found = engine.runner.get("job", job_run_id)
    assert (found.job_name, found.job_run_id) == ("job", job_run_id)


def test_one_run_of_a_job_lives_at_a_time(engine: Engine) -> None:
    """A second start is refused while the first run lives; another job's is not."""
    engine.define("busy", SLEEP)
    engine.define("other", SUCCEED)
    first = engine.start("busy")
    assert code_of(engine.start, "busy") == "ConcurrentRunsExceededException"
    engine.start("other")
    assert [r.job_run_id for r in engine.runner.list_runs("busy")] == [first]
    engine.runner.stop("busy", first)


def test_a_finished_job_may_be_started_again(engine: Engine) -> None:
    """Its runs are listed newest first, each as `get` tells it."""
    runs = [engine.run("again", FAIL), *(engine.life("again", engine.start("again"))[-1] for _ in range(2))]
    assert len({r.job_run_id for r in runs}) == 3
    assert engine.runner.list_runs("again") == runs[::-1]


def test_a_run_goes_through_glues_states_to_its_end(engine: Engine) -> None:
    """Every state is one of Glue's ten, and a successful end says no error."""
    engine.define("job", SUCCEED)
    seen = engine.life("job", engine.start("job"))
    assert {r.state for r in seen} <= set(get_args(JobRunState))
    assert (seen[-1].state, seen[-1].error) == ("SUCCEEDED", "")
    assert engine.runner.get("job", seen[-1].job_run_id) == seen[-1]


def test_a_live_run_is_stopped(engine: Engine) -> None:
    """It runs, passes through STOPPING when it is asked, once or twice, and ends STOPPED without an error."""
    engine.define("sleeper", SLEEP)
    job_run_id = engine.start("sleeper")
    assert engine.life("sleeper", job_run_id, until="RUNNING")[-1].state == "RUNNING"
    engine.runner.stop("sleeper", job_run_id)
    engine.runner.stop("sleeper", job_run_id)
    seen = engine.life("sleeper", job_run_id)
    assert {r.state for r in seen[:-1]} <= {"STOPPING"}
    assert (seen[-1].state, seen[-1].error) == ("STOPPED", "")
    assert engine.runner.report("sleeper", job_run_id) is None


def test_stopping_a_run_that_has_ended_changes_nothing(engine: Engine) -> None:
    """It stays as it ended."""
    ended = engine.run("job", SUCCEED)
    engine.runner.stop("job", ended.job_run_id)
    assert engine.runner.get("job", ended.job_run_id) == ended


def test_deleting_is_done_any_number_of_times(engine: Engine) -> None:
    """Also of a job that never was."""
    engine.define("job", SUCCEED)
    for name in ("job", "job", "nobody"):
        engine.runner.delete(name)
    engine.define("job", SUCCEED)


def test_a_deleted_jobs_runs_stay_readable(engine: Engine) -> None:
    """State, report, log and list are there still, also when the name has a new job."""
    old = engine.run("job", REPORT)
    report, log = engine.runner.report("job", old.job_run_id), engine.runner.log_tail("job", old.job_run_id)
    engine.runner.delete("job")
    assert engine.runner.get("job", old.job_run_id) == old
    assert engine.runner.list_runs("job") == [old]
    new = engine.run("job", FAIL)
    assert new.state == "FAILED"
    assert engine.runner.list_runs("job") == [new, old]
    assert engine.runner.report("job", old.job_run_id) == report
    assert engine.runner.log_tail("job", old.job_run_id) == log


def test_deleting_a_job_leaves_its_live_run(engine: Engine) -> None:
    """The run goes on until it is stopped, and no run of a new job of that name starts beside it."""
    engine.define("job", SLEEP)
    job_run_id = engine.start("job")
    engine.runner.delete("job")
    assert not engine.runner.get("job", job_run_id).terminal
    engine.define("job", SUCCEED)
    assert code_of(engine.start, "job") == "ConcurrentRunsExceededException"
    engine.runner.stop("job", job_run_id)
    assert engine.life("job", job_run_id)[-1].state == "STOPPED"


def test_a_failing_script_tells_its_error(engine: Engine) -> None:
    """The run ends FAILED in Glue's words, and has no report."""
    failed = engine.run("bad", FAIL)
    assert failed.state == "FAILED"
    assert failed.error == "Error Category: UNCLASSIFIED_ERROR; Failed Line Number: 1; ValueError: no such luck"
    assert engine.runner.report("bad", failed.job_run_id) is None


def test_a_report_comes_back_as_it_was_written(engine: Engine) -> None:
    """Rows, columns and the run that wrote it; a script that wrote none has none."""
    ended = engine.run("wrote", REPORT)
    assert engine.runner.report("wrote", ended.job_run_id) == JobReport(3, ("id", "total"), ended.job_run_id)
    silent = engine.run("silent", SUCCEED)
    assert engine.runner.report("silent", silent.job_run_id) is None


def test_the_log_tail_is_the_end_of_the_log(engine: Engine) -> None:
    """At most 20,000 characters, of whole lines; a short log is given whole."""
    short = engine.run("short", SUCCEED)
    assert engine.runner.log_tail("short", short.job_run_id) == "done\n"
    long = engine.run("long", CHATTER)
    tail = engine.runner.log_tail("long", long.job_run_id)
    assert 19_000 < len(tail) <= 20_000
    assert tail.splitlines() == [f"row {i}" for i in range(5000)][-len(tail.splitlines()) :]
