"""Looking at what boto3 sends, and answering in the service's place where moto's server never would."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError


class Body(io.BytesIO):
    """An answer's body as urllib3 has it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """All at once."""
        yield self.read()


@contextmanager
def requests(client: Any, operation: str) -> Iterator[list[Any]]:
    """The requests of an operation that a client sends meanwhile."""
    sent: list[Any] = []
    with _hooked(client, operation, lambda request, **_: sent.append(request)):
        yield sent


@contextmanager
def answers_lost(client: Any, operation: str, times: int = 1) -> Iterator[list[Any]]:
    """Let requests through and lose the answers of the first ones, as on a time-out; gives those requests."""
    lost: list[Any] = []

    def before_send(request: Any, **_: object) -> None:
        if len(lost) < times:
            lost.append(request)
            client._endpoint.http_session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    with _hooked(client, operation, before_send):
        yield lost


@contextmanager
def overtaken(client: Any, operation: str, act: Callable[[], object]) -> Iterator[None]:
    """Let another process act right before the first request of an operation is sent."""
    acted: list[bool] = []

    def before_send(**_: object) -> None:
        if not acted:
            acted.append(True)
            act()

    with _hooked(client, operation, before_send):
        yield
    assert acted


@contextmanager
def refused(client: Any, operation: str, status: int, code: str, message: str = "no") -> Iterator[None]:
    """Answer every request of an operation with an error, in the service's own format."""
    if client.meta.service_model.protocol == "rest-xml":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    else:
        body = json.dumps({"__type": code, "message": message})
    with answered(client, operation, status, body):
        yield


@contextmanager
def answered(client: Any, operation: str, status: int, body: str, times: int | None = None) -> Iterator[None]:
    """Answer the first requests of an operation, or every one."""
    count = itertools.count()

    def before_send(request: Any, **_: object) -> AWSResponse | None:
        if times is not None and next(count) >= times:
            return None
        return AWSResponse(request.url, status, {}, Body(body.encode()))

    with _hooked(client, operation, before_send):
        yield


@contextmanager
def cut(client: Any, operation: str) -> Iterator[None]:
    """Give the first half of every answer's body, under the length that the whole has."""

    def before_send(request: Any, **_: object) -> AWSResponse:
        return cut_answer(client._endpoint.http_session.send(request))

    with _hooked(client, operation, before_send):
        yield


def cut_answer(answer: AWSResponse) -> AWSResponse:
    """The first half of an answer's body, under the length that the whole has."""
    content = answer.content
    headers = {**answer.headers, "content-length": str(len(content))}
    return AWSResponse(answer.url, answer.status_code, headers, Body(content[: len(content) // 2]))


@contextmanager
def _hooked(client: Any, operation: str, handler: Any) -> Iterator[None]:
    event = f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, handler)
    try:
        yield
    finally:
        client.meta.events.unregister(event, handler)
