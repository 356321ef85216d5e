"""Faults at the wire of boto3's clients: one logical call is struck, with all tries that boto3 makes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.aws.wire import Body, cut_answer
from tests.faults.forked import die

Kind = Literal["killed before", "killed after", "answer lost once", "answers lost", "refused", "no endpoint", "broken"]


@dataclass(frozen=True)
class Strike:
    """What befalls the so-manieth call that this process makes, counted from 1."""

    call: int
    kind: Kind
    code: str = ""
    """Of a refusal: AWS's name of the error."""
    status: int = 400
    reasons: tuple[str, ...] = ()
    """Of a cancelled transaction, one for each item."""

    @property
    def kills(self) -> bool:
        """Whether the process dies of it."""
        return self.kind.startswith("killed")

    def at(self, call: int) -> Strike:
        """The same at another call."""
        return replace(self, call=call)

    def __str__(self) -> str:
        reasons = f" ({', '.join(self.reasons)})" if self.reasons else ""
        return f"call {self.call} {self.kind}{f' with {self.status} {self.code}' if self.code else ''}{reasons}"


@dataclass
class Wire:
    """The calls of this process's clients in order, and the one that is struck."""

    calls: list[str] = field(default_factory=list)
    """As `dynamodb.PutItem`."""
    strike: Strike | None = None
    _tries: int = 0

    def watch(self, client: Any) -> Any:
        """Watch a client; gives it back."""
        client.meta.events.register("before-call", self._called)
        client.meta.events.register("before-send", lambda **sent: self._strike_at(client, **sent))
        return client

    def _called(self, model: Any, **_: object) -> None:
        self.calls.append(f"{model.service_model.service_name}.{model.name}")
        self._tries = 0

    def _strike_at(self, client: Any, request: Any, **_: object) -> AWSResponse | None:
        self._tries += 1
        strike = self.strike
        if strike is None or len(self.calls) != strike.call:
            return None
        if strike.kind == "killed before":
            die()
        if strike.kind == "killed after":
            client._endpoint.http_session.send(request)
            die()
        if strike.kind == "answers lost" or (strike.kind == "answer lost once" and self._tries == 1):
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
