"""An AWS Lambda on this machine: it records invocations, and runs the Python functions that a test gives it.

It speaks Invoke as https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html has it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote

Function = Callable[[Any], object]

_PREFIX, _SUFFIX = "/2015-03-31/functions/", "/invocations"


@dataclass(frozen=True)
class Invocation:
    """One call of Invoke."""

    function: str
    """Name or ARN, as it was asked for."""
    kind: str
    """`Event` or `RequestResponse`."""
    payload: Any


class FakeLambda:
    """The service; a context manager, so that no port stays open."""

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self.functions: dict[str, Function | None] = {}
        """By name or ARN; None records only, and a function that is not here is unknown to the service."""
        self.refuse_with: tuple[int, str] | None = None
        """HTTP status and error code of every answer from now on, as `(429, "TooManyRequestsException")`."""
        self.errors: list[BaseException] = []
        """Errors that functions raised."""
        self._running: list[threading.Thread] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def endpoint(self) -> str:
        """For `AWS_ENDPOINT_URL_LAMBDA`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeLambda:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.settle()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def settle(self, seconds: float = 60) -> None:
        """Wait until every asynchronous invocation has ended, those that they made too."""
        while self._running:
            thread = self._running.pop()
            thread.join(seconds)
            assert not thread.is_alive(), f"an invocation still runs after {seconds} s"

    def answer(self, function: str, kind: str, body: bytes) -> tuple[int, str, bytes]:
        """HTTP status, error code and body."""
        if self.refuse_with is not None:
            status, code = self.refuse_with
            return status, code, _message("refused on purpose")
        if function not in self.functions:
            return 404, "ResourceNotFoundException", _message(f"Function not found: {function}")
        payload = json.loads(body or b"{}")
        self.invocations.append(Invocation(function, kind, payload))
        run = self.functions[function]
        if kind == "Event":
            if run is not None:
                self._start(run, payload)
            return 202, "", b""
        return 200, "", json.dumps(run(payload) if run else None).encode()

    def _start(self, function: Function, payload: object) -> None:
        thread = threading.Thread(target=self._run, args=(function, payload), daemon=True)
        self._running.append(thread)
        thread.start()

    def _run(self, function: Function, payload: object) -> None:
        try:
            function(payload)
        except Exception as error:
            self.errors.append(error)


def _message(text: str) -> bytes:
    return json.dumps({"Type": "User", "Message": text}).encode()


def _handler_of(service: FakeLambda) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One HTTP request."""

        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_POST(self) -> None:
            """Invoke."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = unquote(self.path.partition("?")[0])
            if path.startswith(_PREFIX) and path.endswith(_SUFFIX):
                function = path[len(_PREFIX) : -len(_SUFFIX)]
                kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
                status, code, answer = service.answer(function, kind, body)
            else:
                status, code, answer = 404, "UnknownOperationException", _message(f"no such path: {path}")
            self.send_response(status)
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
