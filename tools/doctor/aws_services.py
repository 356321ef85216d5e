"""Checks of the AWS services that a run needs, made from the place where the run would be.

That place is this machine or the deployed function, which `examine_function` invokes for its own checks.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from agent.errors import DatamorphError, EngineError, UnavailableError
from agent.names import LaunchKey, job_name
from agent.redaction import clip, redact
from agent.settings import Settings
from tools.aws.artifacts import S3Artifacts, expiry_days
from tools.aws.client_errors import translated
from tools.aws.clients import AwsClients
from tools.aws.glue import GlueJobRunner
from tools.aws.secrets import database_url, read_config
from tools.doctor.check import Check, MissingError, WarningError, check
from tools.models.bedrock import BedrockModel
from tools.records import JobDefinition

_PROBE_KEY = "glue/codes/datamorph-doctor.txt"
_PROBE_JOB = job_name(LaunchKey("doctor", 1, 1, 1), "", "")
_RUNS = "glue/runs/"
"""Prefix of requests, snapshots, prompts, replies and logs of runs."""
_PROBE_TOKENS = 16
_READ_SECONDS = 180.0
"""Read time-out of the function's doctor: a cold start, and the time-outs of all unreachable services."""
_OWN_USER = "make a user for them with the statements of docs/deploy.md, and deploy with ConnectionSecretArn"


def examined(settings: Settings) -> dict[str, object]:
    """The answer to `{"action": "doctor"}`: 200 when nothing is missing, else 503; the body holds the checks."""
    checks = [check_database(settings), check_model(settings), *examine_aws(settings, model=False)]
    missing = [found.name for found in checks if found.status == "missing"]
    body = {
        "execution_status": "unavailable" if missing else "ready",
        "message": f"missing: {', '.join(missing)}" if missing else None,
        "checks": [vars(found) for found in checks],
    }
    return {"statusCode": 503 if missing else 200, "body": body}


def examine_function(name: str, region: str) -> list[Check]:
    """The checks of a deployed function by its own settings. Raises UnavailableError when it cannot be invoked."""
    what = f"Lambda function {name}"
    advice = {"ResourceNotFoundException": "deploy it first, or check its name and --region"}
    with closing(AwsClients(region)) as clients:
        client = clients.get("lambda", tries=1, read_seconds=_READ_SECONDS)
        with translated("lambda", what, region, advice):
            answer = client.invoke(FunctionName=name, Payload=json.dumps({"action": "doctor"}).encode())
            body = answer["Payload"].read().decode("utf-8", errors="replace")
    return _checks(what, answer, body)


def _checks(what: str, answer: dict[str, Any], body: str) -> list[Check]:
    if "FunctionError" in answer:
        detail = f"{what} fails: {clip(redact(body), 500)}; look into its log group, /aws/lambda/…"
        raise UnavailableError("lambda", detail)
    try:
        response = json.loads(body)
        checks = response["body"].get("checks")
        if checks is None:
            raise UnavailableError("lambda", f"{what}: {response['body'].get('message', clip(body, 500))}")
        return [Check(**found) for found in checks]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{what} does not answer as this project's function does: {clip(redact(body), 200)!r}"
        raise UnavailableError("lambda", message) from error


def examine_aws(settings: Settings, *, model: bool = True) -> list[Check]:
    """Secrets, model, bucket, role, connection, the database's users, tables and Logger Lambda."""
    with closing(AwsClients(settings.region, settings.account)) as clients:
        artifacts = S3Artifacts(clients, settings.bucket)
        first = [check_model(settings)] if model else []
        return [
            check("secrets", lambda: _secrets(clients, settings)),
            *first,
            check_bucket(clients, artifacts, settings),
            check("role", lambda: _role(GlueJobRunner(clients, artifacts, settings), artifacts, settings)),
            check("connection", lambda: _connection(clients, settings)),
            _users(clients, settings),
            check("ledger table", lambda: _table(clients, settings, settings.ledger_table, ("pk", "sk"))),
            check("checkpoints", lambda: _table(clients, settings, settings.checkpoints_table, ("PK", "SK"))),
            check("Logger Lambda", lambda: _logger(clients, settings), needed=settings.logger_function is not None),
        ]


def check_database(settings: Settings) -> Check:
    """Check that a session can be opened."""
    return check("database", lambda: _database(settings))


def check_bucket(clients: AwsClients, artifacts: S3Artifacts, settings: Settings) -> Check:
    """Check that the bucket can be written and read, and that the artifacts of runs expire there."""
    return check("bucket", lambda: _bucket(clients, artifacts, settings))


def check_model(settings: Settings) -> Check:
    """Check that the model answers a question of a few tokens; only Bedrock's models are called."""
    if not settings.model.startswith("bedrock"):
        return Check("model access", "not needed", f"the model is {settings.model}")
    return check("model access", lambda: _model(settings))


def _database(settings: Settings) -> str:
    from tools.database.connection import server_version
    from tools.database.tls import unverified

    if settings.database_url is None:
        raise MissingError(
            "no database is configured: set DATAMORPH_DATABASE_SECRET, or database_url in the secret of settings"
        )
    found = server_version(settings.database_url)
    if mode := unverified(settings.database_url):
        detail = (
            f"sslmode={mode} does not verify that server's certificate: name the CA's with DATAMORPH_DATABASE_CA_FILE, "
            "and leave sslmode out of the URL and the secret"
        )
        raise WarningError(f"{found}; {detail}")
    return found


