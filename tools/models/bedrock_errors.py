"""Bedrock's errors: the number of tries that each is worth, and the remedy to name.

Codes: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html#API_runtime_InvokeModel_Errors
"""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectionError,
    InvalidRegionError,
    NoRegionError,
    ReadTimeoutError,
)

from tools.aws.client_errors import (
    CREDENTIAL_CODES,
    CREDENTIAL_ERRORS,
    GIVE_CREDENTIALS,
    RENEW_CREDENTIALS,
    error_code,
    error_message,
    status_of,
)

TRIES = 3

_TRANSIENT = {"ThrottlingException", "TooManyRequestsException", "ModelNotReadyException", "ModelErrorException"}


def tries_worth(error: ClientError | BotoCoreError) -> int:
    """Total tries that an error is worth: 1, 2 or 3.

    A model time-out (408) and a broken connection may have been billed: one retry. A read time-out is not retried: the
    model goes on writing, and billing, a reply that nobody reads.
    """
    if isinstance(error, ClientError):
        if error_code(error) == "ModelTimeoutException":
            return 2
        status = status_of(error)
        return TRIES if error_code(error) in _TRANSIENT or status == 429 or status >= 500 else 1
    if isinstance(error, ConnectionClosedError):
        return 2
    return TRIES if isinstance(error, ConnectionError) else 1


def explain(error: ClientError | BotoCoreError, model_id: str, region: str, timeout_seconds: float) -> str:
    """The message for an error: model, AWS's own words and the remedy."""
    where = f"model {model_id} in {region or 'no region'}"
    if isinstance(error, ClientError):
        return f"{where}: {error_code(error)}: {error_message(error)}; {_advice(error, model_id, region)}"
    return f"{where}: {str(error).rstrip('. ')}; {_local_advice(error, timeout_seconds)}"


def _advice(error: ClientError, model_id: str, region: str) -> str:
    code = error_code(error)
    if code in CREDENTIAL_CODES:
        return RENEW_CREDENTIALS
    if code.startswith("AccessDenied"):
        return (
            f"grant model access in the Bedrock console for {model_id} in {region}, "
            "and bedrock:InvokeModel on it to the credentials in use"
        )
    if code in ("ValidationException", "ResourceNotFoundException"):
        return (
            f"check the model id and the region: `aws bedrock list-inference-profiles --region {region}` lists what "
            "there is, and --model bedrock:MODEL_ID chooses"
        )
    if code == "ServiceQuotaExceededException" or status_of(error) == 429:
        return f"wait, or raise the model's quota in {region} in the Service Quotas console"
    if code == "ModelTimeoutException":
        return "the model took too long: ask again, or lower max_tokens"
    return "Bedrock failed on its side: ask again later (https://health.aws.amazon.com/health/status)"


def _local_advice(error: BotoCoreError, timeout_seconds: float) -> str:
    if isinstance(error, CREDENTIAL_ERRORS):
        return GIVE_CREDENTIALS
    if isinstance(error, NoRegionError | InvalidRegionError):
        return "name a region that has the model with --region, as us-east-1"
    if isinstance(error, ReadTimeoutError):
        return f"no reply within {timeout_seconds:g} s: raise DATAMORPH_MODEL_TIMEOUT_SECONDS or lower max_tokens"
    if isinstance(error, ConnectionError | ConnectionClosedError):
        return "the endpoint cannot be reached: check the network, the proxy and the region"
    return "check the AWS configuration (`aws configure list`)"
