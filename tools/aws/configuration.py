"""Settings on AWS: arguments and environment, then the secret `datamorph/config`, then a door's own defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import InvalidRequestError, UnavailableError
from agent.settings import Settings, load_settings
from tools.aws.clients import AwsClients
from tools.aws.secrets import database_url, read_config


def aws_settings(
    arguments: Mapping[str, Any], environment: Mapping[str, str], defaults: Mapping[str, Any] | None = None
) -> Settings:
    """All settings; database URLs that are not given come from their secrets, and every URL demands TLS.

    Raises InvalidRequestError for a bad value, UnavailableError for a secret that cannot be read.
    """
    first = load_settings(arguments, environment, defaults=defaults)
    clients = AwsClients(first.region)
    try:
        stored = read_config(clients, first.config_secret)
        settings = _with_stored(arguments, environment, stored, defaults)
        if settings.database_url is None and settings.database_secret is not None:
            url = database_url(clients, settings.database_secret)
            settings = settings.model_copy(update={"database_url": url})
        if settings.job_database_url is None and settings.job_database_secret is not None:
            url = database_url(clients, settings.job_database_secret)
            settings = settings.model_copy(update={"job_database_url": url})
    finally:
        clients.close()
    return _with_tls(settings)


def _with_tls(settings: Settings) -> Settings:
    """The settings with TLS demanded of the database, unless its URLs say otherwise."""
    urls = {"database_url": settings.database_url, "job_database_url": settings.job_database_url}
    secured = {name: _secured(url, settings) for name, url in urls.items() if url is not None}
    return settings.model_copy(update=secured)


def _secured(url: str, settings: Settings) -> str:
    from tools.database.tls import secured

    try:
        return secured(url, settings.database_ca_file, required=True)
    except InvalidRequestError:
        return url  # the connection reports a malformed URL


def _with_stored(
    arguments: Mapping[str, Any],
    environment: Mapping[str, str],
    stored: Mapping[str, Any],
    defaults: Mapping[str, Any] | None,
) -> Settings:
    """The settings with the secret's. Raises UnavailableError for a bad value in it: the request is not at fault."""
    try:
        return load_settings(arguments, environment, stored=stored, defaults=defaults)
    except InvalidRequestError as error:
        raise UnavailableError("secrets", str(error)) from None


def settings_to_examine(
    arguments: Mapping[str, Any], environment: Mapping[str, str], defaults: Mapping[str, Any] | None = None
) -> Settings:
    """The settings as far as they can be known: without the secrets where these cannot be read.

    Raises InvalidRequestError for a bad value.
    """
    try:
        return aws_settings(arguments, environment, defaults)
    except UnavailableError:
        return _with_tls(load_settings(arguments, environment, defaults=defaults))
