"""Resuming a run in an invocation of its own: this function, called by itself."""

from __future__ import annotations

import json

from tools.aws.client_errors import translated
from tools.aws.clients import AwsClients


class LambdaWaker:
    """A Waker that invokes one function asynchronously."""

    def __init__(self, clients: AwsClients, function: str) -> None:
        self._clients = clients
        self._function = function

    def wake(self, run_id: str) -> None:
        """Ask for the run to be resumed; returns at once. Raises UnavailableError."""
        payload = json.dumps({"run_id": run_id, "action": "resume"}).encode()
        advice = {
            "AccessDeniedException": f"grant lambda:InvokeFunction on {self._function} to the function's own role"
        }
        with translated("lambda", f"function {self._function}", self._clients.region, advice):
            client = self._clients.get("lambda")
            client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
