"""Answers of Studio's graph, for every way an event can go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent.errors import PublishError
from runs.actions import Actions
from studio.graph import StudioError
from tests.runs.scene import REPLY, event
from tests.studio.scene import Desk, MakeDesk
from tools.fakes import FakeDatabase, FakeJobs, FakeModel, PlannedRun


class NoWaker:
    """Nobody is woken here."""

    def wake(self, run_id: str) -> None:
        """Refuse."""
        raise AssertionError(f"{run_id} was woken")


def suspended(desk: MakeDesk) -> Desk:
    """Give a desk whose thread t1 waits for the job of run_1."""
    made = desk(jobs=FakeJobs(PlannedRun(looks=40)))
    assert "__interrupt__" in made.run(event())
    return made


def told(output: dict[str, Any]) -> str:
    """Give the text of the only interrupt."""
    (interrupt,) = output["__interrupt__"]
    return str(interrupt.value["waits_for"])


def test_an_event_runs_through_the_workflow_to_the_response(desk: MakeDesk) -> None:
    """The answer is the one that every door gives, and it is recorded."""
    made = desk()
    output = made.run(event())
    body = output["body"]
    assert (output["statusCode"], body["execution_status"], body["rows_written"]) == (200, "success", 3)
    assert list(made.bench.database.published) == [("run_1", 1)]
    record = made.service.tools.ledger.run("run_1")
    assert record is not None
    assert json.loads(record.response or "") == output


@pytest.mark.parametrize("run_id", [None, "", "left out"])
def test_a_missing_run_id_is_made(desk: MakeDesk, run_id: str | None) -> None:
    """An empty field of the form is a missing one."""
    given = event(run_id=run_id)
    if run_id == "left out":
        del given["run_id"]
    assert re.fullmatch(r"\d{8}_\d{6}_[0-9a-f]{6}", desk().run(given)["body"]["run_id"])


def test_an_event_inherits_nothing_from_the_one_before_it_in_its_thread(desk: MakeDesk) -> None:
    """A field that the second event leaves out is not taken from the first."""
    made = desk()
    first = made.run(event(options={"allow_empty": True}))["body"]
    specs = event()["specs"]
    second = made.run({"specs": specs, "source_schemas": event()["source_schemas"]})["body"]
    assert second["run_id"] != first["run_id"]
    record = made.service.tools.ledger.run(second["run_id"])
    assert record is not None
    assert "options" not in json.loads(made.service.tools.artifacts.get(record.request_ref))


def test_an_invalid_event_is_answered_with_its_errors(desk: MakeDesk) -> None:
    """400 names each path; nothing is accepted."""
    made = desk()
    output = made.run(event(specs={"source_tables": ["orders"], "target_table": {"nam": "totals"}}))
    assert output["statusCode"] == 400
    assert [error["path"] for error in output["body"]["errors"]] == [
        "specs.target_table.nam",
        "specs.target_table.name",
    ]
    assert made.service.tools.ledger.run("run_1") is None


def test_a_request_that_a_node_refuses_is_answered_and_may_be_corrected(desk: MakeDesk) -> None:
    """400 from inside the workflow; the corrected event takes the same run_id, in any thread."""
    made = desk()
    bad = event()
    bad["specs"]["target_table"]["write_mode"] = "merge"
    output = made.run(bad)
    assert (output["statusCode"], output["body"]["execution_status"]) == (400, "invalid")
    assert made.run(event(), "t2")["statusCode"] == 200


def test_a_run_id_that_is_taken_by_another_payload_is_a_conflict(desk: MakeDesk) -> None:
    """409, and the first run keeps its answer."""
    made = desk()
    made.run(event())
    output = made.run(event(options={"allow_empty": True}))
    assert output["statusCode"] == 409
    assert "another payload" in output["body"]["message"]
    assert len(made.bench.jobs.started) == 1


def test_a_run_that_another_process_works_on_is_a_conflict(desk: MakeDesk) -> None:
    """Whether it comes as an event, or goes on after an interrupt; nothing is started beside it."""
    made = suspended(desk)
    started = list(made.bench.jobs.started)
    with made.service.tools.lease.hold("run_1"):
        assert made.run(event(), "t2")["statusCode"] == 409
        assert made.resume()["statusCode"] == 409
    assert made.bench.jobs.started == started


def test_a_run_that_has_ended_gives_its_answer_in_every_thread(desk: MakeDesk) -> None:
    """Asking twice starts nothing."""
    made = desk()
    assert made.run(event(), "t2") == made.run(event())
    assert len(made.bench.jobs.started) == 1


def test_a_job_that_has_not_ended_suspends_the_thread(desk: MakeDesk) -> None:
    """The interrupt says what it waits for and how to go on; the resumed run adopts the job."""
    made = desk(jobs=FakeJobs(PlannedRun(looks=40)))
    waiting = told(made.run(event()))
    assert re.fullmatch(r"job run \S+ has not ended; resume with any value to look again", waiting)
    assert made.resume()["statusCode"] == 200
    assert len(made.bench.jobs.started) == 1


def test_a_locked_target_suspends_the_thread(desk: MakeDesk) -> None:
    """The interrupt tells PostgreSQL's reason; a resume publishes without running anything again."""
    refusals = [PublishError("transient", "canceling statement due to lock timeout")] * 4
    made = desk(database=FakeDatabase(refusals=refusals))
    waiting = told(made.run(event()))
    assert "canceling statement due to lock timeout" in waiting
    assert waiting.endswith("resume with any value to publish again")
    assert made.resume()["body"]["rows_written"] == 3
    assert len(made.bench.jobs.started) == 1


