"""Warm processes of the function that serve invocations side by side, as Lambda does, each with a meter of its own."""

from __future__ import annotations

import gc
import json
import multiprocessing
import queue
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lambda_handler
from agent.names import RunKey, run_of_job
from tests.fakes.glue_runs import Course
from tests.faults.aws_world import AwsWorld
from tests.faults.meter import Meter
from tests.faults.planned_glue import Row
from tests.faults.world_clock import WorldClock
from tests.lambda_handler.scene import Context, event
from tests.lambda_handler.timed import JOB_SECONDS, TimedEngine
from tools.records import TERMINAL_STATES

LOGGED = "log bytes"
MEMORY, _END = "memory", "end"
_PAGE = 4096


@dataclass(frozen=True)
class Told:
    """Answer and cost of an invocation."""

    answer: dict[str, Any]
    cost: Mapping[str, float]


@dataclass(frozen=True)
class Memory:
    """Memory of one process, after a garbage collection."""

    resident: int
    """Bytes."""
    objects: int
    """That the collector tracks."""


def rows_of(run_id: str) -> list[Row]:
    """Rows that the job of a run writes: no two runs the same."""
    return [("b", "4.00"), (run_id, "3.50")]


class StandingClock(WorldClock):
    """A clock that goes on only when it is told to, however slow the machine is."""

    def now(self) -> float:
        """Seconds since it was made."""
        return self.passed


@dataclass
class CrowdEngine(TimedEngine):
    """Every job writes its run's own rows, and goes on until the clock is two minutes further."""

    def start(self, job: Mapping[str, Any], arguments: Mapping[str, str]) -> tuple[str, Course]:
        """Start a run; the endpoint starts one at a time."""
        self.rows = rows_of((run_of_job(job["Name"]) or RunKey("", 0)).run_id)
        return super().start(job, arguments)


class Worker:
    """One warm process; it serves one invocation at a time."""

    def __init__(self, meter: Meter, log: Path) -> None:
        forked = multiprocessing.get_context("fork")
        self._pipe, far = forked.Pipe()
        self._process = forked.Process(target=_serve, args=(meter, far, log), daemon=True)
        self._process.start()
        far.close()

    def ask(self, payload: object) -> Any:
        """The process's answer to a payload; its memory for MEMORY."""
        self._pipe.send(payload)
        told = self._pipe.recv()
        if isinstance(told, BaseException):
            raise told
        return told

    def close(self) -> None:
        """Let the process end."""
        self._pipe.send(_END)
        self._process.join(30)
        self._pipe.close()
        assert self._process.exitcode == 0, f"a worker ended with {self._process.exitcode}"


def _serve(meter: Meter, pipe: Connection, log: Path) -> None:
    """Answer until told to end; an error is told, as any answer is."""
    with log.open("w", buffering=1) as stream:
        sys.stdout = sys.stderr = stream
        lambda_handler.logger.registered_handler.stream = stream  # type: ignore[attr-defined]
        for payload in iter(pipe.recv, _END):
            try:
                pipe.send(_memory() if payload == MEMORY else _handled(meter, payload, log))
            except Exception as error:  # the parent's test is to fail of it, and not this loop
                pipe.send(error)


def _handled(meter: Meter, payload: object, log: Path) -> Told:
    meter.taken()
    before = log.stat().st_size
    answer = lambda_handler.handler(json.loads(json.dumps(payload)), Context())  # type: ignore[arg-type]
    return Told(json.loads(json.dumps(answer)), {**meter.taken(), LOGGED: log.stat().st_size - before})


def _memory() -> Memory:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Memory(pages * _PAGE, len(gc.get_objects()))


class Crowd:
    """Several warm processes, and the runs that they are given."""

    def __init__(self, world: AwsWorld, meter: Meter, workers: int) -> None:
        self.world = world
        self._clock = StandingClock()
        engine = world.glue.account.engine
        world.glue.account.engine = CrowdEngine(engine.deliveries, engine.connections, None, None, clock=self._clock)
        self.workers = [Worker(meter, world.folder / f"worker-{number}.log") for number in range(workers)]
        self._idle: queue.Queue[Worker] = queue.Queue()
        for worker in self.workers:
            self._idle.put(worker)

    def invoke(self, payload: object) -> Told:
        """One invocation, by the process that has been idle for longest."""
        worker = self._idle.get(timeout=60)
        try:
            told: Told = worker.ask(payload)
        finally:
            self._idle.put(worker)
        return told

    def all(self, payloads: Sequence[object]) -> list[Told]:
        """As many invocations at once as there are processes."""
        with ThreadPoolExecutor(len(self.workers)) as callers:
            return list(callers.map(self.invoke, payloads))

    def memory(self) -> list[Memory]:
        """Memory of each process; none of them may be at work."""
        return [worker.ask(MEMORY) for worker in self.workers]

    def live(self) -> int:
        """How many job runs are live."""
        runs = [run for runs in self.world.glue.account.runs.values() for run in runs]
        return sum(run.settle() not in TERMINAL_STATES for run in runs)

    def let_jobs_end(self) -> None:
        """Let all jobs come to their ends."""
        self._clock.sleep(JOB_SECONDS)

    def job_event(self, run_id: str) -> dict[str, Any]:
        """The event that EventBridge sends when the run's only job has ended."""
        ((name, (run,)),) = [
            (name, runs) for name, runs in self.world.glue.account.runs.items() if run_of_job(name) == RunKey(run_id, 1)
        ]
        detail = {"jobName": name, "jobRunId": run.job_run_id, "state": "SUCCEEDED", "severity": "INFO", "message": ""}
        return {"source": "aws.glue", "detail-type": "Glue Job State Change", "detail": detail}


def start_of(run_id: str) -> dict[str, Any]:
    """A request whose target is the run's own."""
    made = event(run_id, options={"wait": "event"})
    made["specs"]["target_table"]["name"] = f"totals_{run_id}"
    return made


@contextmanager
def crowd(world: AwsWorld, meter: Meter, workers: int) -> Iterator[Crowd]:
    """A new account with warm processes; they end with the context."""
    world.begin([])
    made = Crowd(world, meter, workers)
    with ExitStack() as stack:
        for worker in made.workers:
            stack.callback(worker.close)
        yield made
