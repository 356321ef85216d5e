"""Settings: typed, frozen, read once by a door. Argument beats environment beats secret beats default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import InvalidRequestError, Problem
from agent.nearest import did_you_mean

PREFIX = "DATAMORPH_"

SampleRows = Literal["rows", "masked", "none"]
"""Sample rows in a model's prompt; the strictest last."""

_LONGEST_TIMEOUT_MINUTES = 10_080
"""Minutes; Glue's own limit of a job run: seven days."""
LONGEST_DEADLINE_MINUTES = 6 * _LONGEST_TIMEOUT_MINUTES + 60
"""Minutes that a run may take at most, whatever the settings say."""
_MINUTES_A_DAY = 1_440


class Settings(BaseModel):
    """The whole configuration. The environment variable of a field is `DATAMORPH_` and its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, coerce_numbers_to_str=True)

    engine: Literal["local", "glue"] = Field(
        "local", description="engine that runs scripts: `local` (this machine) or `glue`", examples=["local"]
    )
    model: str = Field(
        "compiler",
        min_length=1,
        description="writer of the transform: `compiler`, `recorded:FILE`, `bedrock`, `bedrock:MODEL_ID`, "
        "or LangChain's `provider:model`",
        examples=["bedrock"],
    )
    database_url: str | None = Field(
        None,
        pattern=r"^postgres(ql)?://",
        repr=False,
        description="PostgreSQL of sources and target; without it an embedded one under `home`",
        examples=["postgresql://etl@db.example:5432/sales"],
    )
    database_ca_file: Path | None = Field(
        None,
        description="file with the CA certificates that verify the database's server (`sslmode=verify-full`); without "
        "it a connection on AWS is encrypted only (`require`); an `sslmode` in the URL or the secret wins",
        examples=["/var/task/database-ca.pem"],
    )
    job_database_url: str | None = Field(
        None,
        pattern=r"^postgres(ql)?://",
        repr=False,
        description="the same database as the jobs' user, who reads the sources and creates in `datamorph_staging`; "
        "without it jobs have the publisher's rights; the embedded database has both users",
        examples=["postgresql://etl_jobs@db.example:5432/sales"],
    )
    home: Path = Field(
        Path(".datamorph"), description="folder of state, artifacts and embedded database", examples=[".datamorph"]
    )
    connection: str = Field("dmdb-connection", min_length=1, description="name of the Glue connection in the script")
    region: str = Field(
        "us-east-1",
        min_length=1,
        description="AWS region; without it `AWS_REGION`, then `AWS_DEFAULT_REGION`",
        examples=["eu-central-1"],
    )
    bucket: str = Field("dmbckt", min_length=3, description="S3 bucket of scripts, artifacts and the jobs' TempDir")
    account: str | None = Field(
        None,
        pattern=r"^\d{12}$",
        description="AWS account that the bucket must belong to; without it that of the credentials",
        examples=["123456789012"],
    )
    role: str = Field("lambdaroles", min_length=1, description="IAM role of the Glue jobs: its name or ARN")
    glue_version: str = Field("4.0", pattern=r"^[45]\.\d$", description="Glue version of the jobs", examples=["5.0"])
    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = Field(
        "G.1X", description="workers of the first attempt; out of memory doubles them", examples=["G.2X"]
    )
    workers: int = Field(2, ge=2, le=299, description="number of workers of a Glue job")
    session_policy: bool = Field(
        True, description="narrow the Glue role for each job run (`ExecutionRoleSessionPolicy`)", examples=["false"]
    )
    ledger_table: str = Field("datamorph-ledger", min_length=3, description="DynamoDB table of runs, launches, leases")
    checkpoints_table: str = Field("datamorph-checkpoints", min_length=3, description="DynamoDB table of checkpoints")
    retention_days: int = Field(
        90,
        ge=1,
        description="days without a change after which DynamoDB forgets a run; at least a day more than a run may take",
    )
    config_secret: str = Field(
        "datamorph/config", min_length=1, description="secret with settings as one JSON object; `none` for no secret"
    )
    database_secret: str | None = Field(
        None,
        min_length=1,
        description="secret with the database's URL, or with host, port, dbname, username, password as RDS writes it",
        examples=["datamorph/database"],
    )
    job_database_secret: str | None = Field(
        None,
        min_length=1,
        description="secret of the jobs' user in the same form, as the Glue connection names it; only this user's "
        "tables are published",
        examples=["datamorph/jobs"],
    )
    logger_function: str | None = Field(
        None,
        min_length=1,
        description="Lambda function that gets each step; without it steps go to the function's log",
        examples=["datamorph-logger"],
    )
    event_bus: str = Field(
        "default",
        min_length=1,
        description="EventBridge bus that gets the end of each run and each refused start",
    )
    wait_seconds: float = Field(600, ge=0, description="seconds that one call waits for the job before it suspends")
    poll_seconds: float | None = Field(
        None,
        gt=0,
        description="seconds between two looks at the job; without it 10 on Glue, 0.5 locally",
        examples=["10"],
    )
    timeout_minutes: int = Field(
        60, ge=1, lt=_LONGEST_TIMEOUT_MINUTES, description="minutes after which the engine ends the job"
    )
    deadline_minutes: int | None = Field(
        None,
        ge=1,
        le=LONGEST_DEADLINE_MINUTES,
        description="minutes after its acceptance in which a run must end; then it is stopped and fails. Without it "
        "`6 * timeout_minutes + 60`: two attempts of three launches each, and an hour",
        examples=["420"],
    )
    local_memory: str = Field(
        "2g", pattern=r"^[1-9]\d*[mg]$", description="heap of the embedded engine's Spark", examples=["4g"]
    )
    dry_run_seconds: float = Field(120, gt=0, description="seconds that one script may take in a dry run")
    sample_rows: SampleRows = Field(
        "rows",
        description="sample rows in a model's prompt, ten of each source at most: `rows`, `masked`, or `none` (no row "
        "is read); an event can only be stricter",
        examples=["masked"],
    )
    max_tokens: int = Field(8000, ge=256, le=64_000, description="tokens that a model's reply may have")
    temperature: float = Field(0.2, ge=0, le=1, description="the model's temperature; top_p is never sent")
    model_timeout_seconds: float = Field(300, gt=0, description="seconds after which a model call times out")

    @property
    def run_deadline_minutes(self) -> int:
        """Minutes after which an open run is stopped."""
        return self.deadline_minutes or 6 * self.timeout_minutes + 60

    @property
    def poll_interval(self) -> float:
        """Seconds between two polls of a job."""
        return self.poll_seconds or (10.0 if self.engine == "glue" else 0.5)


def load_settings(
    arguments: Mapping[str, Any],
    environment: Mapping[str, str],
    stored: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from arguments (None: not given), `DATAMORPH_…`, the configuration secret and a door's defaults.

    `stored` is the secret's content: texts or JSON values. Raises InvalidRequestError that names the option, variable
    or key, the form wanted and an example.
    """
    given = _without_none(arguments)
    from_environment = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    secret = _secret_of({**(defaults or {}), **from_environment, **given})
    from_secret = _without_none(stored or {})
    if unknown := [_unknown(secret, key) for key in from_secret if key not in Settings.model_fields]:
        raise InvalidRequestError(unknown)
    merged = {**(defaults or {}), **_region(environment), **from_secret, **from_environment, **given}
    origins = {name: f"secret {secret}, key {name}" for name in from_secret}
    origins |= {name: PREFIX + name.upper() for name in from_environment}
    origins |= {name: f"--{name.replace('_', '-')}" for name in given}
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise InvalidRequestError([_problem(detail, origins) for detail in error.errors()]) from None
    _demand_retention(settings, origins)
    return settings


