import pytest

from agent.errors import InvalidRequestError, UnavailableError
from tools.database.connection import Connector, checked_url, location

ENVIRONMENT = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take libpq's own variables away."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("postgresql://me:hunter2@db.example:6543/sales", "db.example:6543/sales"),
        ("postgres://me:hunter2@db.example/sales?sslmode=require", "db.example:5432/sales"),
        ("postgresql://postgres@/postgres?host=%2Ftmp%2Fx", "/tmp/x:5432/postgres"),
        ("postgresql://me:hunter2#x@h/d", "h:5432/d"),
        ("postgresql://me:hunter2?x@h/d", "h:5432/d"),
        ("postgresql://me:hunter2%2F%40x@h/d%40e", "h:5432/d@e"),
        ("postgresql://h/d?user=me@work", "h:5432/d"),
        ("postgresql://me@h/d?password=hunter2&port=7&dbname=e", "h:7/e"),
        ("postgresql://me@name/d?hostaddr=10.1.2.3", "10.1.2.3:5432/d"),
        ("postgresql://me:hunter2@a:1,b:2/d", "a:1,b:2/d"),
        ("postgresql://me@a,b:2/d", "a:5432,b:2/d"),
        ("postgresql://me@a,b/d?port=7", "a:7,b:7/d"),
        ("postgresql://me@[::1]:7/d", "[::1]:7/d"),
        ("postgresql://me@h", "h:5432/me"),
        ("postgresql://me@", "localhost:5432/me"),
        ("postgresql://me:hunter2@?service=shop", "service shop"),
        ("postgresql://me@h/d?service=shop", "service shop with host h, dbname d"),
    ],
)
def test_a_database_is_told_without_its_credentials(url: str, where: str) -> None:
    """As libpq reads the URL, wherever in it a thing stands; what a run is bound to holds no password."""
    assert location(checked_url(url)) == where


def test_what_the_url_leaves_out_is_libpq_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment comes before the defaults."""
    for name, value in (("PGHOST", "elsewhere"), ("PGPORT", "7"), ("PGDATABASE", "shop")):
        monkeypatch.setenv(name, value)
    assert location("postgresql://") == "elsewhere:7/shop"
    assert location("postgresql://h:8/d") == "h:8/d"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hun/ter2@h/d",
        "postgresql://me:hun@ter2@h/d",
        "postgresql://me:12/hunter2@h/d",
        "postgresql://me:hunter2/x?y@h/d",
        "postgresql://me:hunter2%zz@h/d",
        "postgresql://me:hunter2%00@h/d",
        "postgresql://me:hunter2 x@h/d",
        "postgresql://me:hunter2\ud800@h/d",
        "postgresql://me:hunter2/d",
        "postgresql://me:123456789/d",
        "postgresql://me@h/d?hunter2",
        "postgresql://me@h/d?hunter2=x",
    ],
)
def test_a_url_that_libpq_would_misread_is_refused_without_being_repeated(url: str) -> None:
    """The words say what to do, at the door and of a connection, and show no part of the URL."""
    for look in (checked_url, location):
        with pytest.raises(InvalidRequestError, match="percent-encode special characters in the password") as refused:
            look(url)
        [problem] = refused.value.problems
        assert problem.path == "--database-url"
    with pytest.raises(UnavailableError, match="percent-encode") as caught, Connector(url).session():
        pass
    told = f"{refused.value} {caught.value} {refused.value.__cause__} {caught.value.__cause__}"
    assert not [part for part in ("hun", "ter2", "12", "@h", "me:") if part in told.replace("user:password@host", "")]


@pytest.mark.parametrize("password", ["hunter2", "hunter2#x", "hunter2?x", "h%2Funter2", "hunter2%40", "hunter2,x:y"])
def test_an_unreachable_database_is_told_without_odd_passwords(password: str) -> None:
    """Neither as written nor decoded."""
    connector = Connector(f"postgresql://me:{password}@127.0.0.1:1/d", connect_timeout=2)
    with pytest.raises(UnavailableError, match="cannot be reached") as caught, connector.session():
        pass
    assert "unter2" not in f"{caught.value} {caught.value.__cause__}"
