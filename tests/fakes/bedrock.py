"""A small Bedrock on loopback: it speaks InvokeModel over real HTTP and answers from a list."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    """True: the answer is sent only when the server closes."""
    dropped: bool = False
    """True: the connection is closed without an answer."""


def reply(text: str, *, stop_reason: str = "end_turn", tokens: tuple[int, int] = (0, 0)) -> Answer:
    """A reply of the model; the token counts go into the headers, where Bedrock puts them."""
    counts = {
        "x-amzn-bedrock-input-token-count": str(tokens[0]),
        "x-amzn-bedrock-output-token-count": str(tokens[1]),
    }
    body = {"content": [{"type": "text", "text": text}], "stop_reason": stop_reason}
    return Answer(200, body, counts)


def refusal(status: int, error: str, message: str = "no") -> Answer:
    """An AWS error: its name is in a header, its message in the body."""
    return Answer(status, {"message": message}, {"x-amzn-ErrorType": error})


@dataclass
class FakeBedrock:
    """The server's answers, of which the last one repeats, and the requests that it got."""

    answers: list[Answer]
    endpoint_url: str = ""
    models: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def fake_bedrock(*answers: Answer) -> Iterator[FakeBedrock]:
    """A Bedrock that listens on 127.0.0.1 while the context lasts."""
    bedrock = FakeBedrock(list(answers))
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer InvokeModel: `POST /model/{model id}/invoke`."""
            _, kind, model, action = self.path.split("/")
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bedrock.models.append(unquote(model))
            bedrock.bodies.append(body)
            answer = bedrock.answers[min(len(bedrock.bodies), len(bedrock.answers)) - 1]
            if (kind, action) != ("model", "invoke"):
                answer = refusal(404, "UnknownOperationException")
            if answer.held:
                closing.wait(timeout=30)
            if not answer.dropped:
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            content = json.dumps(answer.body).encode()
            try:
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except BrokenPipeError:
                # The caller of a held answer has gone.
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        bedrock.endpoint_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield bedrock
        finally:
            closing.set()
            server.shutdown()
            thread.join()
