"""TLS in front of the embedded PostgreSQL, which is built without: a server that speaks it as PostgreSQL does."""

from __future__ import annotations

import datetime
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SSL_REQUEST = 80877103
_GSS_REQUEST = 80877104


class Authority:
    """A CA of the test's own; its certificate is in `file`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._key = folder, name, ec.generate_private_key(ec.SECP256R1())
        self._made = _certificate(name, self._key, name, self._key, ca=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._made.public_bytes(serialization.Encoding.PEM))

    def server(self, host: str) -> ssl.SSLContext:
        """TLS context of a server with a certificate for this host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(host, key, self._name, self._key, ca=False)
        plain = serialization.NoEncryption()
        held = self._folder / f"{self._name}-{host}.pem"
        held.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(held)
        return context


def _certificate(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(names[1], names[0], key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
    return builder.sign(signer, hashes.SHA256())


@contextmanager
def tls_server(upstream: str, context: ssl.SSLContext | None) -> Iterator[int]:
    """Serve the PostgreSQL behind a unix socket on a port of this machine; without a context it speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, upstream, context), daemon=True).start()
        yield listening.getsockname()[1]
        # Closing alone leaves a thread that waits in accept().
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, upstream: str, context: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, upstream, context), daemon=True).start()


def _serve(client: socket.socket, upstream: str, context: ssl.SSLContext | None) -> None:
    """Answer what is asked before a session, and hand on the rest both ways."""
    with suppress(OSError, struct.error), closing(client), socket.socket(socket.AF_UNIX) as server:
        server.connect(upstream)
        first = client.recv(8)
        while (asked := struct.unpack("!ii", first)[1]) in (_SSL_REQUEST, _GSS_REQUEST):
            if asked == _SSL_REQUEST and context is not None:
                client.sendall(b"S")
                with context.wrap_socket(client, server_side=True) as encrypted:
                    _hand_on(encrypted, server)
                return
            client.sendall(b"N")
            first = client.recv(8)
        server.sendall(first)
        _hand_on(client, server)


def _hand_on(client: socket.socket, server: socket.socket) -> None:
    """Until either side ends; in one thread, for OpenSSL lets no second one at a connection."""
    while True:
        waiting = isinstance(client, ssl.SSLSocket) and client.pending()
        for source in [client] if waiting else select.select([client, server], [], [])[0]:
            if not (data := source.recv(65_536)):
                return
            (server if source is client else client).sendall(data)
