"""The production door: an AWS Lambda function that starts runs, acts on them, and wakes them.

It takes an event with `specs`; `{"run_id", "action": "status|resume|cancel"}`; a `Glue Job State Change` of
EventBridge; `{"action": "sweep"}`; and `{"action": "doctor"}`. The answer is the same from every door.
"""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

# Read by langgraph at its first import: without it a forged checkpoint runs code when it is loaded.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from langgraph.runtime import RunControl

# bootstrap imports these two when it needs them; here they are loaded while the function initialises.
import graph.checkpoints.dynamodb  # noqa: F401
import tools.aws_toolbox  # noqa: F401
from agent.errors import DatamorphError
from agent.names import is_run_id
from agent.redaction import redact
from agent.run_status import is_open
from agent.settings import load_settings
from bootstrap import open_service
from graph.response import Response
from runs.accept import run_id_of
from runs.actions import Actions
from runs.dispatch import answer
from runs.refused_request import refusal
from runs.respond import reason, respond, unavailable
from tools.aws.announcer import EventBridgeAnnouncer
from tools.aws.clients import AwsClients
from tools.aws.configuration import aws_settings, settings_to_examine
from tools.aws.invocations import LambdaWaker

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from runs.service import Service

DEFAULTS = {"engine": "glue", "model": "bedrock", "home": "/tmp/datamorph"}
"""Defaults of this door, in place of the settings' own."""
_ENVIRONMENT_OF_EVENTS = ("AWS_REGION", "AWS_DEFAULT_REGION", "DATAMORPH_REGION", "DATAMORPH_EVENT_BUS")
"""Variables for which every value is valid: events can be sent even when other settings are wrong."""
MARGIN_SECONDS = 60.0
"""Reserve at the end of an invocation: a step that would begin with less time is left to the next one."""

logger = Logger(service="datamorph")


def handler(event: object, context: LambdaContext) -> Response:
    """Answer one input. Every error becomes a response."""
    logger.structure_logs(append=False, function_request_id=context.aws_request_id, run_id=run_id_of(event))
    try:
        response = _answer(event, context)
    except DatamorphError as error:
        # Errors of the event are answered by now: this is a setting or a service, and no caller can mend it.
        response = unavailable(error, run_id_of(event))
    except Exception as error:
        # The one broad catch of this door. The log's trace is redacted: it repeats values, and with them secrets.
        logger.error("handler.failed", trace=redact(traceback.format_exc(), _door.secrets()))
        response = respond(error, run_id_of(event), _door.secrets())
    status = response["body"]["execution_status"]
    logger.info("handler.answered", status_code=response["statusCode"], execution_status=status, **_refusal(response))
    _tell(event, response, context)
    if response["statusCode"] == 503:
        # A secret may have been rotated or a role changed: the next invocation reads the settings anew.
        _door.close()
    return response


def _refusal(response: Response) -> dict[str, Any]:
    """Log fields of a refusal, reason and service: the answer of an asynchronous invocation reaches nobody."""
    told = reason(response, _door.secrets()) if response["statusCode"] >= 400 else ""
    service = cast(Mapping[str, object], response["body"]).get("service")
    return ({"reason": told} if told else {}) | ({"refused_by": service} if service else {})


def _tell(event: object, response: Response, context: LambdaContext) -> None:
    """Send the event of a refused start; a failure to send it does not change the answer."""
    try:
        told = refusal(event, response, context.aws_request_id, _door.secrets())
        if told is not None and not (told.statusCode == 503 and _door.goes_on(told.run_id)):
            with _door.events() as (clients, bus):
                EventBridgeAnnouncer(clients, bus).tell_refusal(told)
    except Exception:
        logger.error("refusal.failed", trace=redact(traceback.format_exc(), _door.secrets()))


def _answer(event: object, context: LambdaContext) -> Response:
    with _deadline(context) as control:
        if isinstance(event, dict) and event.get("action") == "doctor":
            from tools.doctor.aws_services import examined

            return cast(Response, examined(settings_to_examine({}, os.environ, DEFAULTS)))
        service, clients = _door.open(context)
        waker = LambdaWaker(clients, context.invoked_function_arn)
        return answer(Actions(service, waker, control), event)


@contextmanager
def _deadline(context: LambdaContext) -> Iterator[RunControl]:
    """A control that asks the run to suspend while there is still time to record its progress."""
    control = RunControl()
    left = context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS
    timer = threading.Timer(max(left, 0.0), control.request_drain, ["deadline"])
    timer.daemon = True
    timer.start()
    try:
        yield control
    finally:
        timer.cancel()


@dataclass
class _Door:
    """Service and clients that a process keeps between invocations."""

    stack: ExitStack
    kept: tuple[Service, AwsClients] | None = None
    context: LambdaContext | None = None

    def open(self, context: LambdaContext) -> tuple[Service, AwsClients]:
        """Open the service and its clients at the first invocation, and return them."""
        self.context = context
        if self.kept is None:
            copy_config_to_registered_loggers(source_logger=logger, include={"datamorph"}, log_level=logging.INFO)
            settings = aws_settings({}, os.environ, DEFAULTS)
            clients = self.stack.enter_context(closing(AwsClients(settings.region, settings.account)))
            opened = open_service(settings, clients=clients, lifetime=self._lifetime, seconds_left=self._seconds_left)
            self.kept = self.stack.enter_context(opened), clients
        return self.kept

    def secrets(self) -> list[str]:
        """Passwords to redact from logs, as far as the settings are known."""
        return self.kept[0].secrets() if self.kept else []

    def goes_on(self, run_id: str | None) -> bool:
        """True for an open run: a sweep resumes it and its end is announced. False when that is unknown."""
        if self.kept is None or run_id is None or not is_run_id(run_id):
            return False
        with suppress(DatamorphError):
            record = self.kept[0].tools.ledger.run(run_id)
            return record is not None and is_open(record.status)
        return False

    @contextmanager
    def events(self) -> Iterator[tuple[AwsClients, str]]:
        """Clients and the event bus; without known settings, those of the environment."""
        if self.kept is not None:
            yield self.kept[1], self.kept[0].settings.event_bus
            return
        settings = load_settings({}, {name: os.environ[name] for name in _ENVIRONMENT_OF_EVENTS if name in os.environ})
        with closing(AwsClients(settings.region)) as clients:
            yield clients, settings.event_bus

    def close(self) -> None:
        """Close service and clients."""
        self.stack.close()
        self.kept = None

    def _lifetime(self) -> float:
        """Seconds of a lease: it outlives the invocation that holds it by a minute."""
        return self._remaining() + MARGIN_SECONDS

    def _seconds_left(self) -> float:
        """Seconds for a step: it must end while there is time to record the run's progress."""
        return self._remaining() - MARGIN_SECONDS

    def _remaining(self) -> float:
        left: int = self.context.get_remaining_time_in_millis() if self.context else 900_000
        return left / 1000


_door = _Door(ExitStack())


def close() -> None:
    """Close clients and Spark, as at the end of the process; the next invocation builds them again."""
    _door.close()