@pytest.mark.parametrize("thread", ["t1", "t2"])
def test_a_run_under_way_is_not_begun_again(desk: MakeDesk, thread: str) -> None:
    """Its own thread is told to go on with it, another one which thread has it."""
    made = suspended(desk)
    output = made.run(event(), thread)
    assert output["statusCode"] == 409
    assert ("under way in this thread" if thread == "t1" else "Studio's thread t1") in output["body"]["message"]
    assert len(made.bench.model.calls) == 1


def test_a_restart_begins_a_new_generation_in_the_runs_own_thread_alone(desk: MakeDesk) -> None:
    """The suspended generation is retired first; from another thread a restart is a conflict."""
    made = suspended(desk)
    again = event(options={"restart": True})
    assert made.run(again, "t2")["statusCode"] == 409
    assert made.run(again)["statusCode"] == 200
    assert list(made.bench.database.published) == [("run_1", 2)]


def test_another_door_leaves_a_run_of_studio_alone(desk: MakeDesk) -> None:
    """Its checkpoints are in Studio's thread, so that a resume elsewhere would begin from the start."""
    made = suspended(desk)
    response = made.service.resume("run_1")
    assert response["statusCode"] == 409
    assert "Studio's thread t1" in response["body"]["message"]
    assert len(made.bench.model.calls) == 1


def test_a_run_that_was_restarted_at_another_door_is_left_to_it(desk: MakeDesk) -> None:
    """The resumed thread tells where the run is now, and changes nothing."""
    made = suspended(desk)
    assert made.service.run(event(options={"restart": True}))["statusCode"] == 200
    answer = made.service.tools.ledger.run("run_1")
    assert made.resume()["statusCode"] == 409
    assert made.service.tools.ledger.run("run_1") == answer
    assert list(made.bench.database.published) == [("run_1", 2)]


def test_a_run_that_was_cancelled_while_suspended_stays_cancelled(desk: MakeDesk) -> None:
    """The resumed thread gives the recorded answer and publishes nothing."""
    made = suspended(desk)
    assert Actions(made.service, NoWaker()).cancel("run_1")["statusCode"] == 410
    assert made.resume()["statusCode"] == 410
    assert made.bench.database.published == {}


