"""EventBridge events: `DataMorph Run State Change` for an ended run, `DataMorph Request Refused` for a start."""

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
"""Tries and read time-out in seconds of a refusal's event. They are small because the caller of the start waits."""
_TRANSIENT_CODES = THROTTLING_CODES | CREDENTIAL_CODES | {"InternalException", "InternalFailure"}
"""Error codes, of the request or of its one entry, after which the run's end is announced again later."""


class EventBridgeAnnouncer:
    """An Announcer on one bus."""

    def __init__(self, clients: AwsClients, bus: str) -> None:
        self._clients = clients
        self._bus = bus

    def announce(self, ended: RunEnded) -> bool:
        """Send the event; the bus's refusal is logged and does not fail the run. False when a later try may succeed."""
        try:
            reason, transient = self._put(self._clients.get("events"), ENDED, asdict(ended))
        except UnavailableError as error:
            reason, transient = str(error), _is_transient(error.__cause__)
        if reason:
            _log.warning("announce.failed", extra={"run_id": ended.run_id, "reason": reason})
        return not transient

    def tell_refusal(self, refused: RequestRefused) -> None:
        """Send the event of a refused start once; a refusal of the bus is logged."""
        try:
            client = self._clients.get("events", tries=_REFUSAL_TRIES, read_seconds=_REFUSAL_SECONDS)
            reason, _ = self._put(client, REFUSED, asdict(refused))
        except UnavailableError as error:
            reason = str(error)
        if reason:
            _log.warning("refusal.untold", extra={"run_id": refused.run_id, "reason": reason})

    def _put(self, client: Any, detail_type: str, detail: dict[str, Any]) -> tuple[str, bool]:
        """Send one event. Returns the bus's refusal (empty when it took the event) and True for a transient one."""
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
        return reason, code in _TRANSIENT_CODES


def _is_transient(error: BaseException | None) -> bool:
    """True when a later try may succeed: no answer came, or the error is the service's own or of a transient code."""
    if not isinstance(error, ClientError):
        return True
    return status_of(error) >= 500 or error_code(error) in _TRANSIENT_CODES