def _model(settings: Settings) -> str:
    model = BedrockModel(
        settings.model, region=settings.region, max_tokens=_PROBE_TOKENS, timeout_seconds=settings.model_timeout_seconds
    )
    with closing(model):
        model.ping()
    return f"{model.model_id} in {settings.region} answers"


def _secrets(clients: AwsClients, settings: Settings) -> str:
    stored = read_config(clients, settings.config_secret)
    detail = f"{settings.config_secret}: {len(stored)} settings"
    if settings.database_secret is None:
        return detail
    database_url(clients, settings.database_secret)
    if settings.job_database_secret is not None:
        database_url(clients, settings.job_database_secret)
    return f"{detail}; {settings.database_secret}: the URL of the database"


def _bucket(clients: AwsClients, artifacts: S3Artifacts, settings: Settings) -> str:
    uri = artifacts.put_latest(_PROBE_KEY, "ok\n")
    artifacts.get(uri)
    found = f"{settings.bucket} of account {clients.account}, written and read"
    return f"{found}; {_expiry(clients, settings, found)}"


def _expiry(clients: AwsClients, settings: Settings, found: str) -> str:
    """The expiry of prompts and snapshots in words. Raises WarningError when they never expire, or too early."""
    try:
        days = expiry_days(clients, settings.bucket, _RUNS)
    except UnavailableError as error:
        raise WarningError(f"{found}; when its objects expire cannot be seen: {error}") from error
    if days is None:
        detail = (
            f"objects under {_RUNS}, prompts and sample rows among them, never expire: give the bucket a rule with "
            "`aws s3api put-bucket-lifecycle-configuration`, as docs/deploy.md shows"
        )
        raise WarningError(f"{found}; {detail}")
    if days < settings.retention_days:
        detail = (
            f"objects under {_RUNS} expire after {days} days, and runs are remembered for {settings.retention_days} "
            "days (DATAMORPH_RETENTION_DAYS): let the bucket's rule be no shorter"
        )
        raise WarningError(f"{found}; {detail}")
    return f"objects under {_RUNS} expire after {days} days"


def _role(jobs: GlueJobRunner, artifacts: S3Artifacts, settings: Settings) -> str:
    """Define a job and delete it: only CreateJob shows that the role exists and may be passed; it costs nothing."""
    script = artifacts.put("glue/codes/datamorph-doctor.py", "raise SystemExit('written by datamorph doctor')\n")
    try:
        jobs.create(JobDefinition(_PROBE_JOB, script, timeout_minutes=1))
    except EngineError as error:
        if error.code != "AlreadyExistsException":
            raise
    jobs.delete(_PROBE_JOB)
    return f"Glue takes {settings.role} for a job"


def _connection(clients: AwsClients, settings: Settings) -> str:
    with translated("glue", f"Glue connection {settings.connection}", clients.region):
        found = clients.get("glue").get_connection(Name=settings.connection, HidePassword=True)
    return f"{settings.connection}, {found['Connection']['ConnectionType']}"


def _users(clients: AwsClients, settings: Settings) -> Check:
    """Check that jobs log in as another user than the publisher; theirs is the user of the Glue connection."""
    from tools.database.database_url import role_of
    from tools.doctor.job_role import NAME, examine_users

    if settings.database_url is None:
        return Check(NAME, "not needed", "no database is named")
    published = role_of(settings.job_database_url)
    try:
        role = _role_of_connection(clients, settings)
    except DatamorphError as error:
        return Check(NAME, "warning", f"whether jobs have a user of their own cannot be seen: {error}")
    if published not in (None, role):
        detail = f"Glue connection {settings.connection} logs in as {role!r}, and staging of {published!r} is published"
        return Check(NAME, "missing", f"{detail}: name the connection's secret in DATAMORPH_JOB_DATABASE_SECRET")
    return examine_users(settings.database_url, role, _OWN_USER, settings.job_database_url)


def _role_of_connection(clients: AwsClients, settings: Settings) -> str | None:
    from tools.database.database_url import role_of

    with translated("glue", f"Glue connection {settings.connection}", clients.region):
        found = clients.get("glue").get_connection(Name=settings.connection, HidePassword=True)
    properties = found["Connection"]["ConnectionProperties"]
    secret = properties.get("SECRET_ID")
    return role_of(database_url(clients, secret)) if secret else properties.get("USERNAME")


def _table(clients: AwsClients, settings: Settings, name: str, keys: tuple[str, str]) -> str:
    with translated("dynamodb", f"DynamoDB table {name}", clients.region):
        clients.get("dynamodb").get_item(TableName=name, Key={key: {"S": "datamorph-doctor"} for key in keys})
    return f"{name} can be read"


def _logger(clients: AwsClients, settings: Settings) -> str:
    if settings.logger_function is None:
        raise MissingError("DATAMORPH_LOGGER_FUNCTION is not set; steps go to the log")
    with translated("lambda", f"Lambda function {settings.logger_function}", clients.region):
        clients.get("lambda").invoke(FunctionName=settings.logger_function, InvocationType="DryRun")
    return f"{settings.logger_function} may be invoked"
