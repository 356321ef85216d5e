"""Two, eight and thirty-two processes that start or resume one run at once: one job run, one publish, one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.names import staging_table
from graph.checkpoints.dynamodb import checkpoints_table
from tests.fakes.glue import FakeGlue, fake_glue
from tests.fakes.glue_runs import Course
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.faults.quick_databases import ROWS, QuickPostgres, quick_postgres, written_by
from tests.faults.racers import Kind, Place
from tests.faults.tally import Tally
from tests.runs.scene import event
from tools.aws.ledger_items import table_definition
from tools.fakes import PlannedRun

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).parents[2]
KINDS: tuple[Kind, ...] = ("sqlite", "dynamodb")


@dataclass
class Track:
    """One home, or one account, on which processes race."""

    process: subprocess.Popen[str]
    aws: Aws
    glue: FakeGlue
    database: QuickPostgres
    statuses: dict[int, int] = field(default_factory=dict)
    """How often each status code was answered."""

    def race(self, inputs: Sequence[object]) -> list[dict[str, Any]]:
        """Give each input to a process of its own, all at once; their answers in the same order."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(inputs) + "\n")
        self.process.stdin.flush()
        answers = list(json.loads(self.process.stdout.readline()))
        for told in answers:
            code = told.get("statusCode", 0)
            self.statuses[code] = self.statuses.get(code, 0) + 1
        return answers

    def starts(self, run_id: str) -> list[int]:
        """The numbers of a run's starts."""
        own = f"datamorph-job-{run_id}-g"
        return [number for number, name in enumerate(self.glue.started, 1) if name.startswith(own)]


@contextmanager
def track(kind: Kind, aws: Aws, url: str, folder: Path) -> Iterator[Track]:
    """A track whose Glue counts starts, and whose jobs write their rows into the real database."""
    command = [sys.executable, "-m", "tests.faults.racers"]
    with fake_glue(aws.endpoint) as glue, quick_postgres(url) as database:
        environment = aws.environment | {"AWS_ENDPOINT_URL_GLUE": glue.endpoint_url}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        with subprocess.Popen(command, cwd=PROJECT, **pipes) as process:
            made = Track(process, aws, glue, database)
            writing(glue, database)
            assert process.stdin is not None
            process.stdin.write(json.dumps(asdict(Place(kind, str(folder), url))) + "\n")
            yield made
            process.stdin.close()


def writing(glue: FakeGlue, database: QuickPostgres) -> None:
    """Let every start write its staging table."""
    engine = glue.account.engine
    start = engine.start

    def started(job: Mapping[str, Any], arguments: Mapping[str, str]) -> tuple[str, Course]:
        job_run_id, course = start(job, arguments)
        database.stage(staging_table(arguments["--staging_prefix"], job_run_id), len(glue.started) + 1)
        return job_run_id, course

    engine.start = started  # type: ignore[method-assign]


def one_round(made: Track, run_id: str, count: int, looks: int) -> str:
    """Start a run `count` times at once, then resume it so often at once; what is wrong then, or empty."""
    made.glue.plans[:] = [PlannedRun(looks=looks, rows=ROWS)]
    request = event(run_id=run_id, options={"wait": "event"})
    resume = {"run_id": run_id, "action": "resume"}
    answers = made.race([request] * count)
    found = strange(answers)
    started = made.starts(run_id)
    # Half of them by the action, the others by the same request again.
    answers = made.race([resume if number % 2 == 0 else request for number in range(count)])
    found = found or strange(answers)
    tries = 0
    while (ended := made.race([resume])[0]).get("statusCode") == 202 and tries < 20:
        tries += 1
    if found or ended.get("statusCode") != 200:
        return found or f"it ended as {ended}"
    if len(started) != 1 or made.starts(run_id) != started:
        return f"starts {started}, then {made.starts(run_id)}"
    if (rows := made.database.rows()) != written_by(started[0]):
        return f"the target holds {rows}, and the start was {started}"
    return left(made, run_id)


def strange(answers: Sequence[dict[str, Any]]) -> str:
    """An answer that nobody should get; empty when there is none. Somebody must have worked."""
    codes = [told.get("statusCode") for told in answers]
    if odd := [told for told in answers if told.get("statusCode") not in (200, 202, 409)]:
        return f"answered {odd[0]}"
    return "" if {200, 202} & set(codes) else f"nobody worked: {codes}"


def left(made: Track, run_id: str) -> str:
    """Leftovers of a run that has ended; empty when there are none."""
    published = made.database.sql(f"SELECT count(*) FROM datamorph_staging.publishes WHERE run_id = '{run_id}'")
    staging = made.database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'datamorph_staging'")
    if published != [(1,)] or staging != [("publishes",)]:
        return f"published {published}, staging {staging}"
    return f"jobs {list(made.glue.account.jobs)}" if made.glue.account.jobs else ""


def fresh_tables(aws: Aws) -> None:
    """Empty ledger and checkpoints: moto copies a whole table for each write of a transaction."""
    dynamodb = aws.clients.get("dynamodb")
    for definition in (table_definition(DEFAULTS.ledger_table), checkpoints_table(DEFAULTS.checkpoints_table)):
        dynamodb.delete_table(TableName=definition["TableName"])
        dynamodb.create_table(**definition)


def rounds(made: Track, kind: Kind, count: int, number: int, tally: Tally) -> None:
    """So many rounds, each with a run of its own, whose job ends sooner or later."""
    for turn in range(number):
        fresh_tables(made.aws)
        found = one_round(made, f"race_{count}_{turn}", count, looks=turn % 4)
        tally.case(f"{count} processes at once, {kind}", not found, f"round {turn}: {found}")
    assert count == 1 or made.statuses.get(409, 0) > 0, "nobody was ever in another's way"


@pytest.mark.parametrize("kind", KINDS)
def test_some_processes_at_once(kind: Kind, aws: Aws, postgres_url: str, tmp_path: Path, tally: Tally) -> None:
    """One of them works, and the others are told 409, or how far it is; nobody starts a second job."""
    with track(kind, aws, postgres_url, tmp_path) as made:
        rounds(made, kind, 8, 1, tally)
    tally.check()


@pytest.mark.faults
@pytest.mark.parametrize("count", [2, 8, 32])
@pytest.mark.parametrize("kind", KINDS)
def test_many_processes_at_once(
    kind: Kind, count: int, aws: Aws, postgres_url: str, tmp_path: Path, tally: Tally
) -> None:
    """The same in fifty rounds, with two, eight and thirty-two of them."""
    with track(kind, aws, postgres_url, tmp_path) as made:
        rounds(made, kind, count, 50, tally)
    tally.check()
