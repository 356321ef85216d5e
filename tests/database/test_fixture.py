import psycopg
import pytest

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_an_empty_database(postgres_url: str, turn: int) -> None:
    """A table made by one test is not there for the next."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE leftover (turn integer)")
        assert connection.execute("SELECT count(*) FROM leftover").fetchone() == (0,)
