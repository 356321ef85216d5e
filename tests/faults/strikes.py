"""Faults at the wire of boto3's clients: one logical call is struck, with all tries that boto3 makes of it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.fakes.wire import Body, cut_answer
from tests.faults.forked import die

Kind = Literal["killed before", "killed after", "answer lost once", "answers lost", "refused", "no endpoint", "broken"]


@dataclass(frozen=True)
class Strike:
    """A fault at one call of this process."""

    kind: Kind
    code: str = ""
    """AWS's name of the error, for a refusal."""
    status: int = 400
    reasons: tuple[str, ...] = ()
    """Reasons of a cancelled transaction, one for each item."""
    operation: str = ""
    """As `dynamodb.PutItem`."""
    call: int = 0
    """The how-manieth of the operation, counted from 1: those of others come now before it, now after it."""

    @property
    def kills(self) -> bool:
        """Whether the process dies of it."""
        return self.kind.startswith("killed")

    def at(self, operation: str, call: int) -> Strike:
        """The same at a call."""
        return replace(self, operation=operation, call=call)

    def __str__(self) -> str:
        reasons = f" ({', '.join(self.reasons)})" if self.reasons else ""
        told = f" with {self.status} {self.code}" if self.code else ""
        return f"{self.operation} {self.call} {self.kind}{told}{reasons}"


@dataclass
class Wire:
    """The calls of this process's clients in order, and the one that is struck."""

    calls: list[str] = field(default_factory=list)
    """As `dynamodb.PutItem`."""
    strike: Strike | None = None
    struck: bool = False
    """Whether the call that is struck has come."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _now: threading.local = field(default_factory=threading.local)
    """State of this thread: several ask at once."""

    def watch(self, client: Any) -> Any:
        """Watch a client; gives it back."""
        client.meta.events.register("before-call", self._called)
        client.meta.events.register("before-send", lambda **sent: self._strike_at(client, **sent))
        return client

    def _called(self, model: Any, **_: object) -> None:
        operation = f"{model.service_model.service_name}.{model.name}"
        with self._lock:
            self.calls.append(operation)
            number = self.calls.count(operation)
        self._now.struck = self.strike is not None and (operation, number) == (self.strike.operation, self.strike.call)
        self._now.tries = 0

    def _strike_at(self, client: Any, request: Any, **_: object) -> AWSResponse | None:
        self._now.tries += 1
        strike = self.strike
        if strike is None or not self._now.struck:
            return None
        self.struck = True
        if strike.kind == "killed before":
            die()
        if strike.kind == "killed after":
            client._endpoint.http_session.send(request)
            die()
        if strike.kind == "answers lost" or (strike.kind == "answer lost once" and self._now.tries == 1):
            client._endpoint.http_session.send(request)
            raise ReadTimeoutError(endpoint_url=request.url)
        if strike.kind == "no endpoint":
            raise EndpointConnectionError(endpoint_url=request.url)
        if strike.kind == "broken":
            return cut_answer(client._endpoint.http_session.send(request))
        return _refusal(client, request, strike) if strike.kind == "refused" else None


def _refusal(client: Any, request: Any, strike: Strike) -> AWSResponse:
    """An error in the service's own format."""
    told = f"{strike.code} by the test"
    headers = {"x-amzn-ErrorType": strike.code, "x-amzn-RequestId": "0"}
    if client.meta.service_model.protocol == "rest-xml":
        body = f"<Error><Code>{escape(strike.code)}</Code><Message>{told}</Message></Error>"
    else:
        reasons = {"CancellationReasons": [{"Code": reason} for reason in strike.reasons]} if strike.reasons else {}
        body = json.dumps({"__type": strike.code, "message": told, **reasons})
    return AWSResponse(request.url, strike.status, headers, Body(body.encode()))
