"""The caller's answer, for every way a run can go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import PublishError, UnavailableError
from tests.runs.failures import (
    AMBIGUOUS,
    MISSING_AGGREGATION,
    NO_CAPACITY,
    OUT_OF_MEMORY,
    TOO_LARGE,
    TOO_SLOW,
    WRONG_COLUMN,
)
from tests.runs.scene import REPLY, SCRIPT_FAILED, SCRIPT_FAILED_OTHERWISE, TRANSFORM, Bench, event
from tools.fakes import FakeDatabase, FakeDryRun, FakeJobs, FakeModel, PlannedRun
from tools.records import DryRunResult

MakeBench = Callable[..., Bench]


def test_a_good_reply_is_run_once_and_published(bench: MakeBench) -> None:
    """The straight way: one model call, one start, one publish, 200."""
    made = bench()
    response = made.service().run(event())
    body = response["body"]
    assert (response["statusCode"], body["execution_status"]) == (200, "success")
    assert (body["attempts"], body["rewrites"], body["rows_written"], body["preflight"]) == (1, 0, 3, "ok")
    assert body["usage"] == {"input_tokens": 10, "output_tokens": 5, "dpu_seconds": 2.0, "usd": 0.001}
    assert body["verified"] == "none"
    assert body["diagnosis"] is None
    assert "orders" in body["generation_prompt"]
    assert len(made.jobs.started) == 1
    assert list(made.database.published) == [("run_1", 1)]


def test_what_only_the_compiler_cannot_say_is_a_note_for_a_model(bench: MakeBench) -> None:
    """A median is asked of the model; prompt and answer tell what the reader left open, and advise no other model."""
    made = bench()
    specs = event()["specs"]
    median = {"function": "median", "column": "amount", "alias": "total", "group_by": ["id"]}
    body = made.service().run(event(specs={**specs, "aggregations": [median]}))["body"]
    assert body["execution_status"] == "success"
    (note,) = body["notes"]
    assert (note["path"], "'median' cannot be expressed" in note["message"]) == ("specs.aggregations[0].function", True)
    assert "--model" not in note["message"]
    assert note["message"] in made.model.calls[0].user


def test_names_that_do_not_exist_are_told_before_a_model_is_asked(bench: MakeBench) -> None:
    """With the compiler's exactness, whatever else the compiler cannot say."""
    made = bench()
    specs = event()["specs"]
    median = {"function": "median", "column": "amuont", "alias": "total", "group_by": ["id"]}
    filters = [{"column": "o.idd", "operator": "=", "value": 1}]
    response = made.service().run(event(specs={**specs, "aggregations": [median], "filters": filters}))
    assert response["statusCode"] == 400
    assert "specs.filters[0].column" in [error["path"] for error in response["body"]["errors"]]
    assert made.model.calls == []


def test_the_stored_script_is_what_the_response_names(bench: MakeBench) -> None:
    """`glue_code_path` holds the complete script with the model's transform in it."""
    made = bench()
    service = made.service()
    path = service.run(event())["body"]["glue_code_path"]
    assert path is not None
    script = service.tools.artifacts.get(path)
    assert TRANSFORM in script
    assert "job.commit()" in script


def test_asking_twice_gives_the_recorded_answer(bench: MakeBench) -> None:
    """The same run_id and payload starts nothing again."""
    made = bench()
    first = made.service().run(event())
    assert made.service().run(event()) == first
    assert len(made.jobs.started) == 1


def test_the_same_run_id_with_another_payload_is_a_conflict(bench: MakeBench) -> None:
    """409, and the message says how to go on."""
    made = bench()
    made.service().run(event())
    response = made.service().run(event(options={"allow_empty": True}))
    assert response["statusCode"] == 409
    assert "options.restart" in response["body"]["message"]


def test_restart_begins_a_new_generation(bench: MakeBench) -> None:
    """Its script is run anew and published under generation 2."""
    made = bench()
    made.service().run(event())
    assert made.service().run(event(options={"restart": True}))["statusCode"] == 200
    assert list(made.database.published) == [("run_1", 1), ("run_1", 2)]


def test_a_restart_does_not_append_again(bench: MakeBench) -> None:
    """The publish stays on record; other modes give the same rows again."""
    made = bench()
    specs = event()["specs"]
    appended = event(specs={**specs, "target_table": {**specs["target_table"], "write_mode": "append"}})
    first = made.service().run(appended)
    again = made.service().run({**appended, "options": {"restart": True}})
    assert (again["statusCode"], list(made.database.published)) == (409, [("run_1", 1)])
    assert "choose another run_id" in again["body"]["message"]
    assert made.service().run(appended) == first


