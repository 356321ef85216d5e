"""TLS to the database: the mode of a URL that names none, and advice for a connection that fails."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlencode

from tools.database.database_url import after_user, completed, given_parameters

_VERIFYING = ("verify-ca", "verify-full")


def secured(url: str, ca_file: Path | None, *, required: bool = False) -> str:
    """The URL with TLS: `verify-full` against the CA file, without one `require` where that is `required`.

    An sslmode of the URL's own stays, and without a CA file that of its service or of PGSSLMODE. Raises
    InvalidRequestError as `checked_url`.
    """
    given = given_parameters(url)
    elsewhere = "service" in given or "PGSSLMODE" in os.environ or "PGSERVICE" in os.environ
    wanted: dict[str, str] = {}
    if "sslmode" not in given and ca_file is not None:
        wanted["sslmode"] = "verify-full"
    elif "sslmode" not in given and required and not elsewhere:
        wanted["sslmode"] = "require"
    # Not with another mode: given a CA file, libpq treats `require` as `verify-ca`.
    if ca_file is not None and (given | wanted).get("sslmode") in _VERIFYING and "sslrootcert" not in given:
        wanted["sslrootcert"] = str(ca_file.resolve())
    if not wanted:
        return url
    return f"{url}{'&' if '?' in after_user(url) else '?'}{urlencode(wanted)}"


def unverified(url: str) -> str | None:
    """The sslmode of a connection whose server is not verified; None where it is, or where no network is between.

    A service file is not read.
    """
    given = given_parameters(url)
    parameters = completed(given)
    hosts = parameters.get("hostaddr") or parameters.get("host") or ""
    if "service" in given or all(not host or host.startswith(("/", "@")) for host in hosts.split(",")):
        return None
    mode = parameters.get("sslmode", "prefer")
    return None if mode in _VERIFYING else mode


def advice(words: str) -> str | None:
    """Advice for libpq's message about a TLS connection that failed; None for other messages."""
    return next((told for mark, told in _ADVICE.items() if mark in words), None)


_ADVICE = {
    "certificate verify failed": "the file that DATAMORPH_DATABASE_CA_FILE, or sslrootcert in the URL, names must hold "
    "the certificate of the CA that signed the server's",
    "does not match host name": "write the host in the URL or the secret as it stands in the server's certificate",
    "root certificate file": "put the CA's certificate into that file, or name the right one with "
    "DATAMORPH_DATABASE_CA_FILE; `make package CA_FILE=… CA_SHA256=…` puts one into the package",
    "server does not support SSL": "switch TLS on in the server, or write sslmode=disable into the URL or the secret",
}
"""Part of libpq's message to advice."""
