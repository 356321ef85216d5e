"""A Glue on loopback: it speaks the JSON 1.1 protocol over real HTTP and keeps Glue's rules.

Every request and every answer is checked against botocore's model of the service; what breaks it is refused, and
fails the test when the endpoint closes.
"""

from __future__ import annotations

import json
import re
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.fakes.glue_account import Account, GlueRefusal
from tests.fakes.glue_deliveries import Deliveries
from tests.fakes.glue_engine import Engine
from tests.fakes.glue_faults import Fault
from tests.fakes.glue_model import glue_model, wrong_answer, wrong_error, wrong_request
from tests.fakes.glue_reading import Reading
from tools.fakes import PlannedRun
from tools.spark.jvm import SparkJvm

REGION = "us-east-1"
_TARGET = "AWSGlue."
_CONTENT_TYPE = "application/x-amz-json-1.1"
_HELD_SECONDS = 60
_CHANGING = ("CreateJob", "DeleteJob", "StartJobRun", "GetJobRun", "BatchStopJobRun")
_READING = (
    "GetJob", "GetJobs", "ListJobs", "GetJobRuns", "GetConnection", "GetConnections", "GetTags", "TagResource",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; status 0 means none."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)


_NONE = Answer(0)


@dataclass
class FakeGlue:
    """The endpoint: what it will do, what it was asked, and what was wrong with that."""

    account: Account
    endpoint_url: str = ""
    faults: list[Fault] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Operation and body of every request in order, of refused ones too."""
    violations: list[str] = field(default_factory=list)
    """Requests and answers that Glue's model does not allow."""
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def plans(self) -> list[PlannedRun | None]:
        """How the runs to come will end; None: execute this one. Without a plan a run is executed, or succeeds."""
        return self.account.engine.plans

    @property
    def started(self) -> list[str]:
        """Job names in the order of their starts."""
        return self.account.started

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """The bodies of an operation's requests."""
        return [body for name, body in self.calls if name == operation]

    def answer(self, operation: str, body: object) -> Answer:
        """Answer one request, faults included."""
        if operation not in _CHANGING + _READING:
            return self._violated([f"operation {operation!r} is not known here"], "UnknownOperationException")
        if wrong := wrong_request(operation, body):
            return self._violated(wrong, "ValidationException")
        assert isinstance(body, dict)
        with self._lock:
            self.calls.append((operation, body))
            fault = self._fault(operation)
            if fault is None or fault.applied:
                answer = self._apply(operation, body)
        if fault is None:
            return answer
        self.closing.wait(_HELD_SECONDS if fault.held else fault.delay)
        if fault.silent:
            return _NONE
        if fault.error:
            return Answer(fault.http_status, {"__type": fault.error, "Message": fault.message})
        return answer if fault.applied else self._apply(operation, body)

    def _fault(self, operation: str) -> Fault | None:
        call = len(self.requests(operation))
        return next((fault for fault in self.faults if fault.hits(operation, call)), None)

    def _apply(self, operation: str, body: dict[str, Any]) -> Answer:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()
        try:
            with self._lock:
                told = getattr(self.account if operation in _CHANGING else Reading(self.account), name)(body)
        except GlueRefusal as refusal:
            self.violations += wrong_error(operation, refusal.code)
            return Answer(400, {"__type": refusal.code, "Message": str(refusal)})
        if wrong := wrong_answer(operation, told):
            return self._violated(wrong, "InternalFailure", 500)
        return Answer(200, told)

    def broken(self, error: Exception) -> Answer:
        """The answer for an error of the endpoint's own, which fails the test like a violation."""
        return self._violated(["".join(traceback.format_exception(error))], "InternalFailure", 500)

    def _violated(self, wrong: list[str], code: str, status: int = 400) -> Answer:
        self.violations += wrong
        return Answer(status, {"__type": code, "Message": "; ".join(wrong)})

    def close(self) -> None:
        """Let held answers go, and leave no process behind."""
        self.closing.set()
        for runs in self.account.runs.values():
            for run in runs:
                run.course.close()


@contextmanager
def fake_glue(
    endpoint_url: str,
    *,
    database_url: str | None = None,
    folder: Path | None = None,
    jvm: SparkJvm | None = None,
    connection: str = "dmdb-connection",
) -> Iterator[FakeGlue]:
    """A Glue that listens on 127.0.0.1 while the context lasts; S3 and Logs are at `endpoint_url`.

    With `folder` runs are executed on the embedded engine, in the warm `jvm` or in one of their own, and `connection`
    leads to `database_url`. Raises AssertionError at the end for requests and answers outside Glue's model.
    """
    glue_model()  # read now: it takes longer than some callers wait for an answer
    with closing(Deliveries(endpoint_url, REGION)) as deliveries:
        connections = {connection: database_url or "postgresql://nowhere.invalid/postgres"}
        glue = FakeGlue(Account(Engine(deliveries, connections, folder, jvm), REGION))
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(glue)) as server:
            glue.endpoint_url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield glue
            finally:
                glue.close()
                server.shutdown()
                thread.join()
    assert glue.violations == [], glue.violations


def _handler(glue: FakeGlue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer an operation: `POST /` with its name in a header."""
            content = self.rfile.read(int(self.headers["Content-Length"]))
            glue.violations += _wrong_headers(self)
            try:
                answer = glue.answer(self.headers.get("X-Amz-Target", "").removeprefix(_TARGET), json.loads(content))
            except Exception as error:  # the door: a broken endpoint is not to pass for a broken connection
                answer = glue.broken(error)
            if answer.status:
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            content = json.dumps(answer.body).encode()
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", _CONTENT_TYPE)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                # The caller of a late answer has gone.
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    return Handler


def _wrong_headers(request: BaseHTTPRequestHandler) -> list[str]:
    """Problems of how a request was sent: every one is a signed JSON 1.1 request for Glue."""
    headers = request.headers
    checks = {
        f"path {request.path!r} is not /": request.path == "/",
        f"content type {headers.get('Content-Type')!r}": headers.get("Content-Type") == _CONTENT_TYPE,
        f"target {headers.get('X-Amz-Target')!r}": headers.get("X-Amz-Target", "").startswith(_TARGET),
        "not signed for glue": f"/{REGION}/glue/aws4_request" in headers.get("Authorization", ""),
    }
    return [wrong for wrong, right in checks.items() if not right]
