"""Settings: explicit beats environment beats default, and a bad value says what would be good."""

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
        ({}, {"DATAMORPH_WAIT_SECONDS": "soon"}, "DATAMORPH_WAIT_SECONDS", "how long one call waits"),
        ({"database_url": "mysql://x"}, {}, "--database-url", "postgresql://etl@db.example:5432/sales"),
        ({}, {"DATAMORPH_LOCAL_MEMORY": "lots"}, "DATAMORPH_LOCAL_MEMORY", "for example 4g"),
    ],
)
def test_a_bad_value_names_its_option_or_variable_and_an_example(
    arguments: dict[str, str], environment: dict[str, str], path: str, words: str
) -> None:
    """So that it can be mended without reading code."""
    with pytest.raises(InvalidRequestError) as raised:
        load_settings(arguments, environment)
    (problem,) = raised.value.problems
    assert problem.path == path
    assert words in problem.message


@pytest.mark.parametrize("arguments", [{"database_url": "hunter2"}, {"database_url": "mysql://u:hunter2@h/d"}])
def test_a_refused_database_url_is_not_repeated(arguments: dict[str, str]) -> None:
    """It may hold a password, be it at the door or within pydantic's own error."""
    with pytest.raises(InvalidRequestError) as refused:
        load_settings(arguments, {})
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate(arguments)
    assert "hunter2" not in f"{refused.value} {raised.value}"


def test_settings_are_shown_without_the_database_url() -> None:
    """As in a log or a traceback."""
    assert "hunter2" not in repr(load_settings({"database_url": "postgresql://u:hunter2@h/d"}, {}))
