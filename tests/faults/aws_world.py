"""The deployed function in a world of its own: each invocation is a process that may be killed at any call.

AWS is moto's server, the Glue endpoint with planned runs, and a Bedrock and a Lambda on loopback, all in this process;
an invocation is a forked child with the warm handler.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

import lambda_handler
from agent.names import staging_table
from agent.run_status import has_ended
from graph.checkpoints.dynamodb import AtomicSaver
from runs.dispatch import JOB_EVENT
from tests.fakes.aws_lambda import FakeLambda
from tests.fakes.bedrock import FakeBedrock, fake_bedrock, reply
from tests.fakes.glue import FakeGlue, fake_glue
from tests.fakes.moto_server import REGION, environment, make_stores, reset
from tests.faults.ends import on_record
from tests.faults.forked import in_child
from tests.faults.invariants import Evidence, Left, Tables
from tests.faults.moto_inside import Inside
from tests.faults.planned_glue import StagingEngine, stage
from tests.faults.saver_calls import Moment, SaverCalls
from tests.faults.strikes import Strike, Wire
from tests.faults.tables import STAGED, Sales
from tests.faults.warm_function import point, warm
from tests.faults.world_clock import WorldClock
from tests.lambda_handler.scene import FUNCTION_ARN, REPLY, Context, event
from tools.aws.clients import AwsClients
from tools.fakes import PlannedRun

EVENT = event()
RUN: str = EVENT["run_id"]
SWEEP = {"action": "sweep"}
PAST_A_LEASE = 1_000.0
_LONG_AGO = 30 * 86_400.0
_ROUNDS = 6
_UNENDED = (202, 409, 503)


@dataclass
class AwsWorld:
    """Everything around the function, and what it has done so far."""

    saver_name: ClassVar[str] = "DynamoDB"

    folder: Path
    endpoint: str
    clients: AwsClients
    """For the world itself; the function has its own."""
    glue: FakeGlue
    bedrock: FakeBedrock
    functions: FakeLambda
    sales: Sales
    inside: Inside
    wire: Wire
    saver: SaverCalls
    clock: WorldClock
    answers: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Tables] = field(default_factory=list)
    struck: bool = False
    """Whether the call that was last to be struck has come."""

    @property
    def log(self) -> Path:
        """All output of the function."""
        return self.folder / "function.log"

    def begin(self, plans: list[PlannedRun]) -> None:
        """Forget everything, and let the runs of the engine go as planned."""
        reset(self.endpoint)
        make_stores(self.clients)
        secrets = self.clients.get("secretsmanager")
        secrets.create_secret(Name="datamorph/config", SecretString='{"database_secret": "datamorph/database"}')
        secrets.create_secret(Name="datamorph/database", SecretString=json.dumps({"url": self.sales.url}))
        account = self.glue.account
        engine = account.engine
        account.engine = StagingEngine(engine.deliveries, engine.connections, None, None, list(plans), rows=STAGED)
        for kept in (account.jobs, account.runs, account.tags, account.started, self.glue.calls, self.bedrock.bodies):
            kept.clear()
        for made in (self.functions.invocations, self.answers, self.seen, self.inside.events, self.inside.refusals):
            made.clear()
        self.log.unlink(missing_ok=True)
        self.sales.reset()

    def invoke(self, payload: object, strike: Strike | None = None, cold: bool = False) -> dict[str, Any] | None:
        """The function's answer to an event; None when it was killed. `cold`: in a new process of the service."""

        def work() -> Any:
            self.wire.strike = strike
            if cold:
                lambda_handler.close()
            return {"answer": _handle(payload), "struck": self.wire.struck}

        told = in_child(self._logged(work), self.log)
        if strike is not None:
            # Nothing else kills it.
            self.struck = told is None or told["struck"]
        answer: dict[str, Any] | None = told["answer"] if told else None
        if answer is not None:
            self.answers.append(answer)
        self.seen.append(self.sales.tables())
        return answer

    def calls(self, payload: object, cold: bool = False) -> list[str]:
        """The function's calls to AWS in one invocation that nothing disturbs."""

        def work() -> list[str]:
            if cold:
                lambda_handler.close()
            _handle(payload)
            return self.wire.calls

        return list(in_child(self._logged(work), self.log))

    def saver_calls(self) -> list[str]:
        """The checkpointer's calls in a run that nothing disturbs."""

        def work() -> list[str]:
            _handle(EVENT)
            return self.saver.calls

        return list(in_child(self._logged(work), self.log))

    def killed_at_saver(self, number: int, moment: Moment) -> bool:
        """Begin the run in a process that dies at a call of its checkpointer; False when it did not."""

        def work() -> Any:
            self.saver.strike = (number, moment)
            return _handle(EVENT)

        answer = in_child(self._logged(work), self.log)
        self.seen.append(self.sales.tables())
        return answer is None

    def recovered(self, ask: object = None) -> Evidence:
        """The evidence when the run has been woken until it ended, by sweep ticks and by the same request.

        Whoever died holds the run no longer. A caller who asked for something else, as to cancel, asks for that once
        more before. What is left is looked at right after the first tick that follows the run's end; then comes the
        same request once more, as a caller asks who is not sure, and who would take a lease over that was left.
        """
        recovered = in_child(self._logged(lambda: self._recover(ask)), self.log)
        self.answers += recovered["answers"]
        left = Left(
            jobs=list(self.glue.account.jobs),
            staging=self.sales.staging(),
            leases=self.inside.leases(),
            due=recovered["due"],
        )
        return self._evidence(in_child(self._logged(self._look), self.log), left)

    def leave(self) -> None:
        """Leave, beside the lease of a process that died, a definition, a stranger's, and a staging table."""
        account = self.glue.account
        ((run,),) = account.runs.values()
        (created,) = self.glue.requests("CreateJob")
        stranger = created["Name"].replace(RUN, "20200101_000000_abc123")
        account.create_job(created)
        account.create_job({**created, "Name": stranger})
        account.jobs[stranger]["CreatedOn"] -= _LONG_AGO
        stage(self.sales.url, staging_table(run.arguments["--staging_prefix"], run.job_run_id), STAGED)
        assert len(account.jobs) == 2 and self.sales.staging() and self.inside.leases()

    def job_event(self) -> dict[str, Any]:
        """The event that EventBridge sends when the run's only job has ended."""
        ((name, (run,)),) = self.glue.account.runs.items()
        detail = {"jobName": name, "jobRunId": run.job_run_id, "state": "SUCCEEDED", "severity": "INFO", "message": ""}
        return {"source": "aws.glue", "detail-type": JOB_EVENT, "detail": detail}

    def _recover(self, ask: object) -> dict[str, Any]:
        self.clock.sleep(PAST_A_LEASE)
        answer, over = (_handle(ask), False) if ask else self._round()
        answers = [answer]
        while answer["statusCode"] in _UNENDED and len(answers) < _ROUNDS:
            answer, over = self._round()
            answers.append(answer)
        # What only a second tick after the end puts away is left.
        return {"answers": answers, "due": [] if over else self._tick()}

    def _round(self) -> tuple[dict[str, Any], bool]:
        """The answer of the run that a sweep tick wakes; where it wakes none, to the same request unless it has ended.

        True where it had: that tick was the one after the end. Whether it has is looked at without its lease.
        """
        if RUN in self._tick():
            return _handle({"run_id": RUN, "action": "resume"}), False
        stands = _handle({"run_id": RUN, "action": "status"})
        over = has_ended(stands["body"]["execution_status"])
        return (stands if over else _handle(EVENT)), over

    def _tick(self) -> list[str]:
        """The runs that a sweep tick wakes, when all leases have run out."""
        self.clock.sleep(PAST_A_LEASE)
        return list(_handle(SWEEP)["body"]["woken"])

    def _look(self) -> dict[str, Any]:
        """The answer to the same request, and the run's final state and records."""
        answer = _handle(EVENT)
        service, _ = lambda_handler._door.open(Context())  # type: ignore[arg-type]
        return {"answer": answer, **on_record(service, RUN)}

    def _evidence(self, found: dict[str, Any], left: Left) -> Evidence:
        runs = self.glue.account.runs
        engine = self.glue.account.engine
        assert isinstance(engine, StagingEngine)
        return Evidence(
            run_id=RUN,
            runs={name: len(started) for name, started in runs.items()},
            live_at_starts=engine.live_at_starts,
            **left,
            seen=[*self.seen, self.sales.tables()],
            published=self.sales.published(),
            state=found["state"],
            response=found["answer"],
            status=found["status"],
            recorded=found["recorded"],
            launches=found["launches"],
            events=list(self.inside.events),
            texts=self._texts(found),
        )

    def _texts(self, found: dict[str, Any]) -> list[tuple[str, str]]:
        told: list[tuple[str, object]] = [("state", found), ("answers", self.answers)]
        told += [("prompts", self.bedrock.bodies), ("Glue", self.glue.calls), ("events", self.inside.events)]
        told += [("refusals", self.inside.refusals)]
        told += [("invocations", [call.payload for call in self.functions.invocations])]
        texts = [(where, json.dumps(value)) for where, value in told]
        return [*texts, ("log", self.log.read_text()), *self.inside.texts()]

    def _logged(self, work: Callable[[], Any]) -> Callable[[], Any]:
        def logged() -> Any:
            lambda_handler.logger.registered_handler.stream = sys.stdout  # type: ignore[attr-defined]
            return work()

        return logged


