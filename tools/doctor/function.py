"""A deployed function looks at what it needs, from inside its network and with its own role."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from agent.errors import UnavailableError
from agent.redaction import clip, redact
from tools.aws.client_errors import translated
from tools.aws.clients import AwsClients
from tools.doctor.check import Check

_READ_SECONDS = 180.0
"""A cold start, and time-outs of everything that cannot be reached."""


def examine_function(name: str, region: str) -> list[Check]:
    """The checks of a function; its own settings count. Raises UnavailableError when it cannot be asked."""
    what = f"Lambda function {name}"
    advice = {"ResourceNotFoundException": "deploy it first, or check its name and --region"}
    with closing(AwsClients(region)) as clients:
        client = clients.get("lambda", tries=1, read_seconds=_READ_SECONDS)
        with translated("lambda", what, region, advice):
            answer = client.invoke(FunctionName=name, Payload=json.dumps({"action": "doctor"}).encode())
            body = answer["Payload"].read().decode("utf-8", errors="replace")
    return _checks(what, answer, body)


def _checks(what: str, answer: dict[str, Any], body: str) -> list[Check]:
    if "FunctionError" in answer:
        told = f"{what} fails: {clip(redact(body), 500)}; look into its log group, /aws/lambda/…"
        raise UnavailableError("lambda", told)
    try:
        response = json.loads(body)
        told = response["body"].get("checks")
        if told is None:
            raise UnavailableError("lambda", f"{what}: {response['body'].get('message', clip(body, 500))}")
        return [Check(**found) for found in told]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{what} does not answer as this project's function does: {clip(redact(body), 200)!r}"
        raise UnavailableError("lambda", message) from error
