"""Secrets Manager: settings as one JSON object, and the database's URL. No error repeats what a secret holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from agent.errors import InvalidRequestError, UnavailableError
from tools.aws.client_errors import translated
from tools.aws.clients import AwsClients

NO_SECRET = "none"

_CONFIG_FORM = 'one JSON object of settings, as {"bucket": "dmbckt", "workers": 2}'
_DATABASE_FORM = (
    'postgresql://user:password@host:5432/database, {"url": "postgresql://…"}, or '
    '{"engine": "postgres", "host", "port", "dbname", "username", "password"}'
)
_REQUIRED = ("host", "dbname", "username", "password")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def read_config(clients: AwsClients, name: str) -> dict[str, Any]:
    """The settings in a secret; none for the name `none`. Raises UnavailableError."""
    if name == NO_SECRET:
        return {}
    remedy = f"create it with {_CONFIG_FORM}, or set DATAMORPH_CONFIG_SECRET to its name, or to `{NO_SECRET}`"
    return _object(name, _text(clients, name, remedy), _CONFIG_FORM)


def database_url(clients: AwsClients, name: str) -> str:
    """The database's URL from a secret that holds it, or its parts as RDS writes them. Raises UnavailableError."""
    remedy = f"create it with {_DATABASE_FORM}, or set DATAMORPH_DATABASE_SECRET to its name"
    text = _text(clients, name, remedy).strip()
    if text.startswith(("postgres://", "postgresql://")):
        return _readable(name, text)
    stored = _object(name, text, _DATABASE_FORM)
    if "url" not in stored:
        return _readable(name, _assembled(name, stored))
    if not str(stored["url"]).startswith(("postgres://", "postgresql://")):
        raise _refusal(name, "its url is not one of PostgreSQL", _DATABASE_FORM)
    return _readable(name, str(stored["url"]))


def _text(clients: AwsClients, name: str, remedy: str) -> str:
    advice = {
        "ResourceNotFoundException": remedy,
        "AccessDeniedException": "grant secretsmanager:GetSecretValue on it, and kms:Decrypt on its key",
        "DecryptionFailure": "grant kms:Decrypt on the key that the secret is encrypted with",
        "InvalidRequestException": "restore the secret, or give it a value",
    }
    with translated("secrets", f"secret {name}", clients.region, advice):
        answer = clients.get("secretsmanager").get_secret_value(SecretId=name)
    if "SecretString" not in answer:
        raise _refusal(name, "it holds bytes, and text is wanted", remedy)
    return str(answer["SecretString"])


def _object(name: str, text: str, form: str) -> dict[str, Any]:
    try:
        stored = json.loads(text)
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        # The cause would carry the whole text.
        raise _refusal(name, f"it is not JSON{where}", form) from None
    if not isinstance(stored, dict):
        raise _refusal(name, "it is JSON, but not an object", form)
    return stored


def _assembled(name: str, stored: Mapping[str, Any]) -> str:
    """The URL of host, port, dbname, username and password."""
    if missing := [field for field in _REQUIRED if not stored.get(field)]:
        raise _refusal(name, f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", _DATABASE_FORM)
    if "postgres" not in str(stored.get("engine", "postgres")):
        raise _refusal(name, "its engine is not PostgreSQL", _DATABASE_FORM)
    mode = stored.get("sslmode")
    if mode and mode not in _SSL_MODES:
        raise _refusal(name, f"its sslmode is none of {', '.join(_SSL_MODES)}", _DATABASE_FORM)
    user, password, database = (quote(str(stored[field]), safe="") for field in ("username", "password", "dbname"))
    host = f"[{stored['host']}]" if ":" in str(stored["host"]) else stored["host"]
    query = f"?sslmode={mode}" if mode else ""
    return f"postgresql://{user}:{password}@{host}:{stored.get('port') or 5432}/{database}{query}"


def _readable(name: str, url: str) -> str:
    from tools.database.database_url import checked_url

    try:
        return checked_url(url)
    except InvalidRequestError as error:
        raise _refusal(name, error.problems[0].message, _DATABASE_FORM) from None


def _refusal(name: str, wrong: str, form: str) -> UnavailableError:
    return UnavailableError("secrets", f"secret {name}: {wrong}; the form wanted is {form}")
