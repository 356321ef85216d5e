"""The function of a fault sweep made ready in this process: where it finds AWS, and what a warm process has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lambda_handler
from tests.fakes.aws_lambda import FakeLambda
from tests.fakes.bedrock import FakeBedrock
from tests.fakes.glue import FakeGlue
from tests.fakes.moto_server import ACCOUNT
from tests.faults.strikes import Wire
from tests.lambda_handler.scene import Context

_WARM = [("dynamodb", 4), ("s3", 4), ("glue", 4), ("glue", 1), ("events", 4), ("logs", 4), ("lambda", 4), ("lambda", 2)]


def point(
    patch: pytest.MonkeyPatch,
    aws: dict[str, str],
    glue: FakeGlue,
    bedrock: FakeBedrock,
    functions: FakeLambda,
    folder: Path,
) -> None:
    """Let boto3 and the settings find the world, and nothing else."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "DATAMORPH_", "LANGSMITH_"))]:
        patch.delenv(name)
    aws |= {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.endpoint_url,
        "AWS_ENDPOINT_URL_GLUE": glue.endpoint_url,
        "AWS_ENDPOINT_URL_LAMBDA": functions.endpoint,
        "DATAMORPH_HOME": str(folder),
        "DATAMORPH_ACCOUNT": ACCOUNT,
        "DATAMORPH_LOGGER_FUNCTION": "datamorph-logger",
    }
    for name, value in aws.items():
        patch.setenv(name, value)
    patch.setattr("tools.aws_toolbox._dry_run", lambda settings, stack: None)


def warm(patch: pytest.MonkeyPatch, event: object, wire: Wire) -> None:
    """Import and build what a warm process has, with every client watched, and leave no connection open."""
    import boto3

    made = boto3.session.Session.client
    patch.setattr(boto3.session.Session, "client", lambda *given, **more: wire.watch(made(*given, **more)))
    lambda_handler.close()
    lambda_handler.handler(event, Context())  # type: ignore[arg-type]
    lambda_handler.close()
    service, clients = lambda_handler._door.open(Context())  # type: ignore[arg-type]
    for name, tries in _WARM:
        clients.get(name, tries=tries)
    service.tools.model._chat = service.tools.model._connect()  # type: ignore[attr-defined]
    wire.calls.clear()