def _handle(payload: object) -> dict[str, Any]:
    """The function's answer, as Lambda hands both on: through JSON."""
    answer = lambda_handler.handler(json.loads(json.dumps(payload)), Context())  # type: ignore[arg-type]
    return dict(json.loads(json.dumps(answer)))


@contextmanager
def aws_world(folder: Path, moto_endpoint: str, database_url: str, session: Any) -> Iterator[AwsWorld]:
    """Build a world that lasts as long as the context, with a warm function in it."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        sales = stack.enter_context(closing(Sales(database_url)))
        functions = stack.enter_context(FakeLambda())
        bedrock = stack.enter_context(fake_bedrock(reply(f"ROOT CAUSE: a slip.\n\n{REPLY}", tokens=(2000, 150))))
        glue = stack.enter_context(fake_glue(moto_endpoint, database_url=sales.url))
        point(patch, environment(moto_endpoint), glue, bedrock, functions, folder)
        clients = stack.enter_context(closing(AwsClients(REGION)))
        clients._session = session
        clock, wire, saver = WorldClock(), Wire(), SaverCalls()
        saver.watch(AtomicSaver, patch)
        clock.install(patch)
        inside = Inside(patch)
        world = AwsWorld(folder, moto_endpoint, clients, glue, bedrock, functions, sales, inside, wire, saver, clock)
        functions.functions = {"datamorph-logger": None, FUNCTION_ARN: None}
        world.begin([])
        warm(patch, EVENT, wire)
        saver.calls.clear()
        stack.callback(lambda_handler.close)
        yield world