def test_a_bad_event_is_refused_with_paths(bench: MakeBench) -> None:
    """400 names every place; nothing is recorded."""
    service = bench().service()
    response = service.run({"run_id": "x", "specs": {"source_tables": [], "target_table": {"nam": "t"}}})
    assert response["statusCode"] == 400
    paths = {error["path"] for error in response["body"]["errors"]}
    assert paths == {"specs.source_tables", "specs.target_table.name", "specs.target_table.nam"}
    assert service.tools.ledger.runs() == []


def test_very_many_problems_are_told_in_part(bench: MakeBench) -> None:
    """The first ten, and how many there are beside them."""
    filters = [{"operator": "=", "value": 1}] * 250
    errors = bench().service().run(event(specs={**event()["specs"], "filters": filters}))["body"]["errors"]
    assert (len(errors), errors[9]["path"]) == (11, "specs.filters[9].column")
    assert errors[10] == {"path": "event", "message": "and 240 more problems; correct these first"}


def test_what_this_version_cannot_do_is_refused(bench: MakeBench) -> None:
    """An option that would be ignored is an error."""
    response = bench().service().run(event(options={"budget_usd": 1.5}))
    assert response["body"]["errors"][0]["path"] == "options.budget_usd"


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"source_data_samples": {"ordes": [{"id": 1}]}}, "source_data_samples.ordes", "did you mean 'orders'?"),
        ({"source_data_samples": {"o": [{"id": 1}, {"idd": 1}]}}, "source_data_samples.o[1].idd", "mean 'id'?"),
    ],
)
def test_samples_of_no_table_or_column_are_refused(
    bench: MakeBench, changes: dict[str, Any], path: str, words: str
) -> None:
    """They would be left out in silence."""
    response = bench().service().run(event(**changes))
    [error] = response["body"]["errors"]
    assert (response["statusCode"], error["path"]) == (400, path)
    assert words in error["message"]


def test_an_invalid_run_may_be_corrected_under_its_run_id(bench: MakeBench) -> None:
    """A payload that was refused does not block its run_id."""
    made = bench()
    assert made.service().run(event(source_schemas={}))["statusCode"] == 400
    assert made.service().run(event())["statusCode"] == 200


def test_a_refused_reply_is_rewritten_before_anything_runs(bench: MakeBench) -> None:
    """A rewrite costs no attempt."""
    made = bench(model=FakeModel(["I cannot.", REPLY]))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["attempts"], body["rewrites"]) == ("success", 1, 1)
    assert [call.purpose for call in made.model.calls] == ["generate", "repair"]


def test_the_repair_prompt_carries_error_and_function(bench: MakeBench) -> None:
    """The model sees Spark's own words and the function that failed."""
    made = bench(dry_run=FakeDryRun(AMBIGUOUS))
    made.service().run(event())
    prompt = made.model.calls[1].user
    assert "Reference `id` is ambiguous" in prompt
    assert TRANSFORM.strip() in prompt


def test_three_wrong_replies_never_reach_the_engine(bench: MakeBench) -> None:
    """422 with attempts 0 and rewrites 2."""
    made = bench(dry_run=FakeDryRun(WRONG_COLUMN, AMBIGUOUS, MISSING_AGGREGATION))
    response = made.service().run(event())
    body = response["body"]
    assert (response["statusCode"], body["attempts"], body["rewrites"]) == (422, 0, 2)
    assert (body["diagnosis"]["failure_class"], body["preflight"]) == ("missing_aggregation", "failed")
    assert made.jobs.started == []


def test_the_same_failure_twice_ends_the_run(bench: MakeBench) -> None:
    """A repair that changed nothing is not paid for again."""
    made = bench(dry_run=FakeDryRun(AMBIGUOUS, AMBIGUOUS))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["rewrites"]) == ("failed", 1)


def test_a_script_that_is_too_large_for_samples_is_repaired_before_anything_runs(bench: MakeBench) -> None:
    """The model is told what to look for; nothing is started on the engine before the repair."""
    made = bench(dry_run=FakeDryRun(TOO_LARGE))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["rewrites"], body["attempts"]) == ("success", 1, 1)
    assert "Spark's JVM ran out of memory" in made.model.calls[1].user
    assert "F.array_repeat" in made.model.calls[1].user


@pytest.mark.parametrize(("first", "second"), [(TOO_LARGE, TOO_LARGE), (TOO_SLOW, TOO_SLOW)])
def test_a_script_that_stays_too_large_never_reaches_the_engine(
    bench: MakeBench, first: DryRunResult, second: DryRunResult
) -> None:
    """The same failure twice ends the run."""
    made = bench(dry_run=FakeDryRun(first, second))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["rewrites"], body["preflight"]) == ("failed", 1, "failed")
    assert made.jobs.started == []


def test_a_failed_execution_is_repaired_once(bench: MakeBench) -> None:
    """The second attempt is published."""
    made = bench(jobs=FakeJobs(SCRIPT_FAILED))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["attempts"]) == ("success", 2)
    assert [name.split("-")[-3] for name in made.jobs.started] == ["a1", "a2"]


