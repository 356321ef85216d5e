"""boto3 clients: made at the first use, one for each service, and shared."""

from __future__ import annotations

import functools
import threading
from typing import Any

from tools.aws.errors import translated

_CONNECT_SECONDS = 5
_READ_SECONDS = 30.0
_TRIES = 4


def new_session(region: str | None) -> Any:
    """A boto3 session with credentials of its own; None: boto3 looks for the region too.

    What boto3 knows of the services is read once for all sessions of the process: 25 MB and half a second.
    """
    import boto3
    import botocore.session

    core = botocore.session.get_session()
    core.register_component("data_loader", _loader())
    return boto3.Session(botocore_session=core, region_name=region)


@functools.cache
def _loader() -> Any:
    from botocore.loaders import create_loader

    return create_loader()


class AwsClients:
    """The clients of one region; addresses may be replaced by `AWS_ENDPOINT_URL_…`, as boto3 reads them."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._made: dict[tuple[str, int, float], Any] = {}
        self._lock = threading.Lock()
        self._session: Any = None

    def get(self, service: str, *, tries: int = _TRIES, read_seconds: float = _READ_SECONDS) -> Any:
        """The client of a service; a request that fails for a passing reason is sent `tries` times at most.

        An answer is waited for `read_seconds`. Raises UnavailableError for a configuration that boto3 cannot use.
        """
        with self._lock:
            made = self._made.get((service, tries, read_seconds))
            if made is None:
                made = self._made[service, tries, read_seconds] = self._client(service, tries, read_seconds)
            return made

    def close(self) -> None:
        """Close all connections; the next use makes new ones."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    @property
    def session(self) -> Any:
        """The boto3 session that all clients share: credentials are looked up once."""
        if self._session is None:
            self._session = new_session(self.region)
        return self._session

    def _client(self, service: str, tries: int, read_seconds: float) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": tries},
            tcp_keepalive=True,
        )
        with translated(service, f"a client for {service}", self.region):
            return self.session.client(service, config=config)
