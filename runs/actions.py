"""Actions on known runs: status, resume and cancel; and the wakes, job events and sweep ticks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from langgraph.runtime import RunControl

from agent.errors import DatamorphError, InvalidRequestError, Problem, UnavailableError, UnknownRunError
from agent.names import is_run_id, run_of_job
from agent.run_status import allows, at_work, is_stopping, was_interrupted
from graph.response import Response, ignored, swept, warned
from runs import stop
from runs.accept import check_database
from runs.janitor import clean
from runs.respond import reason, respond
from runs.service import Service
from tools.ports import Waker
from tools.records import RunRecord

SWEEP_LIMIT = 2000
"""Runs that one sweep tick wakes at most, each in some hundredths of a second; the next tick begins with the others."""


@dataclass(frozen=True)
class Actions:
    """Actions on the runs of one service."""

    service: Service
    waker: Waker | None = None
    """None outside the deployed function: a sweep is then refused."""
    control: RunControl | None = None
    """Asks the run to stop after its current step."""

    def status(self, run_id: str) -> Response:
        """The run's current answer; for an interrupted run a warning names the cause. Raises UnknownRunError."""
        record = self._record(run_id)
        if record.response and not (at_work(record.status) or is_stopping(record.status)):
            return cast(Response, json.loads(record.response))
        response = self.service.look(record)
        if was_interrupted(record.status) and record.response:
            told = reason(json.loads(record.response))
            return warned(response, f"the run was interrupted, and goes on when it is woken or resumed: {told}")
        return response

    def resume(self, run_id: str) -> Response:
        """Resume a run where it stopped; a cancel that was cut off is continued. Raises UnknownRunError."""
        if allows(self._record(run_id).status, "end_cancel"):
            return self.cancel(run_id)
        return self.service.resume(run_id, control=self.control)

    def cancel(self, run_id: str) -> Response:
        """End a run: its jobs are stopped, its staging is dropped, its target stays as it is.

        A run that has ended keeps its answer; a run that is published already is finished. If a refusal cuts the stop
        off, the next call, event or sweep continues it.
        """
        try:
            self._record(run_id)
            with self.service.tools.lease.hold(run_id):
                record = self._record(run_id)
                if (answer := self.service.ended(record)) is not None:
                    return answer
                check_database(record, self.service.settings, self.service.database)
                if (answer := stop.cancel(self.service.tools, record, self.service.look)) is not None:
                    return answer
        except DatamorphError as error:
            return respond(error, run_id)
        return self.service.resume(run_id, control=self.control)

    def on_job_event(self, event: dict[str, object]) -> Response:
        """Let the run of a `Glue Job State Change` look at its job.

        The event is a hint and nothing more: unless it names the job run that the ledger waits for, nothing is done.
        Raises InvalidRequestError for an event without job and job run.
        """
        job_name, job_run_id = _job_of(event)
        key = run_of_job(job_name)
        record = self.service.tools.ledger.run(key.run_id) if key else None
        if key is None or record is None:
            return ignored(key.run_id if key else None, f"no run is known here that has a job {job_name}")
        if not self._awaits(record, job_name, job_run_id):
            return ignored(key.run_id, f"the run does not wait for job run {job_run_id} of {job_name}")
        return self.resume(key.run_id)

    def sweep(self) -> Response:
        """Wake the runs that are due, each in an invocation of its own, and delete what ended runs have left.

        Raises UnavailableError without a waker.
        """
        if self.waker is None:
            raise UnavailableError("datamorph", "runs are woken by the deployed function only")
        woken, failed = self._woken(self.waker)
        cleaned, uncleaned = clean(self.service.tools)
        return swept(woken, cleaned, "; ".join([*failed, *uncleaned]))

    def _woken(self, waker: Waker) -> tuple[list[str], list[str]]:
        """run_ids of the woken runs, and the reasons why others were not woken."""
        woken: list[str] = []
        for run_id in self.service.tools.ledger.due(SWEEP_LIMIT):
            if self.control is not None and self.control.drain_requested:
                return woken, ["the time of this invocation is over; the next sweep wakes the other runs"]
            try:
                waker.wake(run_id)
            except UnavailableError as error:
                return woken, [str(error)]
            woken.append(run_id)
        return woken, []

    def _record(self, run_id: str) -> RunRecord:
        """The record of a run. Raises UnknownRunError, without a query for a name that no run can have."""
        record = self.service.tools.ledger.run(run_id) if is_run_id(run_id) else None
        if record is None:
            raise UnknownRunError(run_id)
        return record

    def _awaits(self, record: RunRecord, job_name: str, job_run_id: str) -> bool:
        launches = self.service.tools.ledger.launches(record.key)
        live = [(launch.job_name, launch.job_run_id) for launch in launches if launch.state == "STARTED"]
        # After a start whose answer was lost, only the job's name is known.
        intended = [launch.job_name for launch in launches if launch.state == "INTENT"]
        return (job_name, job_run_id) in live or job_name in intended


def _job_of(event: dict[str, object]) -> tuple[str, str]:
    detail = event.get("detail")
    names = detail if isinstance(detail, dict) else {}
    told = "is required in a Glue Job State Change, as a string"
    keys = ("jobName", "jobRunId")
    if problems := [Problem(f"detail.{key}", told) for key in keys if not isinstance(names.get(key), str)]:
        raise InvalidRequestError(problems)
    return names["jobName"], names["jobRunId"]
