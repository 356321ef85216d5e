"""boto3 clients: made at the first use, one for each service, and shared."""

from __future__ import annotations

import functools
import json
import threading
from typing import Any

from tools.aws.client_errors import translated

_CONNECT_SECONDS = 5
_READ_SECONDS = 30.0
_TRIES = 4


def new_session(region: str | None) -> Any:
    """A boto3 session with credentials of its own; None: boto3 looks for the region too.

    All sessions of the process share one loader of service models: loading them takes 25 MB and half a second.
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
    """The clients of one region; addresses may be replaced by `AWS_ENDPOINT_URL_…`, as boto3 reads them.

    Every request to S3 names the account that the bucket must belong to, `account`: bucket names are the world's.
    """

    def __init__(self, region: str, account: str | None = None) -> None:
        self.region = region
        self._account = account
        self._clients: dict[tuple[str, int, float], Any] = {}
        self._lock = threading.Lock()
        self._session: Any = None

    def get(self, service: str, *, tries: int = _TRIES, read_seconds: float = _READ_SECONDS) -> Any:
        """The client of a service; a request that fails for a passing reason is sent `tries` times at most.

        An answer is waited for `read_seconds`. Raises UnavailableError for a configuration that boto3 cannot use.
        """
        with self._lock:
            client = self._clients.get((service, tries, read_seconds))
            if client is None:
                client = self._clients[service, tries, read_seconds] = self._client(service, tries, read_seconds)
            return client

    def close(self) -> None:
        """Close all connections; the next use makes new ones."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    @property
    def session(self) -> Any:
        """The boto3 session that all clients share: credentials are looked up once."""
        if self._session is None:
            self._session = new_session(self.region)
        return self._session

    @property
    def account(self) -> str:
        """The account that owns the bucket: the configured one, else STS's answer for the credentials, asked once.

        Raises UnavailableError.
        """
        if self._account is None:
            remedy = "allow sts:GetCallerIdentity, or set DATAMORPH_ACCOUNT to the account's number"
            advice = dict.fromkeys(("AccessDenied", "AccessDeniedException"), remedy)
            with translated("sts", "the account of the credentials", self.region, advice):
                self._account = str(self.get("sts").get_caller_identity()["Account"])
        return self._account

    def _client(self, service: str, tries: int, read_seconds: float) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": tries},
            tcp_keepalive=True,
        )
        with translated(service, f"a client for {service}", self.region):
            client = self.session.client(service, config=config)
        client.meta.events.register("after-call", _demand_json)
        client.meta.events.register("provide-client-params.s3", self._name_owner)
        return client

    def _name_owner(self, params: dict[str, Any], model: Any, **_: object) -> None:
        """Add ExpectedBucketOwner to a request, so that S3 refuses a bucket of another account."""
        if "ExpectedBucketOwner" in model.input_shape.members:
            params["ExpectedBucketOwner"] = self.account


def _demand_json(http_response: Any, model: Any, **_: object) -> None:
    """Raise ResponseStreamingError for an answer that is cut off or a proxy's page.

    boto3 would read it as an answer without members, and an existing item would seem missing.
    """
    from botocore.exceptions import ResponseStreamingError

    wanted = model.service_model.protocol in ("json", "rest-json") and not model.has_streaming_output
    if http_response.status_code >= 300 or not wanted:
        return
    try:
        json.loads(http_response.content or "{}")
    except ValueError as error:
        raise ResponseStreamingError(error=f"{model.name}: the answer is no JSON: {error}") from error