def test_a_service_that_refuses_stops_the_run_with_words_and_it_goes_on_later(desk: MakeDesk) -> None:
    """The error tells the reason; the thread goes on at the node that failed, and asks the model no second time."""
    made = desk()
    made.bench.database.reachable = False
    with pytest.raises(StudioError, match="the database cannot be reached"):
        made.run(event())
    made.bench.database.reachable = True
    assert made.go_on()["statusCode"] == 200


def test_what_was_done_before_an_error_is_not_done_again(desk: MakeDesk) -> None:
    """A model that refuses the repair leaves prepare, generate and the first attempt as they were."""
    answers = [REPLY]
    jobs = FakeJobs(PlannedRun("FAILED", "AnalysisException: Column 'x' does not exist"))
    made = desk(model=FakeModel(answers), jobs=jobs)
    with pytest.raises(StudioError, match="answer 2 was asked for"):
        made.run(event())
    answers.append(REPLY)
    output = made.go_on()
    assert (output["statusCode"], output["body"]["attempts"]) == (200, 2)
    assert [call.purpose for call in made.bench.model.calls] == ["generate", "repair", "repair"]


def test_a_run_that_is_worked_on_elsewhere_is_busy(desk: MakeDesk) -> None:
    """409 while another process holds the run."""
    made = desk()
    with made.service.tools.lease.hold("run_1"):
        output = made.run(event())
    assert output["statusCode"] == 409
    assert "another process" in output["body"]["message"]


def test_a_thread_that_waits_makes_progress(desk: MakeDesk) -> None:
    """Each resume counts as an invocation, and a completed look at the job resets the count of lost ones."""
    made = desk(jobs=FakeJobs(PlannedRun(looks=400)))
    made.run(event())
    for _ in range(6):
        assert "__interrupt__" in made.resume()
    record = made.service.tools.ledger.run("run_1")
    assert record is not None
    assert (record.status, record.hops, record.lost) == ("running", 7, 0)


def test_a_run_past_its_deadline_fails_in_its_thread(desk: MakeDesk) -> None:
    """The job is stopped, and the diagnosis names the deadline, as at every door."""
    made = suspended(desk)
    made.service.tools.clock.sleep(8 * 3600)
    output = made.resume()
    assert (output["statusCode"], output["body"]["diagnosis"]["failure_class"]) == (422, "deadline")
    assert made.bench.database.published == {}


def test_a_refusal_is_on_record_for_the_other_doors(desk: MakeDesk) -> None:
    """`datamorph status` tells why the thread stopped."""
    made = desk()
    made.bench.database.reachable = False
    with pytest.raises(StudioError):
        made.run(event())
    answer = Actions(made.service, NoWaker()).status("run_1")
    assert (answer["statusCode"], answer["body"]["execution_status"]) == (503, "unavailable")


def described(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give each property of a schema and of its definitions, with its description."""
    for name, part in [("", schema), *schema["$defs"].items()]:
        for key, found in part.get("properties", {}).items():
            yield f"{name}.{key}", found.get("description")


def test_the_input_form_is_typed_and_described(desk: MakeDesk) -> None:
    """Every field has a description; what is required, what may be chosen and what is meant by nothing is there."""
    schema = desk().graph.get_input_jsonschema()
    assert [name for name, description in described(schema) if not description] == []
    assert (list(schema["properties"]), schema["required"]) == (
        ["run_id", "specs", "source_schemas", "source_data_samples", "options"],
        ["specs"],
    )
    types = schema["$defs"]
    assert types["Specification"]["required"] == ["source_tables", "target_table"]
    assert types["JoinForm"]["properties"]["join_type"]["enum"] == ["inner", "left", "right", "outer"]
    assert types["JoinForm"]["properties"]["join_type"]["default"] == "inner"
    assert "NOT IN" in types["FilterForm"]["properties"]["operator"]["enum"]
    assert types["Options"]["properties"]["wait"]["enum"] == ["poll", "event"]
