"""The database's URL as libpq reads it, and the place that it names, without user and password."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from agent.errors import InvalidRequestError, Problem
from agent.settings import Settings

_MALFORMED = (
    "the database URL is malformed; percent-encode special characters in the password ('@' is %40, '/' is %2F, "
    "'%' is %25); the form is postgresql://user:password@host:5432/database"
)


def checked_url(url: str) -> str:
    """Return the URL. Raises InvalidRequestError, which quotes no part of it, when libpq misreads it."""
    given_parameters(url)
    return url


def location(url: str) -> str:
    """The database's place: `host:port/name`, with several hosts `a:5432,b:5432/name`, or `service NAME`.

    libpq fills in missing parts, from the environment or its defaults. Raises InvalidRequestError.
    """
    given = given_parameters(url)
    if service := given.get("service"):
        beside = [f"{name} {given[name]}" for name in ("host", "hostaddr", "port", "dbname") if given.get(name)]
        return f"service {service}" + (f" with {', '.join(beside)}" if beside else "")
    parameters = completed(given)
    return f"{hosts(parameters)}/{database_name(parameters)}"


def database_place(settings: Settings) -> str:
    """The place of the settings' database, without credentials, which a run is bound to; `none` when none is named.

    Raises InvalidRequestError as `checked_url`.
    """
    if settings.database_url is not None:
        return location(settings.database_url)
    return f"embedded in {settings.home.resolve()}" if settings.engine == "local" else "none"


def given_parameters(url: str) -> dict[str, str]:
    """The connection parameters that the URL itself gives, decoded. Raises InvalidRequestError as `checked_url`."""
    malformed = InvalidRequestError([Problem("--database-url", _MALFORMED)])
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except (psycopg.ProgrammingError, UnicodeError):
        # libpq's own message repeats the URL with the password.
        raise malformed from None
    if _misread(url, given):
        raise malformed
    return given


def completed(given: Mapping[str, str]) -> dict[str, str]:
    """The parameters, completed as libpq does: from the environment, the service and the defaults."""
    defaults = {option.keyword.decode(): option.val for option in pq.Conninfo.get_defaults()}
    return {**{name: value.decode() for name, value in defaults.items() if value is not None}, **given}


def role_of(url: str | None) -> str | None:
    """The role that logs in by the URL; None without one. Raises InvalidRequestError as `checked_url`."""
    return None if url is None else completed(given_parameters(url)).get("user")


def passwords(url: str) -> list[str]:
    """The passwords of a connection to the URL. Raises InvalidRequestError as `checked_url`."""
    return [value for name, value in completed(given_parameters(url)).items() if name.endswith("password")]


def hosts(parameters: Mapping[str, str]) -> str:
    """`host:port` of each host in turn, joined by commas."""
    names, addresses, ports = (parameters.get(key, "").split(",") for key in ("host", "hostaddr", "port"))
    # Where both are given, libpq connects to the address and uses the name for certificates alone.
    places = [address or name or "localhost" for name, address in zip_longest(names, addresses, fillvalue="")]
    ports = ports * len(places) if len(ports) == 1 else ports
    return ",".join(
        f"[{place}]:{port or 5432}" if ":" in place else f"{place}:{port or 5432}"
        for place, port in zip_longest(places, ports, fillvalue="")
    )


def database_name(parameters: Mapping[str, str]) -> str:
    """The database's name; without one it is the user's."""
    return parameters.get("dbname") or parameters.get("user") or "(default)"


def after_user(url: str) -> str:
    """The part of the URL behind user and password, whose end libpq finds so."""
    rest = url.partition("://")[2]
    user, at, after = rest.partition("@")
    return after if at and "/" not in user else rest


def _misread(url: str, given: Mapping[str, str]) -> bool:
    """Tell whether libpq takes a part of the password for host, port or name."""
    rest = after_user(url)
    ports = given.get("port", "").split(",")
    return "@" in rest.partition("?")[0] or not all(_is_port(port) for port in ports)


def _is_port(port: str) -> bool:
    return port == "" or (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536)
