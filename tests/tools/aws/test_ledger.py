"""The ledger on DynamoDB: its layout, lost answers, races, refusals."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from agent.errors import ConflictError, UnavailableError
from agent.names import LaunchKey, RunKey
from graph.response import Response
from runs.completion import conclude
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.fakes.wire import answers_lost, cut, overtaken, refused, requests
from tools.aws.ledger import DynamoLedger
from tools.fakes import FakeClock
from tools.records import Change, Launch, RunRecord
from tools.toolbox import Toolbox

RECORD = RunRecord("r1", 1, "sha", "ref", "compiler", "glue", "db:5432/s", "2026-01-01T00:00:00.000+00:00", "running")
OVER = replace(RECORD, status="cancelling")
KEY = LaunchKey("r1", 1, 1, 1)
TABLE = DEFAULTS.ledger_table


@pytest.fixture
def ledger(aws: Aws) -> DynamoLedger:
    """Open the empty table."""
    return DynamoLedger(aws.clients, TABLE, retention_days=90)


def standing(ledger: DynamoLedger) -> RunRecord:
    """The run as it stands recorded."""
    record = ledger.run("r1")
    assert record is not None
    return record


def test_a_run_and_its_launches_lie_together(aws: Aws, ledger: DynamoLedger) -> None:
    """Under keys that sort as numbers do; open runs alone are in the index of open runs."""
    ledger.accept(RECORD)
    ledger.advance(Launch(replace(KEY, generation=12, attempt=2, launch=3), "PLANNED", "job"))
    launch, run = aws.clients.get("dynamodb").scan(TableName=TABLE)["Items"]
    assert {launch["pk"]["S"], run["pk"]["S"]} == {"RUN#r1"}
    assert {launch["sk"]["S"], run["sk"]["S"]} == {"LAUNCH#g000012#a002#l003", "RUN"}
    ledger.change(RunKey("r1", 1), Change("succeed", "{}"))
    (run,) = (item for item in aws.clients.get("dynamodb").scan(TableName=TABLE)["Items"] if item["sk"]["S"] == "RUN")
    assert "open" not in run


def test_half_an_answer_is_no_missing_run(aws: Aws, ledger: DynamoLedger) -> None:
    """boto3 takes it for an answer without an item."""
    ledger.accept(RECORD)
    with cut(aws.clients.get("dynamodb"), "GetItem"), pytest.raises(UnavailableError, match="came cut .*ask again"):
        ledger.run("r1")
    assert ledger.run("r1") == RECORD


def test_a_launch_is_first_recorded_where_none_is(aws: Aws, ledger: DynamoLedger) -> None:
    """Another process that was faster has its record kept, and the slow one is told."""
    other, started = DynamoLedger(aws.clients, TABLE, retention_days=90), Launch(KEY, "STARTED", "job", "jr_1")
    with (
        overtaken(aws.clients.get("dynamodb"), "PutItem", lambda: other.advance(started)),
        pytest.raises(ValueError, match="PLANNED"),
    ):
        ledger.advance(Launch(KEY, "PLANNED", "job"))
    assert ledger.launch(KEY) == started


def test_every_write_puts_the_expiry_off(aws: Aws, ledger: DynamoLedger) -> None:
    """By the days configured, from now on."""
    dynamodb, day = aws.clients.get("dynamodb"), 86_400
    short = DynamoLedger(aws.clients, TABLE, retention_days=1)
    writes: list[tuple[str, Callable[[DynamoLedger], object]]] = [
        ("RUN", lambda store: store.hop(RunKey("r1", 1))),
        ("RUN", lambda store: store.change(RunKey("r1", 1), Change("postpone", "{}"))),
        ("RUN", lambda store: store.due()),
        ("RUN", lambda store: store.change(RunKey("r1", 1), Change("cancel"))),
        ("RUN", lambda store: store.new_generation(standing(store), OVER)),
        ("LAUNCH#g000001#a001#l001", lambda store: store.advance(Launch(KEY, "PLANNED", "job"))),
    ]
    ledger.accept(RECORD)
    for sort, write in writes:
        for store, days in ((short, 1), (ledger, 90)):
            write(store)
            items = {item["sk"]["S"]: item for item in dynamodb.scan(TableName=TABLE)["Items"]}
            assert abs(int(items[sort]["expires_at"]["N"]) - time.time() - days * day) < 60


def test_what_stands_recorded_is_read_consistently(aws: Aws, ledger: DynamoLedger) -> None:
    """A worker that comes right after another one sees its launches."""
    dynamodb = aws.clients.get("dynamodb")
    with requests(dynamodb, "GetItem") as gets, requests(dynamodb, "Query") as queries:
        ledger.accept(OVER)
        ledger.run("r1")
        ledger.new_generation(OVER, RECORD)
        ledger.advance(Launch(KEY, "PLANNED", "job"))
        ledger.launch(KEY)
        ledger.launches(RunKey("r1", 1))
    assert len(gets) >= 4
    assert len(queries) == 1
    assert all(json.loads(request.body)["ConsistentRead"] is True for request in [*gets, *queries])


def test_a_lost_answer_does_not_count_a_generation_twice(aws: Aws, ledger: DynamoLedger) -> None:
    """The request that is sent again finds its own write in its way."""
    ledger.accept(OVER)
    with answers_lost(aws.clients.get("dynamodb"), "PutItem") as lost:
        assert ledger.new_generation(OVER, RECORD).generation == 2
    assert len(lost) == 1
    assert ledger.run("r1") == replace(RECORD, generation=2)


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_answer_does_not_count_an_invocation_twice(aws: Aws, ledger: DynamoLedger, times: int) -> None:
    """Five that die end a run: one bad moment of the network is not five."""
    ledger.accept(RECORD)
    with answers_lost(aws.clients.get("dynamodb"), "UpdateItem", times=times) as lost:
        assert ledger.hop(RunKey("r1", 1)) == replace(RECORD, hops=1, lost=1)
    assert len(lost) == times
    assert ledger.hop(RunKey("r1", 1)) == replace(RECORD, hops=2, lost=2)


def test_a_lost_answer_does_not_make_an_end_another_one_s(aws: Aws, ledger: DynamoLedger) -> None:
    """The request that is sent again is refused; what stands on record is what was asked for."""
    ledger.accept(RECORD)
    response = Response(statusCode=422, body={"execution_status": "failed"})
    tools = SimpleNamespace(ledger=ledger, announcer=None, clock=FakeClock())
    with answers_lost(aws.clients.get("dynamodb"), "UpdateItem") as lost:
        assert conclude(cast(Toolbox, tools), RECORD, response) == response
    assert len(lost) == 1
    with pytest.raises(ConflictError, match="is void"):
        conclude(cast(Toolbox, tools), RECORD, Response(statusCode=200, body={"execution_status": "success"}))


def test_a_lost_answer_does_not_stop_a_launch(aws: Aws, ledger: DynamoLedger) -> None:
    """Nor a run that is being accepted."""
    with answers_lost(aws.clients.get("dynamodb"), "PutItem", times=2) as lost:
        assert ledger.accept(RECORD) == RECORD
    ledger.advance(Launch(KEY, "INTENT", "job"))
    with answers_lost(aws.clients.get("dynamodb"), "PutItem") as lost:
        ledger.advance(Launch(KEY, "STARTED", "job", "jr_1"))
    assert len(lost) == 1
    assert ledger.launch(KEY) == Launch(KEY, "STARTED", "job", "jr_1")


def test_of_generations_that_begin_at_once_one_stands(ledger: DynamoLedger) -> None:
    """The others are refused, and no number is given out twice."""
    ledger.accept(OVER)

    def begin(day: int) -> str:
        try:
            return ledger.new_generation(OVER, replace(RECORD, accepted_at=f"2026-01-0{day}")).accepted_at
        except ConflictError:
            return "refused"

    with ThreadPoolExecutor(3) as workers:
        made = list(workers.map(begin, (2, 3, 4)))
    assert made.count("refused") == 2
    assert (standing(ledger).generation, standing(ledger).accepted_at in made) == (2, True)


def test_two_sweeps_at_once_share_the_open_runs(aws: Aws, ledger: DynamoLedger) -> None:
    """No run is given to both."""
    for run_id in ("r1", "r2", "r3"):
        ledger.accept(replace(RECORD, run_id=run_id))
    other: list[str] = []
    with overtaken(aws.clients.get("dynamodb"), "UpdateItem", lambda: other.extend(ledger.due(limit=2))):
        given = ledger.due()
    assert len(other) == 2
    assert sorted(given + other) == ["r1", "r2", "r3"]


def test_a_run_that_ends_during_a_sweep_is_not_given_out(aws: Aws, ledger: DynamoLedger) -> None:
    """The index follows a little later than the run."""
    ledger.accept(RECORD)
    dynamodb = aws.clients.get("dynamodb")
    with overtaken(dynamodb, "UpdateItem", lambda: ledger.change(RunKey("r1", 1), Change("succeed", "{}"))):
        assert ledger.due() == []


def test_many_launches_are_listed_over_pages(aws: Aws, ledger: DynamoLedger) -> None:
    """DynamoDB answers a query with 1 MB at a time."""
    keys = [LaunchKey("r1", 1, attempt, 1) for attempt in range(1, 5)]
    for key in keys:
        ledger.advance(Launch(key, "PLANNED", "j" * 390_000))
    with requests(aws.clients.get("dynamodb"), "Query") as sent:
        assert [launch.key for launch in ledger.launches(RunKey("r1", 1))] == keys
    assert len(sent) > 1


def test_a_response_that_no_item_holds_is_refused_by_size(ledger: DynamoLedger) -> None:
    """Before anything is written; a long one that can be compressed is kept."""
    ledger.accept(RECORD)
    ledger.change(RunKey("r1", 1), Change("fail", "x" * 2_000_000))
    noise = random.Random(1).randbytes(400_000).hex()
    with pytest.raises(UnavailableError, match="too long to be recorded: \\d+ bytes"):
        ledger.change(RunKey("r1", 1), Change("fail", noise * 2))
    record = ledger.run("r1")
    assert record is not None
    assert len(record.response) == 2_000_000


def test_a_missing_table_is_told_by_name(aws: Aws) -> None:
    """With what to create or to set."""
    ledger = DynamoLedger(aws.clients, "nowhere", 90)
    for call in (lambda: ledger.accept(RECORD), lambda: ledger.run("r1"), ledger.runs, ledger.due):
        with pytest.raises(
            UnavailableError, match="table nowhere .*create the table.*DATAMORPH_LEDGER_TABLE"
        ) as raised:
            call()
        assert raised.value.service == "ledger"


def test_a_denied_table_names_the_action(aws: Aws, ledger: DynamoLedger) -> None:
    """So that the role can be mended."""
    with (
        refused(aws.clients.get("dynamodb"), "PutItem", 400, "AccessDeniedException", "not authorized"),
        pytest.raises(UnavailableError, match="table datamorph-ledger .*grant the action of PutItem"),
    ):
        ledger.accept(RECORD)


def test_a_launch_that_others_keep_changing_is_given_up(aws: Aws, ledger: DynamoLedger) -> None:
    """After some tries, with words that say so."""
    with (
        refused(aws.clients.get("dynamodb"), "PutItem", 400, "ConditionalCheckFailedException"),
        pytest.raises(UnavailableError, match="being changed by other processes"),
    ):
        ledger.advance(Launch(KEY, "PLANNED", "job"))
