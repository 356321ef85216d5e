"""Connections are encrypted, and by a CA file the server is known to be the right one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.errors import InvalidRequestError, UnavailableError
from agent.settings import Settings, load_settings
from tests.fakes.tls_proxy import Authority, tls_server
from tools.aws.configuration import aws_settings
from tools.database.connection import Connector, server_version
from tools.database.database_url import given_parameters
from tools.database.tls import secured, unverified
from tools.doctor.aws_services import check_database
from tools.local_toolbox import local_database

CA = Path("/ca.pem")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what libpq is told of TLS otherwise."""
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGSERVICE", "PGHOST", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "ca_file", "required", "added"),
    [
        ("postgresql://u:p@h/d", CA, True, "?sslmode=verify-full&sslrootcert=%2Fca.pem"),
        ("postgresql://u:p@h/d", None, True, "?sslmode=require"),
        ("postgresql://u:p@h/d", None, False, ""),
        ("postgresql://u:p@h/d?connect_timeout=3", None, True, "&sslmode=require"),
        ("postgresql://u:a?b@h/d", None, True, "?sslmode=require"),
        ("postgresql://h/d?user=a@b", None, True, "&sslmode=require"),
        ("postgresql://u:p@h/d?sslmode=disable", CA, True, ""),
        ("postgresql://u:p@h/d?sslmode=require", CA, True, ""),
        ("postgresql://u:p@h/d?sslmode=verify-ca", CA, True, "&sslrootcert=%2Fca.pem"),
        ("postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=system", CA, True, ""),
        ("postgresql://u:p@h/d?service=shop", None, True, ""),
    ],
)
def test_a_url_gets_the_tls_that_it_says_nothing_about(
    url: str, ca_file: Path | None, required: bool, added: str
) -> None:
    """An sslmode of its own wins, wherever a question mark stands; libpq reads what is added, and nothing else new."""
    made = secured(url, ca_file, required=required)
    assert made == url + added
    before, after = given_parameters(url), given_parameters(made)
    assert {name: value for name, value in after.items() if name not in ("sslmode", "sslrootcert")} == {
        name: value for name, value in before.items() if name not in ("sslmode", "sslrootcert")
    }


def test_libpqs_own_variable_is_not_weakened(monkeypatch: pytest.MonkeyPatch) -> None:
    """PGSSLMODE=verify-full stays in force; a CA file of ours verifies whatever it says."""
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert secured("postgresql://h/d", None, required=True) == "postgresql://h/d"
    monkeypatch.setenv("PGSSLMODE", "disable")
    assert "sslmode=verify-full" in secured("postgresql://h/d", CA, required=True)


def test_a_url_that_cannot_be_read_is_refused() -> None:
    """Nothing is added to it."""
    with pytest.raises(InvalidRequestError):
        secured("postgresql://h/d?nonsense=1", CA)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://h/d", "prefer"),
        ("postgresql://h/d?sslmode=require", "require"),
        ("postgresql://h/d?sslmode=verify-ca", None),
        ("postgresql://h/d?sslmode=verify-full", None),
        ("postgresql:///d?host=/tmp/x", None),
        ("postgresql:///d", None),
        ("postgresql://a,b/d?sslmode=allow", "allow"),
        ("postgresql://?service=shop", None),
    ],
)
def test_a_server_that_is_not_verified_is_known(url: str, mode: str | None) -> None:
    """On this machine's own socket nobody stands between."""
    assert unverified(url) == mode


@dataclass(frozen=True)
class Served:
    """A PostgreSQL behind TLS, with a certificate for `localhost`."""

    port: int
    plain_port: int
    """Port of the same server without TLS."""
    right: Path
    """The CA that signed the certificate."""
    wrong: Path
    user: str
    """As it stands in a URL, with the password."""
    database: str

    def url(self, host: str = "localhost", more: str = "", port: int | None = None) -> str:
        """The database's URL, without a word about TLS."""
        return f"postgresql://{self.user}@{host}:{port or self.port}/{self.database}{more}"


@pytest.fixture
def served(postgres_url: str, tmp_path: Path) -> Iterator[Served]:
    """Serve the test's database with TLS and without."""
    given = given_parameters(postgres_url)
    upstream = f"{given['host']}/.s.PGSQL.5432"
    right, wrong = Authority(tmp_path, "right"), Authority(tmp_path, "wrong")
    with tls_server(upstream, right.server("localhost")) as port, tls_server(upstream, None) as plain_port:
        yield Served(
            port, plain_port, right.file, wrong.file, f"{given['user']}:{quote(given['password'])}", given["dbname"]
        )


def on_aws(url: str, ca_file: Path | None = None) -> Settings:
    """The settings of a function with this database."""
    given = {"engine": "glue", "config_secret": "none", "model": "compiler", "database_ca_file": ca_file}
    return aws_settings({**given, "database_url": url}, {})


def opened(settings: Settings) -> bool:
    """Open a session; whether it is encrypted."""
    assert settings.database_url is not None
    with Connector(settings.database_url).session() as connection:
        return connection.pgconn.ssl_in_use


@pytest.mark.postgres
def test_the_right_server_is_verified(served: Served) -> None:
    """By its CA and its name; doctor finds nothing."""
    settings = on_aws(served.url(), served.right)
    assert settings.database_url is not None and "verify-full" in settings.database_url
    assert opened(settings)
    assert check_database(settings).status == "ok"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("host", "ca", "words"),
    [
        ("localhost", "wrong", ["certificate verify failed", "DATAMORPH_DATABASE_CA_FILE", "CA that signed"]),
        ("127.0.0.1", "right", ["does not match host name", "as it stands in the server's certificate"]),
        ("localhost", "gone", ["gone.pem", "does not exist", "make package"]),
    ],
)
def test_another_server_is_refused(served: Served, host: str, ca: str, words: list[str]) -> None:
    """The message says what does not fit, and what to write."""
    settings = on_aws(served.url(host), served.right.with_name(f"{ca}.pem"))
    with pytest.raises(UnavailableError) as caught:
        opened(settings)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
    assert check_database(settings).status == "missing"


@pytest.mark.postgres
def test_without_a_ca_the_connection_is_encrypted_and_warned_of(served: Served) -> None:
    """Nobody reads along, but the server may be anybody."""
    settings = on_aws(served.url("127.0.0.1"))
    assert opened(settings)
    told = check_database(settings)
    assert told.status == "warning"
    assert told.detail.startswith("PostgreSQL ") and "sslmode=require" in told.detail
    assert "DATAMORPH_DATABASE_CA_FILE" in told.detail


@pytest.mark.postgres
def test_a_server_without_tls_is_refused_unless_the_url_says_so(served: Served) -> None:
    """A password is not sent in the clear by mistake."""
    with pytest.raises(UnavailableError, match="does not support SSL.*sslmode=disable"):
        opened(on_aws(served.url(port=served.plain_port)))
    plain = on_aws(served.url(more="?sslmode=disable", port=served.plain_port), served.right)
    assert not opened(plain)
    assert check_database(plain).status == "warning"


@pytest.mark.postgres
def test_a_machine_of_ones_own_verifies_where_it_is_told_to(served: Served) -> None:
    """The embedded engine demands no TLS by itself, and takes the CA file as it is on AWS."""
    plain = load_settings({"database_url": served.url(port=served.plain_port)}, {})
    with local_database(plain) as database:
        assert server_version(database.url)
    wrong = load_settings({"database_url": served.url(), "database_ca_file": served.wrong}, {})
    with local_database(wrong) as database, pytest.raises(UnavailableError, match="certificate verify failed"):
        server_version(database.url)
