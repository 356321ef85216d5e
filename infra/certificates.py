"""The CA certificates with which the function verifies its database, read from a file or URL and checked by hash."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from pathlib import Path

NAME = "database-ca.pem"
"""The file's name in the package; Lambda unpacks it to `/var/task/database-ca.pem`."""
_SECONDS = 30
_LARGEST_BYTES = 5_000_000


class CertificatesError(Exception):
    """The CA file was refused; the message says why, and what to do."""


def certificates(source: str, sha256: str | None) -> bytes:
    """Return the CA file at a path or http(s) address. Raises CertificatesError unless it has this SHA-256."""
    if sha256 is None or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise CertificatesError(
            f"CA_FILE={source} needs CA_SHA256=…, the SHA-256 of the file as 64 hexadecimal digits: download the file "
            "where you trust the way, compare it with what its publisher says, and take the hash with `sha256sum`"
        )
    content = _content(source)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.lower():
        raise CertificatesError(
            f"{source} has the SHA-256 {found}, not {sha256.lower()}: if its publisher has renewed it, look at it and "
            "give the new hash; nothing was packaged"
        )
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise CertificatesError(f"{source} holds no certificate in PEM form, `-----BEGIN CERTIFICATE-----`")
    return content


def _content(source: str) -> bytes:
    try:
        if not source.startswith(("https://", "http://")):
            return Path(source).read_bytes()
        with urllib.request.urlopen(source, timeout=_SECONDS) as answer:
            content: bytes = answer.read(_LARGEST_BYTES + 1)
    except (OSError, urllib.error.URLError) as error:
        raise CertificatesError(f"{source} cannot be read: {error}; give another path or address as CA_FILE") from None
    if len(content) > _LARGEST_BYTES:
        raise CertificatesError(
            f"{source} is larger than {_LARGEST_BYTES / 1e6:.0f} MB: this is no file of certificates"
        )
    return content
