"""Checks of this machine: the programs, databases and credentials that a run needs."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys

from agent.errors import INSTALL_LOCAL, InvalidRequestError, UnavailableError
from agent.settings import Settings
from tools.doctor.aws_services import check_database, check_model, examine_aws
from tools.doctor.check import Check, MissingError, check
from tools.spark.environment import find_java

_OWN_USER = "make a user for them with the statements of docs/deploy.md, and name it with --job-database-url"


def examine(settings: Settings) -> list[Check]:
    """All checks in the order of a run's needs; `not needed` by these settings is no failure."""
    local = settings.engine == "local"
    on_aws = not local or settings.model.startswith("bedrock")
    credentials = check("AWS credentials", lambda: _credentials(settings), needed=on_aws)
    checks = [
        check("Python", _python),
        check("Java", _java, needed=local),
        check("Spark", _spark, needed=local),
        check("database", lambda: _database(settings)) if local else check_database(settings),
        *([_users(settings)] if local else []),
        credentials,
    ]
    if not on_aws:
        return [*checks, Check("model access", "not needed", f"the model is {settings.model}")]
    if credentials.status != "ok":
        return [*checks, Check("model access", "missing", "cannot be asked without AWS credentials")]
    return [*checks, *examine_aws(settings)] if not local else [*checks, check_model(settings)]


def _python() -> str:
    return f"{platform.python_version()} in {sys.prefix}"


def _java() -> str:
    home = find_java()
    done = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise MissingError(f"{home}/bin/java does not run: {done.stderr.strip()}")
    return f"{done.stderr.splitlines()[0]} in {home}"


def _spark() -> str:
    try:
        return f"pyspark {importlib.metadata.version('pyspark')}"
    except importlib.metadata.PackageNotFoundError:
        raise MissingError(f"pyspark is not installed: {INSTALL_LOCAL}") from None


def _database(settings: Settings) -> str:
    from tools.database.connection import server_version
    from tools.database.tls import secured
    from tools.local.postgres import embedded_server

    if settings.database_url is not None:
        return server_version(secured(settings.database_url, settings.database_ca_file))
    with embedded_server(settings.home.resolve() / "postgres") as server:
        return f"embedded {server_version(server.url)}"


def _users(settings: Settings) -> Check:
    from tools.database.database_url import role_of
    from tools.doctor.job_role import NAME, examine_users
    from tools.local_toolbox import local_database

    try:
        with local_database(settings) as database:
            return examine_users(database.url, role_of(database.job_url), _OWN_USER, database.job_url)
    except UnavailableError:
        return Check(NAME, "not needed", "the database cannot be opened")
    except InvalidRequestError as error:
        return Check(NAME, "missing", str(error))


def _credentials(settings: Settings) -> str:
    import botocore.exceptions
    import botocore.session

    try:
        found = botocore.session.Session().get_credentials()
    except botocore.exceptions.BotoCoreError as error:
        raise MissingError(f"{error}; run `aws configure`") from error
    if found is None:
        raise MissingError("none; run `aws configure` or set AWS_PROFILE: --engine glue and --model bedrock need them")
    return f"from {found.method}, region {settings.region}"
