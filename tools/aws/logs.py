"""The output of a Glue job run's driver, from CloudWatch Logs.

Glue 5.x writes what a script prints, with its traceback, to `output`, and Spark's own log to `error`; Glue 4.0 writes
what it prints to `output`, and its traceback to `logs-v2` (continuous logging) and to `error`.
https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from agent.redaction import mask_secrets
from tools.aws.client_errors import error_code, translated
from tools.aws.clients import AwsClients
from tools.ports import Clock

MAX_CHARACTERS = 20_000
GROUPS = "/aws-glue/jobs"
"""Prefix of the log groups of a job that names none."""
_LAG_SECONDS = (1.0, 2.0, 4.0)
"""Waits in seconds between looks for a failed run's log, which arrives some seconds after the run's end."""
_GRANT = {
    "AccessDeniedException": "grant logs:DescribeLogStreams and logs:GetLogEvents on /aws-glue/jobs/*",
}


class GlueLogs:
    """Reads job runs' logs and removes the secrets that `secrets` gives."""

    def __init__(self, clients: AwsClients, clock: Clock, secrets: Callable[[], Iterable[str]] = tuple) -> None:
        self._clients = clients
        self._clock = clock
        self._secrets = secrets

    def tail(self, job_run_id: str, groups: str, glue_version: str, failed: bool) -> str:
        """The log's last whole lines without the secrets, at most 20,000 characters; empty when there is none.

        `groups` is the run's LogGroupName. Raises UnavailableError when the logs must not be read.
        """
        for seconds in (0.0, *(_LAG_SECONDS if failed else ())):
            self._clock.sleep(seconds)
            if parts := self._parts(job_run_id, groups, glue_version):
                return _fair_tails(parts, MAX_CHARACTERS)
        return ""

    def _parts(self, job_run_id: str, groups: str, glue_version: str) -> list[str]:
        """The texts of the log groups that exist, the most informative last.

        `error` is read only without `logs-v2`, which holds the same without Spark's noise.
        """
        system = self._group(job_run_id, f"{groups}/logs-v2") if glue_version.startswith("4") else ""
        system = system or self._group(job_run_id, f"{groups}/error")
        return [part for part in (system, self._group(job_run_id, f"{groups}/output")) if part]

    def _group(self, job_run_id: str, group: str) -> str:
        with translated("logs", f"log group {group}", self._clients.region, _GRANT):
            try:
                return "".join(self._stream(group, name) for name in self._streams(group, job_run_id))
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return ""
                raise

    def _streams(self, group: str, job_run_id: str) -> list[str]:
        """Names of the driver's streams; without one, of all the run's streams."""
        pages = self._clients.get("logs").get_paginator("describe_log_streams")
        found = pages.paginate(logGroupName=group, logStreamNamePrefix=job_run_id).search("logStreams[].logStreamName")
        names = [name for name in found if name is not None]
        drivers = [name for name in names if name == job_run_id or name.startswith(f"{job_run_id}-driver")]
        return drivers or names

    def _stream(self, group: str, name: str) -> str:
        """The end of a stream, read backwards; pages may be empty before its beginning is reached."""
        client, lines, size, token = self._clients.get("logs"), deque[str](), 0, None
        while size <= MAX_CHARACTERS:
            further: dict[str, Any] = {"nextToken": token} if token else {}
            page = client.get_log_events(logGroupName=group, logStreamName=name, startFromHead=False, **further)
            messages = [event["message"].rstrip("\n") + "\n" for event in page["events"]]
            lines.extendleft(reversed(messages))
            size += sum(map(len, messages))
            if page["nextBackwardToken"] == token:
                break
            token = page["nextBackwardToken"]
        # Secrets are removed before the text is cut: half a secret would not be found.
        return _end(mask_secrets("".join(lines), self._secrets()), MAX_CHARACTERS)


def _fair_tails(parts: list[str], room: int) -> str:
    """The ends of several texts within `room` characters; each gets an equal share, and shorter ones leave theirs."""
    kept: dict[int, str] = {}
    for left, index in enumerate(sorted(range(len(parts)), key=lambda index: len(parts[index]))):
        kept[index] = _end(parts[index], room // (len(parts) - left))
        room -= len(kept[index])
    return "".join(kept[index] for index in range(len(parts)))


def _end(text: str, limit: int) -> str:
    """The last whole lines within a limit; a single line that is longer is cut."""
    if len(text) <= limit:
        return text
    tail = text[-limit:]
    cut = tail.find("\n") + 1
    return tail[cut:] if cut < len(tail) else tail