def test_two_failed_executions_end_the_run(bench: MakeBench) -> None:
    """422 with attempts 2; nothing was published, staging of both is dropped."""
    made = bench(jobs=FakeJobs(SCRIPT_FAILED, SCRIPT_FAILED_OTHERWISE))
    response = made.service().run(event())
    assert (response["statusCode"], response["body"]["attempts"]) == (422, 2)
    assert made.database.published == {}
    assert len(made.database.dropped) == 2


def test_rewrites_are_counted_anew_for_the_second_attempt(bench: MakeBench) -> None:
    """Two rewrites before each execution are allowed."""
    made = bench(
        dry_run=FakeDryRun(WRONG_COLUMN, DryRunResult(rows=1), AMBIGUOUS, MISSING_AGGREGATION),
        jobs=FakeJobs(SCRIPT_FAILED),
    )
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["attempts"], body["rewrites"]) == ("success", 2, 3)


def test_an_infrastructure_failure_is_launched_again_and_costs_no_attempt(bench: MakeBench) -> None:
    """The third launch succeeds within attempt 1."""
    made = bench(jobs=FakeJobs(NO_CAPACITY, NO_CAPACITY))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["attempts"]) == ("success", 1)
    assert [name.split("-")[-2] for name in made.jobs.started] == ["l1", "l2", "l3"]


def test_infrastructure_that_stays_broken_ends_the_run(bench: MakeBench) -> None:
    """After three launches, without a repair of code that was not at fault."""
    made = bench(jobs=FakeJobs(*[NO_CAPACITY] * 3))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["diagnosis"]["failure_class"]) == ("failed", "capacity")
    assert (len(made.jobs.started), len(made.model.calls)) == (3, 1)


def test_out_of_memory_runs_the_same_script_on_larger_workers(bench: MakeBench) -> None:
    """The next attempt, without a model call."""
    made = bench(jobs=FakeJobs(OUT_OF_MEMORY))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["attempts"]) == ("success", 2)
    assert len(made.model.calls) == 1


def test_a_job_without_a_report_is_computed_again(bench: MakeBench) -> None:
    """The number of written rows is unknown, so nothing is published."""
    made = bench(jobs=FakeJobs(PlannedRun(rows=None)))
    assert made.service().run(event())["body"]["execution_status"] == "success"
    assert len(made.jobs.started) == 2


def test_rows_that_postgresql_refuses_are_repaired(bench: MakeBench) -> None:
    """A constraint's refusal is the second attempt's question to the model."""
    refusal = PublishError("constraint", 'null value in column "id" violates not-null constraint')
    made = bench(database=FakeDatabase([refusal]))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["attempts"]) == ("success", 2)
    assert "not_null_violation" in made.model.calls[1].user


def test_an_empty_result_is_nobody_s_to_repair(bench: MakeBench) -> None:
    """422 says so, and what option allows it."""
    made = bench(database=FakeDatabase([PublishError("empty_result", "0 rows; set options.allow_empty")]))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["diagnosis"]["repairable_by"]) == ("failed", "nobody")


def test_a_broken_dry_run_is_a_warning(bench: MakeBench) -> None:
    """The run goes on, and the answer says that preflight was skipped."""
    made = bench(dry_run=FakeDryRun(UnavailableError("spark", "the JVM died")))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["preflight"]) == ("success", "skipped")
    assert body["warnings"] == ["preflight skipped: the JVM died"]


def test_a_dry_run_that_fails_while_reading_is_no_fault_of_the_transform(bench: MakeBench) -> None:
    """It is a warning, and nothing is repaired."""
    made = bench(dry_run=FakeDryRun(DryRunResult(error="AnalysisException: ambiguous", phase="read o")))
    body = made.service().run(event())["body"]
    assert (body["execution_status"], body["preflight"], body["rewrites"]) == ("success", "skipped", 0)


def test_a_dry_run_without_rows_is_only_partial(bench: MakeBench) -> None:
    """Nothing was seen to work."""
    made = bench(dry_run=FakeDryRun(DryRunResult(rows=0)))
    assert made.service().run(event())["body"]["preflight"] == "partial"


def test_without_spark_preflight_is_skipped(bench: MakeBench) -> None:
    """A process without Spark says so."""
    made = bench(dry_run=None)
    assert made.service().run(event())["body"]["preflight"] == "skipped"


def test_unknown_keys_are_told_and_reach_the_model(bench: MakeBench) -> None:
    """A key that means nothing here is a warning."""
    changed = event()
    changed["specs"]["aggregations"][0]["only_if"] = "paid"
    made = bench()
    body = made.service().run(changed)["body"]
    assert body["warnings"] == ["specs.aggregations[0].only_if: unknown key; only the model sees it"]
    assert '"only_if": "paid"' in made.model.calls[0].user
