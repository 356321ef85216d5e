"""The driver's output of a Glue job run, out of CloudWatch Logs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from agent.errors import UnavailableError
from tests.fakes.moto_server import Aws
from tools.aws.clients import AwsClients
from tools.aws.logs import GROUPS, GlueLogs
from tools.fakes import FakeClock

RUN = "jr_" + 64 * "a"
Write = Callable[..., None]


@pytest.fixture
def write(aws: Aws) -> Write:
    """Give a function that writes lines to a stream of a group, and makes both."""
    logs = aws.clients.get("logs")
    groups: set[str] = set()
    now = int(time.time() * 1000)  # events of long ago are thrown away

    def written(group: str, stream: str, *lines: str) -> None:
        if group not in groups:
            logs.create_log_group(logGroupName=f"{GROUPS}/{group}")
            groups.add(group)
        logs.create_log_stream(logGroupName=f"{GROUPS}/{group}", logStreamName=stream)
        events = [{"timestamp": now - len(lines) + index, "message": line} for index, line in enumerate(lines)]
        logs.put_log_events(logGroupName=f"{GROUPS}/{group}", logStreamName=stream, logEvents=events)

    return written


def tail(aws: Aws, version: str = "5.0", *, failed: bool = False, clock: FakeClock | None = None) -> str:
    """The log of the run."""
    return GlueLogs(aws.clients, clock or FakeClock()).tail(RUN, GROUPS, version, failed)


def test_a_log_that_is_not_there_is_empty(aws: Aws, write: Write) -> None:
    """Neither a missing group nor a group without the run's streams is an error."""
    assert tail(aws) == tail(aws, "4.0") == ""
    write("output", "jr_" + 64 * "b" + "-driver", "another run's")
    assert tail(aws) == ""


def test_glue_5_writes_to_output_and_error(aws: Aws, write: Write) -> None:
    """The script's own output comes last; what executors wrote is left out."""
    write("output", f"{RUN}-driver", "printed", "Traceback")
    write("error", f"{RUN}-driver", "INFO Spark")
    write("error", f"{RUN}-1", "INFO executor")
    assert tail(aws) == "INFO Spark\nprinted\nTraceback\n"


def test_glue_4_writes_its_traceback_to_the_continuous_log(aws: Aws, write: Write) -> None:
    """`error` says the same with more noise, and is read only where there is no continuous log."""
    write("output", RUN, "printed")
    write("error", RUN, "noise", "Traceback")
    assert tail(aws, "4.0") == "noise\nTraceback\nprinted\n"
    write("logs-v2", f"{RUN}-driver", "Error from Python:Traceback")
    write("logs-v2", f"{RUN}-progress-bar", "[Stage 0]")
    assert tail(aws, "4.0") == "Error from Python:Traceback\nprinted\n"


def test_streams_with_unexpected_names_are_read(aws: Aws, write: Write) -> None:
    """Where no stream is called after the driver, all of the run's are better than none."""
    write("output", f"{RUN}_g-0123", "somewhere")
    assert tail(aws) == "somewhere\n"


def test_a_long_log_is_read_from_its_end(aws: Aws, write: Write) -> None:
    """Whole lines, within 20,000 characters."""
    write("output", f"{RUN}-driver", *(f"line {index}" for index in range(9_000)))
    lines = tail(aws).splitlines(keepends=True)
    assert 19_980 < sum(map(len, lines)) <= 20_000
    assert lines == [f"line {index}\n" for index in range(9_000 - len(lines), 9_000)]


def test_no_part_crowds_out_another(aws: Aws, write: Write) -> None:
    """A script that prints without end leaves the system's log its half."""
    write("output", f"{RUN}-driver", *(["printed"] * 5_000))
    write("error", f"{RUN}-driver", *(["system"] * 5_000))
    both = tail(aws)
    assert 19_900 < len(both) <= 20_000
    assert abs(both.rindex("system\n") - 10_000) < 50


def test_an_endless_line_is_cut(aws: Aws, write: Write) -> None:
    """A line that is longer than the limit is given by its end."""
    write("output", f"{RUN}-driver", "x" * 30_000 + "the end")
    log = tail(aws)
    assert len(log) <= 20_000 and log.endswith("xthe end\n")


def test_no_part_of_a_secret_is_left_where_an_endless_line_is_cut(aws: Aws, write: Write) -> None:
    """It is taken out of the whole line."""
    write("output", f"{RUN}-driver", "Hunter2-secret" + "x" * 19_994)
    logs = GlueLogs(aws.clients, FakeClock(), lambda: ["Hunter2-secret"])
    assert logs.tail(RUN, GROUPS, "5.0", False) == f"***{'x' * 19_994}\n"


class Late(FakeClock):
    """A clock by which the log arrives after so many waits."""

    def __init__(self, waits: int, arrive: Callable[[], None]) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._due = waits
        self._arrive = arrive

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.waits.append(seconds)
        if len(self.waits) == self._due:
            self._arrive()


def test_the_log_of_a_failed_run_is_waited_for(aws: Aws, write: Write) -> None:
    """It arrives late; a run that went well is not waited for, and nobody waits for ever."""
    clock = Late(3, lambda: write("output", f"{RUN}-driver", "Traceback"))
    assert tail(aws, failed=True, clock=clock) == "Traceback\n"
    assert clock.waits == [0.0, 1.0, 2.0]
    never = Late(0, lambda: None)
    assert GlueLogs(aws.clients, never).tail("jr_none", GROUPS, "5.0", True) == ""
    assert sum(never.waits) == 7.0
    never.waits.clear()
    assert GlueLogs(aws.clients, never).tail("jr_none", GROUPS, "5.0", False) == ""
    assert sum(never.waits) == 0.0


class Scripted:
    """A Logs client whose pages are the test's; it stands for its own `AwsClients`, too."""

    region = "us-east-1"

    def __init__(self, *pages: list[str]) -> None:
        self._pages = list(pages)

    def get(self, service: str) -> Scripted:
        """Itself."""
        return self

    def get_paginator(self, operation: str) -> Scripted:
        """Itself."""
        return self

    def paginate(self, **names: str) -> Scripted:
        """Itself."""
        return self

    def search(self, expression: str) -> list[str]:
        """One stream."""
        return [f"{RUN}-driver"]

    def get_log_events(self, **request: Any) -> dict[str, Any]:
        """The page that the token names, newest first; the last one's token repeats itself."""
        if not self._pages:
            refusal = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
            raise ClientError(cast(Any, refusal), "GetLogEvents")
        at = int(request.get("nextToken", 0))
        page = self._pages[at] if at < len(self._pages) else []
        following = str(min(at + 1, len(self._pages)))
        return {"events": [{"message": line} for line in page], "nextBackwardToken": following}


def test_empty_pages_do_not_end_a_log() -> None:
    """GetLogEvents gives them before the beginning is reached; only a token that repeats is the end."""
    pages = Scripted(["third"], [], ["first", "second"], [])
    logs = GlueLogs(cast(AwsClients, pages), FakeClock())
    assert logs.tail(RUN, GROUPS, "5.0", False) == "first\nsecond\nthird\n" * 2  # of both groups


def test_logs_that_must_not_be_read_say_what_to_grant() -> None:
    """A lack of permission is not taken for a lack of logs."""
    with pytest.raises(UnavailableError, match="grant logs:DescribeLogStreams and logs:GetLogEvents"):
        GlueLogs(cast(AwsClients, Scripted()), FakeClock()).tail(RUN, GROUPS, "5.0", False)
