"""Events on EventBridge, for whoever has a rule for them.

`DataMorph Run State Change`: a run has ended. `DataMorph Request Refused`: a start was not taken.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError

from agent.errors import UnavailableError
from tools.aws.client_errors import CREDENTIAL_CODES, THROTTLING_CODES, error_code, status_of, translated
from tools.aws.clients import AwsClients
from tools.records import RequestRefused, RunEnded

_log = logging.getLogger("datamorph.announcer")

SOURCE = "datamorph"
ENDED = "DataMorph Run State Change"
REFUSED = "DataMorph Request Refused"
_REFUSAL_TRIES, _REFUSAL_SECONDS = 2, 5.0
"""For telling of a refusal, while its caller waits for the answer."""
_PASSING = THROTTLING_CODES | CREDENTIAL_CODES | {"InternalException", "InternalFailure"}
"""Codes of a refusal, of the request or of its one entry, that are gone some time later."""


class EventBridgeAnnouncer:
    """An Announcer on one bus."""

    def __init__(self, clients: AwsClients, bus: str) -> None:
        self._clients = clients
        self._bus = bus

    def announce(self, ended: RunEnded) -> bool:
        """Tell; a bus that refuses is logged and does not fail the run. False when it may take the event later."""
        try:
            reason, passes = self._put(self._clients.get("events"), ENDED, asdict(ended))
        except UnavailableError as error:
            reason, passes = str(error), _passes(error.__cause__)
        if reason:
            _log.warning("announce.failed", extra={"run_id": ended.run_id, "reason": reason})
        return not passes

    def tell_refusal(self, refused: RequestRefused) -> None:
        """Tell once that a start was refused; a bus that does not take it is logged."""
        try:
            client = self._clients.get("events", tries=_REFUSAL_TRIES, read_seconds=_REFUSAL_SECONDS)
            reason, _ = self._put(client, REFUSED, asdict(refused))
        except UnavailableError as error:
            reason = str(error)
        if reason:
            _log.warning("refusal.untold", extra={"run_id": refused.run_id, "reason": reason})

    def _put(self, client: Any, detail_type: str, detail: dict[str, Any]) -> tuple[str, bool]:
        """Why the bus did not take the event, and whether that may pass; empty when it took it."""
        entry = {
            "Source": SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "EventBusName": self._bus,
        }
        remedy = "create the bus, or name another one with DATAMORPH_EVENT_BUS"
        advice = {"ResourceNotFoundException": remedy}
        with translated("events", f"event bus {self._bus}", self._clients.region, advice):
            answer = client.put_events(Entries=[entry])
        if not answer["FailedEntryCount"]:
            return "", False
        refused = answer["Entries"][0]
        code = refused.get("ErrorCode", "")
        reason = f"event bus {self._bus}: {code}: {refused.get('ErrorMessage', '')}; {remedy}"
        return reason, code in _PASSING


def _passes(error: BaseException | None) -> bool:
    """Whether a later try may succeed: there was no answer, or one that blames the service, the load or the hour."""
    if not isinstance(error, ClientError):
        return True
    return status_of(error) >= 500 or error_code(error) in _PASSING
