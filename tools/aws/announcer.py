"""Completion events on EventBridge: `DataMorph Run State Change`, for whoever has a rule for them."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

from agent.errors import UnavailableError
from tools.aws.clients import AwsClients
from tools.aws.errors import translated
from tools.records import RunEnded

_log = logging.getLogger("datamorph.announcer")

SOURCE = "datamorph"
DETAIL_TYPE = "DataMorph Run State Change"


class EventBridgeAnnouncer:
    """An Announcer on one bus."""

    def __init__(self, clients: AwsClients, bus: str) -> None:
        self._clients = clients
        self._bus = bus

    def announce(self, ended: RunEnded) -> None:
        """Tell; a bus that refuses is logged and does not fail the run."""
        try:
            reason = self._refusal(ended)
        except UnavailableError as error:
            reason = str(error)
        if reason:
            _log.warning("announce.failed", extra={"run_id": ended.run_id, "reason": reason})

    def _refusal(self, ended: RunEnded) -> str:
        """Why the bus did not take the event; empty when it did."""
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
            return ""
        refused = answer["Entries"][0]
        return f"event bus {self._bus}: {refused.get('ErrorCode', '')}: {refused.get('ErrorMessage', '')}; {remedy}"
