"""Asynchronous invocations of Lambda functions: journal entries to the Logger, and resumes to this function itself."""

from __future__ import annotations

import json
import logging

from botocore.exceptions import BotoCoreError, ClientError

from agent.errors import UnavailableError
from tools.aws.client_errors import error_code, explain, translated
from tools.aws.clients import AwsClients
from tools.local.journal import journal_entry

_log = logging.getLogger("datamorph.journal")

_JOURNAL_TRIES = 2
"""Requests for one entry; few, because a journal that does not answer must not delay the run."""


class LambdaJournal:
    """A Journal that invokes a function asynchronously: `{"run_id", "log_entry": {…}}`."""

    def __init__(self, clients: AwsClients, function: str) -> None:
        self._clients = clients
        self._function = function
        self._logged_kinds: set[str] = set()

    def write(self, run_id: str, kind: str, title: str, description: str = "", **metadata: object) -> None:
        """Send one entry; a failure is logged, once for each kind, and does not fail the run."""
        payload = journal_entry(run_id, kind, title, description, metadata).encode()
        try:
            client = self._clients.get("lambda", tries=_JOURNAL_TRIES)
            client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
        except ClientError as error:
            self._log_failure(run_id, error_code(error), self._explained(error))
        except BotoCoreError as error:
            self._log_failure(run_id, type(error).__name__, self._explained(error))
        except UnavailableError as error:
            self._log_failure(run_id, type(error).__name__, str(error))

    def _explained(self, error: ClientError | BotoCoreError) -> str:
        remedy = "create the function, or name another one with DATAMORPH_LOGGER_FUNCTION"
        advice = {"ResourceNotFoundException": remedy}
        return explain(error, f"function {self._function}", self._clients.region, advice)

    def _log_failure(self, run_id: str, kind: str, reason: str) -> None:
        if kind not in self._logged_kinds:
            self._logged_kinds.add(kind)
            _log.warning("journal.write_failed", extra={"run_id": run_id, "reason": reason})


class LambdaWaker:
    """A Waker that resumes each run in an asynchronous invocation of one function."""

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
