"""The database's CA goes into the package by its hash, from a file or over HTTP."""

from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from infra import certificates as module
from infra import lambda_zip, package
from infra.certificates import NAME, CertificatesError, certificates
from infra.lambda_zip import build_zip

PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SHA = hashlib.sha256(PEM).hexdigest()


class _Answers(BaseHTTPRequestHandler):
    """Gives the certificates under one path."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer."""
        self.send_response(200 if self.path == "/bundle.pem" else 404)
        self.end_headers()
        if self.path == "/bundle.pem":
            self.wfile.write(PEM)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Serve the certificates; gives the address of the server."""
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_file_with_the_hash_is_taken(address: str, tmp_path: Path) -> None:
    """From a path or an address; how the hash is spelt does not matter."""
    (tmp_path / "ca.pem").write_bytes(PEM)
    assert certificates(str(tmp_path / "ca.pem"), SHA) == PEM
    assert certificates(f"{address}/bundle.pem", SHA.upper()) == PEM


@pytest.mark.parametrize("sha256", [None, "", "abc", "g" * 64])
def test_nothing_is_taken_without_a_hash(address: str, sha256: str | None) -> None:
    """An address alone is not trusted, whoever answers there."""
    with pytest.raises(CertificatesError, match="CA_SHA256=…, .*sha256sum"):
        certificates(f"{address}/bundle.pem", sha256)


def test_another_file_is_refused(address: str) -> None:
    """Both hashes are told."""
    with pytest.raises(CertificatesError, match=f"{SHA}, not {'0' * 64}"):
        certificates(f"{address}/bundle.pem", "0" * 64)


@pytest.mark.parametrize("source", ["{address}/gone.pem", "http://127.0.0.1:1/x.pem", "/nowhere/ca.pem"])
def test_what_cannot_be_read_is_told(address: str, source: str) -> None:
    """With what was asked for."""
    asked = source.format(address=address)
    with pytest.raises(CertificatesError, match=f"{asked} cannot be read: "):
        certificates(asked, SHA)


def test_what_is_no_certificate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Though its hash is right; and an endless answer is not read to its end."""
    (tmp_path / "page.html").write_bytes(b"<html>")
    with pytest.raises(CertificatesError, match="no certificate in PEM form"):
        certificates(str(tmp_path / "page.html"), hashlib.sha256(b"<html>").hexdigest())
    monkeypatch.setattr(module, "_LARGEST_BYTES", 10)
    with pytest.raises(CertificatesError, match="larger than"):
        certificates(f"{address}/bundle.pem", SHA)


def test_the_certificates_stand_beside_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that Lambda has them at the path that the template's parameter names."""
    monkeypatch.setattr(lambda_zip, "install", lambda pinned, target: None)
    build_zip(package.ROOT, tmp_path / "work", tmp_path / "package.zip", PEM)
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        assert archive.read(NAME) == PEM
    text = (package.ROOT / "infra" / "template.yaml").read_text(encoding="utf-8")
    assert f"/var/task/{NAME}" in text


def test_a_wrong_hash_ends_make_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Before anything is built."""
    monkeypatch.setattr(package, "PYTHON", sys.version_info[:2])
    assert package.main(["--ca", f"{address}/bundle.pem", "--ca-sha256", "0" * 64]) == 1
    assert "nothing was packaged" in capsys.readouterr().err
