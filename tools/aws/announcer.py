"""Completion events on EventBridge: `DataMorph Run State Change`, for whoever has a rule for them."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

from botocore.exceptions import ClientError

from agent.errors import UnavailableError
from tools.aws.clients import AwsClients
from tools.aws.errors import CREDENTIAL_CODES, THROTTLING_CODES, error_code, status_of, translated
from tools.records import RunEnded

_log = logging.getLogger("datamorph.announcer")

SOURCE = "datamorph"
DETAIL_TYPE = "DataMorph Run State Change"
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
            reason, passes = self._refusal(ended)
        except UnavailableError as error:
            reason, passes = str(error), _passes(error.__cause__)
        if reason:
            _log.warning("announce.failed", extra={"run_id": ended.run_id, "reason": reason})
        return not passes

    def _refusal(self, ended: RunEnded) -> tuple[str, bool]:
        """Why the bus did not take the event, and whether that may pass; empty when it took it."""
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(asdict(ended)),
            "EventBusName": self._bus,
        }
        remedy = "create the bus, or name another one with DATAMORPH_EVENT_BUS"
        advice = {"ResourceNotFoundException": remedy}
        with translated("events", f"event bus {self._bus}", self._clients.region, advice):
            answer = self._clients.get("events").put_events(Entries=[entry])
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
