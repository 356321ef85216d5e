"""Secrets Manager: settings and the database's URL, and refusals that repeat nothing of a secret."""

from __future__ import annotations

import json

import pytest

from agent.errors import UnavailableError
from tests.fakes.moto_server import Aws
from tests.fakes.wire import refused
from tools.aws.configuration import aws_settings
from tools.aws.secrets import database_url, read_config

RDS = {"engine": "postgres", "host": "db.example", "port": 5433, "dbname": "sales", "username": "etl"}
PASSWORD = "hunter2/@:%ü"
URL = "postgresql://etl:hunter2%2F%40%3A%25%C3%BC@db.example:5433/sales"


def keep(aws: Aws, name: str, held: object) -> None:
    """Store a text as it is, anything else as JSON."""
    text = held if isinstance(held, str) else json.dumps(held)
    aws.clients.get("secretsmanager").create_secret(Name=name, SecretString=text)


def test_settings_are_read_from_the_secret(aws: Aws) -> None:
    """One JSON object; the name `none` asks nobody."""
    keep(aws, "datamorph/config", {"bucket": "mine", "workers": 4})
    assert read_config(aws.clients, "datamorph/config") == {"bucket": "mine", "workers": 4}
    assert read_config(aws.clients, "none") == {}


@pytest.mark.parametrize(
    ("held", "url"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgres://u:p@h/d\n", "postgres://u:p@h/d"),
        ({"url": "postgresql://u:p@h/d"}, "postgresql://u:p@h/d"),
        ({**RDS, "password": PASSWORD}, URL),
        ({**RDS, "password": PASSWORD, "sslmode": "require"}, f"{URL}?sslmode=require"),
        (
            {**RDS, "password": "p", "port": "5433", "engine": "aurora-postgresql"},
            "postgresql://etl:p@db.example:5433/sales",
        ),
        ({"host": "::1", "dbname": "a b", "username": "u", "password": "p"}, "postgresql://u:p@[::1]:5432/a%20b"),
    ],
)
def test_the_database_s_url_is_read_in_each_form(aws: Aws, held: object, url: str) -> None:
    """As a URL, in JSON, and in the parts that RDS writes."""
    keep(aws, "datamorph/database", held)
    assert database_url(aws.clients, "datamorph/database") == url


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("hunter2", "it is not JSON .line 1, column 1"),
        ('{"workers": "hunter2"', "it is not JSON"),
        ('["hunter2"]', "it is JSON, but not an object"),
        ('"hunter2"', "it is JSON, but not an object"),
    ],
)
def test_a_malformed_configuration_is_told_by_name_and_form(aws: Aws, held: str, words: str) -> None:
    """And not by what it holds."""
    keep(aws, "datamorph/config", held)
    with pytest.raises(
        UnavailableError, match=f"secret datamorph/config: {words}.*one JSON object of settings"
    ) as raised:
        read_config(aws.clients, "datamorph/config")
    assert raised.value.service == "secrets"
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ("hunter2", "it is not JSON"),
        ("mysql://u:hunter2@h/d", "it is not JSON"),
        ("postgresql://u:hunter2/@h/d", "the database URL is malformed"),
        ({"url": "mysql://u:hunter2@h/d"}, "its url is not one of PostgreSQL"),
        ({"username": "u", "password": "hunter2"}, "host, dbname are missing"),
        ({**RDS, "password": ""}, "password is missing"),
        ({**RDS, "password": "hunter2", "engine": "mysql"}, "its engine is not PostgreSQL"),
        ({**RDS, "password": "hunter2", "sslmode": "hunter2"}, "its sslmode is none of disable, allow"),
        ({**RDS, "password": "hunter2", "port": "hunter2"}, "the database URL is malformed"),
        (["hunter2"], "it is JSON, but not an object"),
    ],
)
def test_a_malformed_database_secret_is_told_by_name_and_form(aws: Aws, held: object, words: str) -> None:
    """And not by what it holds."""
    keep(aws, "mine", held)
    with pytest.raises(UnavailableError, match=f"secret mine: {words}.*postgresql://user:password@") as raised:
        database_url(aws.clients, "mine")
    assert "hunter2" not in str(raised.value)


def test_a_missing_secret_is_told_by_name(aws: Aws) -> None:
    """With what to create or to set."""
    with pytest.raises(UnavailableError, match="secret datamorph/config .*DATAMORPH_CONFIG_SECRET .*`none`"):
        read_config(aws.clients, "datamorph/config")
    with pytest.raises(UnavailableError, match="secret mine .*DATAMORPH_DATABASE_SECRET"):
        database_url(aws.clients, "mine")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "grant secretsmanager:GetSecretValue"),
        ("DecryptionFailure", "grant kms:Decrypt"),
        ("ExpiredTokenException", "renew them"),
    ],
)
def test_a_refusal_says_what_to_grant(aws: Aws, code: str, words: str) -> None:
    """On which secret."""
    with (
        refused(aws.clients.get("secretsmanager"), "GetSecretValue", 400, code),
        pytest.raises(UnavailableError, match=f"secret datamorph/config .*{words}"),
    ):
        read_config(aws.clients, "datamorph/config")


def test_a_secret_of_bytes_is_refused(aws: Aws) -> None:
    """Text is what is wanted."""
    aws.clients.get("secretsmanager").create_secret(Name="mine", SecretBinary=b"{}")
    with pytest.raises(UnavailableError, match="secret mine: it holds bytes"):
        read_config(aws.clients, "mine")


def test_settings_come_from_everywhere_in_their_order(aws: Aws) -> None:
    """Argument, environment, secret, the door's defaults; the database's URL from a secret of its own."""
    keep(aws, "mine", {"bucket": "stored", "workers": 5, "database_secret": "datamorph/database"})
    keep(aws, "datamorph/database", {**RDS, "password": PASSWORD})
    environment = {"DATAMORPH_CONFIG_SECRET": "mine", "DATAMORPH_WORKERS": "9", "AWS_REGION": "us-east-1"}
    settings = aws_settings({}, environment, {"engine": "glue", "bucket": "door"})
    assert (settings.bucket, settings.workers, settings.engine, settings.database_url) == (
        "stored",
        9,
        "glue",
        f"{URL}?sslmode=require",
    )
    assert "hunter2" not in repr(settings)


def test_a_bad_setting_in_the_secret_is_told_by_key(aws: Aws) -> None:
    """And not by its value."""
    keep(aws, "datamorph/config", {"database_url": "mysql://u:hunter2@h/d", "workers": 1})
    with pytest.raises(UnavailableError) as raised:
        aws_settings({}, {})
    assert raised.value.service == "secrets"
    for key in ("database_url", "workers"):
        assert f"secret datamorph/config, key {key}:" in str(raised.value)
    assert "hunter2" not in str(raised.value)
