"""What this machine has and lacks for a run, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.errors import DatamorphError
from agent.settings import Settings
from tools.local.java import find_java

DEFAULT_MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    status: Literal["ok", "missing", "not needed"]
    detail: str
    """What was found, or what is missing and what to do."""


def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which a run needs the things. `not needed` by these settings is no failure."""
    on_aws = settings.engine == "glue" or settings.model.startswith("bedrock")
    credentials = _check("AWS credentials", lambda: _credentials(settings), needed=on_aws)
    checks = [
        _check("Python", _python),
        _check("Java", _java, needed=settings.engine == "local"),
        _check("Spark", _spark, needed=settings.engine == "local"),
        _check("database", lambda: _database(settings)),
        credentials,
    ]
    if credentials.status == "ok":
        return [*checks, _check("model access", lambda: _model_access(settings), needed=on_aws)]
    status: Literal["missing", "not needed"] = "missing" if on_aws else "not needed"
    detail = f"the model is {settings.model}" if not on_aws else "cannot be asked without AWS credentials"
    return [*checks, Check("model access", status, detail)]


class _Missing(Exception):
    """A check that failed; the message says what to do."""


def _check(name: str, look: Callable[[], str], *, needed: bool = True) -> Check:
    try:
        return Check(name, "ok", look())
    except (_Missing, DatamorphError) as error:
        return Check(name, "missing" if needed else "not needed", str(error))


def _python() -> str:
    return f"{platform.python_version()} in {sys.prefix}"


def _java() -> str:
    home = find_java()
    done = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise _Missing(f"{home}/bin/java does not run: {done.stderr.strip()}")
    return f"{done.stderr.splitlines()[0]} in {home}"


def _spark() -> str:
    try:
        return f"pyspark {importlib.metadata.version('pyspark')}"
    except importlib.metadata.PackageNotFoundError:
        raise _Missing("pyspark is not installed: pip install 'datamorph-glue-executor[local]'") from None


def _database(settings: Settings) -> str:
    from tools.database.connection import server_version
    from tools.local.postgres import embedded_server

    if settings.database_url is not None:
        return server_version(settings.database_url)
    with embedded_server(settings.home.resolve() / "postgres") as server:
        return f"embedded {server_version(server.url)}"


def _credentials(settings: Settings) -> str:
    import botocore.exceptions
    import botocore.session

    try:
        found = botocore.session.Session().get_credentials()
    except botocore.exceptions.BotoCoreError as error:
        raise _Missing(f"{error}; run `aws configure`") from error
    if found is None:
        raise _Missing("none; run `aws configure` or set AWS_PROFILE (needed for --engine glue and --model bedrock)")
    return f"from {found.method}, region {settings.region}"


def _model_access(settings: Settings) -> str:
    import boto3
    import botocore.exceptions

    client = boto3.client("bedrock", region_name=settings.region)
    try:
        answer = client.get_foundation_model_availability(modelId=DEFAULT_MODEL)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise _Missing(f"Bedrock in {settings.region} cannot be asked: {error}") from error
    if answer["authorizationStatus"] != "AUTHORIZED" or answer["entitlementAvailability"] != "AVAILABLE":
        raise _Missing(f"no access to {DEFAULT_MODEL} in {settings.region}; request it in the Bedrock console")
    return f"{DEFAULT_MODEL} in {settings.region}"
