"""Faults around the function: how each is made, and the words that tell what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.bedrock import refusal
from tests.fakes.glue_faults import Fault
from tests.lambda_handler.scene import CANARY, URL_CANARY, Deployment
from tools.fakes import PlannedRun

Break = Callable[[Deployment, pytest.MonkeyPatch], None]


def _no_credentials(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.delenv(name)
    deployment.cold_start()


def _wrong_region(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("AWS_REGION", "us esat 1")
    deployment.cold_start()


def _model_refuses(status: int, code: str, message: str = "no") -> Break:
    def broken(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
        patch.setattr("tools.local.clock.SystemClock.sleep", lambda self, seconds: None)
        deployment.bedrock.answers = [refusal(status, code, message)]

    return broken


def _glue_refuses(operation: str, code: str, message: str) -> Break:
    def broken(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
        deployment.glue.faults.append(Fault(operation, error=code, message=message, times=99))

    return broken


def _bucket_missing(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.configure(bucket="nobodys-bucket")


def _bucket_of_another(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("DATAMORPH_ACCOUNT", "210987654321")
    deployment.cold_start()


def _names_too_long(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.configure(connection="c" * 900)


def _secret_missing(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("DATAMORPH_CONFIG_SECRET", "datamorph/nowhere")
    deployment.cold_start()


def _setting_malformed(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("DATAMORPH_WORKERS", CANARY)
    deployment.cold_start()


def _secret_is_not_json(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.put_secret("datamorph/config", f"bucket={CANARY}")


def _database_secret_lacks_fields(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.put_secret("datamorph/database", {"username": "etl", "password": CANARY})


def _database_unreachable(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.put_secret("datamorph/database", {"url": f"postgresql://etl:{URL_CANARY}@127.0.0.1:1/sales"})


def _table_missing(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.configure(ledger_table="nobodys-ledger")


def _checkpoints_missing(deployment: Deployment, patch: pytest.MonkeyPatch) -> None:
    deployment.configure(checkpoints_table="nobodys-checkpoints")


_PASS_ROLE = "User: arn:aws:sts::1:assumed-role/f/f is not authorized to perform: iam:PassRole on resource: lambdaroles"


_NO_ROLE = "Role lambdaroles should be given assume role permissions for Glue Service."


UNAVAILABLE: list[tuple[str, Break, str, list[str]]] = [
    ("no credentials", _no_credentials, "secrets", ["AWS credentials", "role"]),
    ("a region that is none", _wrong_region, "", ["us esat 1", "DATAMORPH_REGION"]),
    (
        "access denied to the model",
        _model_refuses(403, "AccessDeniedException", "You don't have access to the model"),
        "model",
        ["AccessDeniedException", "grant model access", "bedrock:InvokeModel"],
    ),
    (
        "model not found",
        _model_refuses(404, "ResourceNotFoundException", "Could not resolve the foundation model"),
        "model",
        ["check the model id", "list-inference-profiles"],
    ),
    (
        "throttled to the end",
        _model_refuses(429, "ThrottlingException", "Too many requests"),
        "model",
        ["ThrottlingException", "raise the model's quota", "tried 3 times"],
    ),
    ("bucket missing", _bucket_missing, "s3", ["nobodys-bucket", "NoSuchBucket", "DATAMORPH_BUCKET"]),
    ("bucket of another account", _bucket_of_another, "s3", ["AccessDenied", "dmbckt", "DATAMORPH_ACCOUNT"]),
    ("names too long to narrow the role", _names_too_long, "glue", ["characters longer than", "DATAMORPH_CONNECTION"]),
    (
        "role that may not be passed on",
        _glue_refuses("CreateJob", "AccessDeniedException", _PASS_ROLE),
        "glue",
        ["iam:PassRole", "lambdaroles"],
    ),
    (
        "role that Glue cannot take",
        _glue_refuses("CreateJob", "InvalidInputException", _NO_ROLE),
        "glue",
        ["lambdaroles", "DATAMORPH_ROLE"],
    ),
    (
        "connection missing",
        _glue_refuses("CreateJob", "EntityNotFoundException", "Connection dmdb-connection not found."),
        "glue",
        ["dmdb-connection", "DATAMORPH_CONNECTION"],
    ),
    ("secret missing", _secret_missing, "secrets", ["datamorph/nowhere", "DATAMORPH_CONFIG_SECRET"]),
    ("setting in another form", _setting_malformed, "datamorph", ["DATAMORPH_WORKERS", "for example 2"]),
    ("secret that is not JSON", _secret_is_not_json, "secrets", ["datamorph/config", "JSON"]),
    ("database secret without a host", _database_secret_lacks_fields, "secrets", ["datamorph/database", "host"]),
    ("database unreachable", _database_unreachable, "database", ["127.0.0.1:1", "cannot be reached"]),
    (
        "Glue quota reached",
        _glue_refuses("StartJobRun", "ResourceNumberLimitExceededException", "Max concurrent runs of the account"),
        "engine",
        ["ResourceNumberLimitExceededException", "quota"],
    ),
    ("ledger table missing", _table_missing, "ledger", ["nobodys-ledger", "DATAMORPH_LEDGER_TABLE"]),
    ("checkpoint table missing", _checkpoints_missing, "checkpoints", ["nobodys-checkpoints"]),
]


ENDED: list[tuple[str, list[PlannedRun], str, int, list[str]]] = [
    ("job stopped by hand", [PlannedRun("STOPPED")], "stopped", 1, ["options.restart"]),
    ("job timed out", [PlannedRun("TIMEOUT", "Job run timed out")], "timeout", 1, ["timeout_minutes"]),
    (
        "launch error",
        [PlannedRun("FAILED", "LAUNCH ERROR | Error downloading from S3 for bucket: dmbckt. Please refer logs.")] * 3,
        "launch",
        3,
        [],
    ),
    (
        "launch error of access",
        [PlannedRun("FAILED", "LAUNCH ERROR | Error downloading from S3 for bucket: dmbckt, key: x.Access Denied")],
        "permission",
        1,
        ["grant"],
    ),
]