def _demand_retention(settings: Settings, origins: Mapping[str, str]) -> None:
    """Raise InvalidRequestError when DynamoDB's retention is shorter than a run may take."""
    days = -(-settings.run_deadline_minutes // _MINUTES_A_DAY) + 1
    if settings.engine == "local" or settings.retention_days >= days:
        return
    limit = "deadline_minutes" if settings.deadline_minutes else "timeout_minutes"
    message = (
        f"{settings.retention_days} is too little: a run may take {settings.run_deadline_minutes} minutes "
        f"({PREFIX}{limit.upper()}), and must not be forgotten meanwhile; write {days} or more, or lower that"
    )
    raise InvalidRequestError([Problem(_origin("retention_days", origins), message)])


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _region(environment: Mapping[str, str]) -> dict[str, str]:
    """The region from AWS's own environment variables."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environment.get(name):
            return {"region": environment[name]}
    return {}


def _secret_of(values: Mapping[str, Any]) -> str:
    return str(values.get("config_secret", Settings.model_fields["config_secret"].default))


def _unknown(secret: str, key: str) -> Problem:
    near = did_you_mean(key, Settings.model_fields) or "; docs/configuration.md lists all settings"
    return Problem(f"secret {secret}, key {key}", f"is not a setting{near}")


def _origin(name: str, origins: Mapping[str, str]) -> str:
    """The option, variable or key of a setting."""
    return origins.get(name, PREFIX + name.upper())


def _problem(detail: Any, origins: Mapping[str, str]) -> Problem:
    name = str(detail["loc"][0])
    field = Settings.model_fields[name]
    where = _origin(name, origins)
    example = (field.examples or [field.default])[0]
    if detail["type"] == "string_pattern_mismatch":
        return Problem(where, f"has another form ({field.description}); for example {example}")
    return Problem(where, f"{detail['msg'][0].lower()}{detail['msg'][1:]} ({field.description}); for example {example}")
