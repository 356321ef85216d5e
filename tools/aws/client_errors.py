"""AWS errors as UnavailableError: one line that names the error and what to grant, create, renew or raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,
    CredentialRetrievalError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    ResponseStreamingError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from agent.errors import UnavailableError
from agent.redaction import redact

CREDENTIAL_CODES = {
    "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId",
    "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
    "InvalidAccessKeyId", "AuthFailure", "RequestExpired",
}  # fmt: skip
CREDENTIAL_ERRORS = (
    NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound, SSOError,
    TokenRetrievalError,
)  # fmt: skip
THROTTLING_CODES = {
    "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
    "ProvisionedThroughputExceededException", "SlowDown",
}  # fmt: skip

AwsError: TypeAlias = ClientError | BotoCoreError | ResponseParserError
"""Every error that boto3 raises for a call; ResponseParserError: the answer is no XML, or no answer of the service."""

GIVE_CREDENTIALS = "give AWS credentials: `aws configure`, `aws sso login`, AWS_PROFILE, or a role"
RENEW_CREDENTIALS = "the AWS credentials are expired or not valid: renew them (`aws sso login`, `aws configure`)"


@contextmanager
def translated(service: str, what: str, region: str, advice: dict[str, str] | None = None) -> Iterator[None]:
    """Turn boto3's errors into UnavailableError; `what` names the thing asked for, as `bucket dmbckt`.

    `advice` maps error codes of this call to the remedy; common codes have one here.
    """
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise UnavailableError(service, explain(error, what, region, advice)) from error


def explain(error: AwsError, what: str, region: str, advice: dict[str, str] | None = None) -> str:
    """The message for an AWS error: the thing asked for, AWS's own words and the remedy."""
    if isinstance(error, ClientError):
        code = error_code(error)
        hint = (advice or {}).get(code) or _advice(code, error.operation_name)
        return f"{what} in {region}: {code}: {error_message(error)}; {hint}"
    return f"{what} in {region}: {redact(str(error)).rstrip('. ')}; {_local_advice(error)}"


def error_code(error: ClientError) -> str:
    """AWS's name for the error, as `AccessDeniedException`."""
    details: Any = error.response.get("Error", {})
    return str(details.get("Code", ""))


def error_message(error: ClientError) -> str:
    """AWS's own words, without secrets."""
    details: Any = error.response.get("Error", {})
    return redact(str(details.get("Message") or error)).rstrip(". ")


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer."""
    metadata: Any = error.response.get("ResponseMetadata", {})
    return int(metadata.get("HTTPStatusCode", 0))


def _advice(code: str, operation: str) -> str:
    if code in CREDENTIAL_CODES:
        return RENEW_CREDENTIALS
    if code.startswith("AccessDenied") or code in ("UnauthorizedOperation", "403", "Forbidden"):
        return f"grant the action of {operation} on it to the credentials in use"
    if code in THROTTLING_CODES:
        return "wait, or raise the service's quota in the Service Quotas console"
    if code.startswith(("NoSuch", "ResourceNotFound", "EntityNotFound")) or code == "404":
        return "create it, or name another one in the configuration"
    return "ask again later; if it stays so, look at https://health.aws.amazon.com/health/status"


def _local_advice(error: BotoCoreError | ResponseParserError) -> str:
    if isinstance(error, CREDENTIAL_ERRORS):
        return GIVE_CREDENTIALS
    if isinstance(error, NoRegionError | InvalidRegionError):
        return "name a region with DATAMORPH_REGION, as us-east-1"
    if isinstance(error, ReadTimeoutError | ConnectionError | ConnectionClosedError):
        return "the endpoint cannot be reached: check the region's name, the network, and in a VPC its endpoints"
    if isinstance(error, ResponseStreamingError | IncompleteReadError | ResponseParserError):
        return "the answer came cut or is not the service's: ask again; if it stays so, look at the proxy in between"
    return "check the AWS configuration (`aws configure list`)"
