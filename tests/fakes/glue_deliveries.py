"""Where a run of the Glue endpoint reads and leaves things: S3, and the log groups of its Glue version."""

from __future__ import annotations

import contextlib
import functools
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

GROUPS = "/aws-glue/jobs"
_TRACEBACK = "Traceback (most recent call last):"
_BATCH = 1_000
_MESSAGE_CHARACTERS = 200_000


@functools.cache
def _session(region: str) -> Any:
    """One for all endpoints of this process: a new one reads botocore's models anew, for a tenth of a second."""
    import boto3

    return boto3.Session("testing", "testing", region_name=region)


class Deliveries:
    """S3 and CloudWatch Logs behind one address."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        session = _session(region)
        self._s3 = session.client("s3", endpoint_url=endpoint_url)
        self._logs = session.client("logs", endpoint_url=endpoint_url)

    def close(self) -> None:
        """Close the connections."""
        self._s3.close()
        self._logs.close()

    def get(self, uri: str) -> str:
        """The text of an object. Raises botocore's ClientError."""
        where = urlsplit(uri)
        with contextlib.closing(self._s3.get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))["Body"]) as body:
            return str(body.read().decode())

    def put(self, uri: str, content: bytes) -> None:
        """Store an object."""
        where = urlsplit(uri)
        self._s3.put_object(Bucket=where.netloc, Key=where.path.lstrip("/"), Body=content)

    def folder(self, folder: Path, uri: str) -> None:
        """Store every file below a folder, but for the checksums that only a local file system has."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                self.put(f"{uri}{path.relative_to(folder).as_posix()}", path.read_bytes())

    def log(self, job_run_id: str, text: str, glue_version: str) -> None:
        """Store a driver's output as this Glue version does.

        5.x: all of it in `output`. Before: what was printed in `output`, the traceback in `error` and, as continuous
        logging, in `logs-v2`.
        """
        if not glue_version.startswith("4"):
            self._write(f"{GROUPS}/output", f"{job_run_id}-driver", text)
            return
        printed, found, trace = text.partition(_TRACEBACK)
        self._write(f"{GROUPS}/output", job_run_id, printed)
        if found:
            self._write(f"{GROUPS}/error", job_run_id, found + trace)
            self._write(f"{GROUPS}/logs-v2", f"{job_run_id}-driver", f"ERROR [main] Error from Python:{found}{trace}")

    def _write(self, group: str, stream: str, text: str) -> None:
        lines = [line[:_MESSAGE_CHARACTERS] for line in text.splitlines() if line]
        if not lines:
            return
        _once(self._logs.create_log_group, logGroupName=group)
        _once(self._logs.create_log_stream, logGroupName=group, logStreamName=stream)
        now = int(time.time() * 1000)
        for start in range(0, len(lines), _BATCH):
            events = [{"timestamp": now, "message": line} for line in lines[start : start + _BATCH]]
            self._logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def _once(create: Any, **names: str) -> None:
    """Create what may be there already."""
    from botocore.exceptions import ClientError

    try:
        create(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
