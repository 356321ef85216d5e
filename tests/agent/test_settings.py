"""Settings: explicit beats environment beats default, and a bad value says what would be good."""

from __future__ import annotations

import pytest

from agent.errors import InvalidRequestError
from agent.settings import load_settings


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


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("postgresql://me:secret@db.example:6543/sales", "db.example:6543/sales"),
        ("postgresql://postgres@/postgres?host=%2Ftmp%2Fx", "/tmp/x:5432/postgres"),
    ],
)
def test_a_database_is_told_without_its_credentials(url: str, location: str) -> None:
    """What a run is bound to holds no password."""
    assert load_settings({"database_url": url}, {}).database_location == location
