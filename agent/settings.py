"""Settings: read once by the door, typed and frozen. Explicit argument beats environment beats default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import InvalidRequestError, Problem

PREFIX = "DATAMORPH_"


class Settings(BaseModel):
    """All that can be configured. The environment variable of a field is `DATAMORPH_` and its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    engine: Literal["local", "glue"] = Field("local", description="where scripts run", examples=["local"])
    model: str = Field(
        "compiler",
        min_length=1,
        description="who writes the transform: `compiler`, `recorded:FILE`, `bedrock`, `bedrock:MODEL_ID`, "
        "or LangChain's `provider:model`",
        examples=["bedrock"],
    )
    database_url: str | None = Field(
        None,
        pattern=r"^postgres(ql)?://",
        repr=False,
        description="the PostgreSQL of sources and target; without it an embedded one under `home`",
        examples=["postgresql://etl@db.example:5432/sales"],
    )
    home: Path = Field(
        Path(".datamorph"), description="state, artifacts and embedded database", examples=[".datamorph"]
    )
    connection: str = Field("dmdb-connection", min_length=1, description="name of the Glue connection in the script")
    region: str = Field("us-east-1", min_length=1, description="AWS region", examples=["eu-central-1"])
    wait_seconds: float = Field(600, ge=0, description="how long one call waits for the job before it suspends")
    poll_seconds: float = Field(0.5, gt=0, description="how often the job is looked at", examples=["10"])
    timeout_minutes: int = Field(60, ge=1, lt=10_080, description="after this the engine ends the job")
    local_memory: str = Field(
        "2g", pattern=r"^[1-9]\d*[mg]$", description="heap of the embedded engine's Spark", examples=["4g"]
    )
    dry_run_seconds: float = Field(120, gt=0, description="time limit of one dry run")
    max_tokens: int = Field(8000, ge=256, le=64_000, description="length limit of a model's reply")
    temperature: float = Field(0.2, ge=0, le=1, description="the model's temperature; top_p is never sent")
    model_timeout_seconds: float = Field(300, gt=0, description="read time-out of one model call")


def load_settings(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Settings from arguments (None: not given), then `DATAMORPH_…`, then defaults.

    Raises InvalidRequestError that names the variable or option, the form wanted and an example.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    from_environment = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    try:
        return Settings.model_validate({**from_environment, **given})
    except ValidationError as error:
        raise InvalidRequestError([_problem(detail, given) for detail in error.errors()]) from None


def _problem(detail: Any, given: Mapping[str, Any]) -> Problem:
    name = str(detail["loc"][0])
    field = Settings.model_fields[name]
    where = f"--{name.replace('_', '-')}" if name in given else PREFIX + name.upper()
    example = (field.examples or [field.default])[0]
    if detail["type"] == "string_pattern_mismatch":
        return Problem(where, f"has another form ({field.description}); for example {example}")
    return Problem(where, f"{detail['msg'][0].lower()}{detail['msg'][1:]} ({field.description}); for example {example}")
