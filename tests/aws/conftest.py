"""The deployed function and its world."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.aws.deployment import FUNCTION_ARN, REPLY, Deployment
from tests.aws.fake_glue import FakeGlue, fake_glue
from tests.aws.fake_lambda import FakeLambda
from tests.aws.glue_scene import ImpatientClients
from tests.aws.moto_server import ACCOUNT, REGION, Aws
from tests.tools.fake_bedrock import fake_bedrock, reply
from tools.aws.aws_toolbox import _dry_run
from tools.spark.jvm import SparkJvm


@pytest.fixture
def image(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The deployment from the container image: with local Spark for dry runs."""
    monkeypatch.setattr("tools.aws.aws_toolbox._dry_run", _dry_run)
    return deployment


@pytest.fixture
def deployment(
    aws: Aws, fake_lambda: FakeLambda, postgres_url: str, spark_jvm: SparkJvm, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    """Deploy the zip, which has no Spark, with secrets, a table `orders`, a Glue and a Bedrock."""
    with (
        tempfile.TemporaryDirectory(prefix="datamorph-glue-") as folder,
        fake_bedrock(reply(REPLY, tokens=(2000, 150))) as bedrock,
        fake_glue(aws.endpoint, database_url=postgres_url, folder=Path(folder), jvm=spark_jvm) as glue,
    ):
        for name in ("LANGSMITH_TRACING", "DATAMORPH_MODEL", "DATAMORPH_ENGINE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock.endpoint_url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", glue.endpoint_url)
        monkeypatch.setenv("DATAMORPH_HOME", folder)
        monkeypatch.setenv("DATAMORPH_ACCOUNT", ACCOUNT)
        monkeypatch.setenv("DATAMORPH_LOGGER_FUNCTION", "datamorph-logger")
        monkeypatch.setattr("tools.aws.aws_toolbox._dry_run", lambda settings, stack: None)
        made = Deployment(aws, glue, bedrock, fake_lambda, postgres_url)
        fake_lambda.functions = {"datamorph-logger": None, FUNCTION_ARN: made.invoked}
        made.put_secret("datamorph/database", json.dumps({"url": postgres_url}))
        made.configure()
        made.sql("CREATE TABLE orders (customer text, amount numeric(10,2))")
        made.sql("INSERT INTO orders VALUES ('a', 1.50), ('a', 2), ('b', 4)")
        yield made
        made.cold_start()


@pytest.fixture
def glue(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGlue]:
    """Give an empty Glue."""
    with fake_glue(aws.endpoint) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", made.endpoint_url)
        yield made


@pytest.fixture
def client(glue: FakeGlue) -> Iterator[Any]:
    """Give boto3's client for it, which sends nothing twice."""
    with closing(ImpatientClients(REGION)) as clients:
        yield clients.get("glue", tries=1)
