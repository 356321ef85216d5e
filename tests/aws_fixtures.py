"""Fixtures with an AWS that is moto's server: one server a test session, emptied for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.aws.fake_lambda import FakeLambda
    from tests.aws.moto_server import Aws


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """Run the server of this test session; gives its address."""
    from tests.aws.moto_server import moto_server

    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def boto_session() -> Any:
    """Keep what boto3 has read of its service models: each client takes half a second otherwise."""
    import boto3

    from tests.aws.moto_server import REGION

    return boto3.Session(region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def aws(moto_endpoint: str, boto_session: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Give an empty account with the bucket and the tables, which boto3 finds through the environment."""
    from tests.aws.moto_server import REGION, Aws, environment, make_stores, reset
    from tools.aws.clients import AwsClients

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    reset(moto_endpoint)
    with closing(AwsClients(REGION)) as clients:
        clients._session = boto_session
        make_stores(clients)
        yield Aws(moto_endpoint, clients, environment(moto_endpoint))


@pytest.fixture
def fake_lambda(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLambda]:
    """Give an AWS Lambda whose functions are the test's; boto3 finds it through the environment."""
    from tests.aws.fake_lambda import FakeLambda

    with FakeLambda() as functions:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", functions.endpoint)
        aws.environment["AWS_ENDPOINT_URL_LAMBDA"] = functions.endpoint
        yield functions
