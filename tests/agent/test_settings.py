"""Settings: argument beats environment beats secret beats default, and a bad value is told with an example."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.errors import InvalidRequestError
from agent.settings import Settings, load_settings


def test_an_argument_beats_the_environment_beats_the_default() -> None:
    """None means not given."""
    environment = {"DATAMORPH_MODEL": "bedrock", "DATAMORPH_WAIT_SECONDS": "5"}
    settings = load_settings({"model": "recorded:x", "wait_seconds": None}, environment)
    assert (settings.model, settings.wait_seconds, settings.engine) == ("recorded:x", 5, "local")


@pytest.mark.parametrize(
    ("arguments", "environment", "path", "words"),
    [
        ({"engine": "spark"}, {}, "--engine", "'local' or 'glue'"),
        ({}, {"DATAMORPH_WAIT_SECONDS": "soon"}, "DATAMORPH_WAIT_SECONDS", "seconds that one call waits"),
        ({"database_url": "mysql://x"}, {}, "--database-url", "postgresql://etl@db.example:5432/sales"),
        ({}, {"DATAMORPH_LOCAL_MEMORY": "lots"}, "DATAMORPH_LOCAL_MEMORY", "for example 4g"),
    ],
)
def test_a_bad_value_names_its_option_or_variable_and_an_example(
    arguments: dict[str, str], environment: dict[str, str], path: str, words: str
) -> None:
    """The message suffices to correct it without reading code."""
    with pytest.raises(InvalidRequestError) as raised:
        load_settings(arguments, environment)
    (problem,) = raised.value.problems
    assert problem.path == path
    assert words in problem.message


@pytest.mark.parametrize(
    ("given", "days", "variable"),
    [
        ({"retention_days": 1}, 2, "DATAMORPH_TIMEOUT_MINUTES"),
        ({"retention_days": 17, "timeout_minutes": 4000}, 18, "DATAMORPH_TIMEOUT_MINUTES"),
        ({"retention_days": 2, "deadline_minutes": 1441}, 3, "DATAMORPH_DEADLINE_MINUTES"),
        ({"retention_days": 30, "deadline_minutes": 60_000}, 43, "DATAMORPH_DEADLINE_MINUTES"),
    ],
)
def test_dynamodb_may_not_forget_a_run_that_is_open(given: dict[str, object], days: int, variable: str) -> None:
    """Retention must exceed the longest run by a day; a machine's own files are kept for ever."""
    glue = {"engine": "glue", **given}
    with pytest.raises(InvalidRequestError) as raised:
        load_settings(glue, {})
    (problem,) = raised.value.problems
    assert problem.path == ("--retention-days" if "retention_days" in given else "DATAMORPH_RETENTION_DAYS")
    assert f"{days} or more" in problem.message and variable in problem.message
    assert load_settings({**glue, "retention_days": days}, {}).retention_days == days
    assert load_settings({**glue, "engine": "local"}, {}).engine == "local"


@pytest.mark.parametrize("arguments", [{"database_url": "hunter2"}, {"database_url": "mysql://u:hunter2@h/d"}])
def test_a_refused_database_url_is_not_repeated(arguments: dict[str, str]) -> None:
    """It may hold a password: neither the message nor pydantic's error shows it."""
    with pytest.raises(InvalidRequestError) as refused:
        load_settings(arguments, {})
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate(arguments)
    assert "hunter2" not in f"{refused.value} {raised.value}"


def test_settings_are_shown_without_the_database_url() -> None:
    """Logs and tracebacks show settings."""
    assert "hunter2" not in repr(load_settings({"database_url": "postgresql://u:hunter2@h/d"}, {}))


def test_the_secret_beats_a_door_s_defaults_and_is_beaten_by_the_environment() -> None:
    """A door's default that nothing overrides stays."""
    stored = {"engine": "local", "bucket": "stored", "workers": 5}
    defaults = {"engine": "glue", "bucket": "door", "workers": 7, "model": "bedrock", "home": "/tmp/x"}
    settings = load_settings({"bucket": "argument"}, {"DATAMORPH_WORKERS": "9"}, stored=stored, defaults=defaults)
    assert (settings.bucket, settings.workers, settings.engine, settings.model) == ("argument", 9, "local", "bedrock")


@pytest.mark.parametrize(
    ("stored", "field", "value"),
    [
        ({"workers": "4"}, "workers", 4),
        ({"session_policy": False}, "session_policy", False),
        ({"session_policy": "false"}, "session_policy", False),
        ({"glue_version": 5.0}, "glue_version", "5.0"),
        ({"wait_seconds": 30}, "wait_seconds", 30),
        ({"bucket": None}, "bucket", "dmbckt"),
    ],
)
def test_the_secret_s_values_may_be_texts_or_json(stored: dict[str, object], field: str, value: object) -> None:
    """Null means not given."""
    assert getattr(load_settings({}, {}, stored=stored), field) == value


@pytest.mark.parametrize(
    ("stored", "path", "words"),
    [
        ({"workers": "many"}, "secret datamorph/config, key workers", "number of workers of a Glue job"),
        ({"workres": 3}, "secret datamorph/config, key workres", "did you mean 'workers'?"),
        ({"quux": 3}, "secret datamorph/config, key quux", "lists all settings"),
        ({"database_url": "mysql://u:hunter2@h/d"}, "secret datamorph/config, key database_url", "another form"),
    ],
)
def test_a_bad_entry_of_the_secret_names_the_secret_and_the_key(
    stored: dict[str, object], path: str, words: str
) -> None:
    """The message repeats no value: it is a secret."""
    with pytest.raises(InvalidRequestError) as raised:
        load_settings({}, {}, stored=stored)
    (problem,) = raised.value.problems
    assert problem.path == path
    assert words in problem.message
    assert "hunter2" not in str(raised.value)


def test_the_secret_is_named_as_it_was_chosen() -> None:
    """The argument or the environment names it."""
    for arguments, environment in (
        ({"config_secret": "mine"}, {}),
        ({}, {"DATAMORPH_CONFIG_SECRET": "mine"}),
    ):
        with pytest.raises(InvalidRequestError, match="secret mine, key workers"):
            load_settings(arguments, environment, stored={"workers": "many"})


@pytest.mark.parametrize(
    ("environment", "stored", "region"),
    [
        ({}, {}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, {}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-2"}, {}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-2"}, {"region": "eu-west-3"}, "eu-west-3"),
        ({"AWS_REGION": "eu-west-2", "DATAMORPH_REGION": "eu-north-1"}, {"region": "eu-west-3"}, "eu-north-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, {}, "eu-west-1"),
    ],
)
def test_the_region_is_aws_s_own_unless_it_is_set(
    environment: dict[str, str], stored: dict[str, str], region: str
) -> None:
    """AWS_REGION comes before AWS_DEFAULT_REGION."""
    assert load_settings({}, environment, stored=stored).region == region
