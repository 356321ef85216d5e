"""Sources as they are: columns that no job reads block nothing, domains, column grants, tables without samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent.compiler.reading import build_plan
from agent.errors import InvalidRequestError, PublishError, UnavailableError
from agent.request import parse_request
from agent.snapshot import Column, Snapshot
from agent.target_checks import warnings_for
from tests.fixtures.postgres import Users, as_role
from tests.tools.database.scene import STAGED, Sql, order, publish, request, stage
from tools.database import PostgresDatabase

pytestmark = pytest.mark.postgres

_ODD = "CREATE TABLE orders (id integer PRIMARY KEY, price money, place point, note text)"


def refused(event: dict[str, Any], snapshot: Snapshot) -> list[tuple[str, str]]:
    """Plan a specification that is refused, and return its problems."""
    specs = {"source_tables": ["orders"], "target_table": {"name": "summary"}, **event}
    with pytest.raises(InvalidRequestError) as caught:
        build_plan(parse_request({"run_id": "r1", "specs": specs}), snapshot)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_an_unsupported_column_blocks_nothing_until_it_is_needed(sql: Sql, database: PostgresDatabase) -> None:
    """The snapshot keeps it apart; a specification that names it, or that takes all columns, is refused with it."""
    sql(f"{_ODD}; INSERT INTO orders VALUES (1, 2, NULL, 'x')")
    snapshot = database.snapshot(request(), 10)
    source = snapshot.source("orders")
    assert [column.name for column in source.columns] == ["id", "note"]
    assert [(one.name, one.type) for one in source.unreadable] == [("price", "money"), ("place", "point")]
    assert source.samples == ({"id": 1, "note": "x"},)
    listed = {"name": "summary", "columns": ["id", "note"]}
    assert build_plan(request(listed), snapshot).outputs
    told = "column 'price': type 'money' is not supported; cast it to a supported type in a view"
    [(path, message)] = refused(
        {"target_table": listed, "filters": [{"column": "price", "operator": ">", "value": 1}]}, snapshot
    )
    assert (path, told in message) == ("specs.filters[0].column", True)
    whole = refused({}, snapshot)
    assert [path for path, _ in whole] == 2 * ["specs.source_tables[0]"]
    assert told in whole[0][1]


def test_a_name_that_may_be_an_unreadable_column_is_ambiguous(sql: Sql, database: PostgresDatabase) -> None:
    """The readable one is not taken in silence."""
    sql(f"{_ODD}; CREATE TABLE items (order_id integer, price numeric)")
    snapshot = database.snapshot(request(sources=["orders", "items"]), 0)
    event = {
        "source_tables": ["orders", "items"],
        "join_conditions": [
            {"left_table": "orders", "right_table": "items", "left_column": "id", "right_column": "order_id"}
        ],
        "target_table": {"name": "summary", "columns": ["note"]},
        "filters": [{"column": "price", "operator": ">", "value": 1}],
    }
    [(_, message)] = refused(event, snapshot)
    assert "'price' may be items.price; public.orders: column 'price'" in message


@pytest.fixture
def domains(sql: Sql) -> Sql:
    """Make domains: plain, nested, over an array, over an enum, with NOT NULL and with a default."""
    sql("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    sql("CREATE DOMAIN code AS varchar(3) CHECK (VALUE <> 'bad'); CREATE DOMAIN inner_code AS code CHECK (VALUE <> '')")
    sql(
        "CREATE DOMAIN amount AS numeric(8,2) CHECK (VALUE >= 0); CREATE DOMAIN tags AS text[]; CREATE DOMAIN m AS mood"
    )
    sql("CREATE DOMAIN needed AS integer NOT NULL DEFAULT 7")
    return sql


def test_a_domain_counts_as_its_base_type(domains: Sql, database: PostgresDatabase) -> None:
    """Nested ones too, with length, precision and labels. An array of domains is not supported."""
    domains("CREATE TABLE orders (c inner_code, a amount, t tags, m m, n needed, many code[])")
    domains("INSERT INTO orders VALUES ('abc', 1.5, '{x,y}', 'sad', 1, NULL)")
    source = database.snapshot(request(), 10).source("orders")
    assert source.columns == (
        Column(name="c", type="character varying(3)"),
        Column(name="a", type="numeric(8,2)"),
        Column(name="t", type="text[]"),
        Column(name="m", type="enum mood", labels=("sad", "happy")),
        Column(name="n", type="integer"),
    )
    assert source.samples == ({"c": "abc", "a": "1.50", "t": ["x", "y"], "m": "sad", "n": 1},)
    assert [(one.name, one.type) for one in source.unreadable] == [("many", "domain code[]")]


def test_a_domain_of_the_target_acts_at_publish(domains: Sql, database: PostgresDatabase) -> None:
    """Length and CHECK of a domain are those of PostgreSQL: nothing is cut, and the message names them."""
    domains("CREATE TABLE orders (id integer); CREATE TABLE summary (id amount, note inner_code, n needed)")
    target = database.snapshot(request(), 0).target
    assert [(column.type, column.nullable, column.has_default) for column in target.columns] == [
        ("numeric(8,2)", True, False), ("character varying(3)", True, False), ("integer", False, True),
    ]  # fmt: skip
    stage(domains, "(7, 'new'), (8, 'abc')")
    publish(database, order())
    assert domains("SELECT id, note, n FROM summary ORDER BY id") == [(7, "new", 7), (8, "abc", 7)]
    for values, words in (
        ("(7, 'long'), (8, 'abc')", "longer than character varying"),
        ("(7, 'bad'), (8, 'abc')", "value for domain inner_code violates check constraint"),
        ("(-7, 'abc'), (8, 'abc')", "value for domain amount violates check constraint"),
    ):
        domains(f"DROP TABLE datamorph_staging.{STAGED}")
        stage(domains, values)
        with pytest.raises(PublishError, match=words) as caught:
            publish(database, order(generation=2))
        assert caught.value.kind == "constraint"


def test_select_on_the_columns_that_are_read_is_enough(sql: Sql, users: Users) -> None:
    """The others are told by name, with the right that the jobs' role lacks."""
    sql("CREATE SCHEMA hr; CREATE TABLE hr.staff (id integer PRIMARY KEY, name text, salary numeric)")
    sql(f"INSERT INTO hr.staff VALUES (1, 'Ann', 100); GRANT USAGE ON SCHEMA hr TO {users.job_role}")
    database = PostgresDatabase(users.publisher, job_role=users.job_role)
    wanted = request(sources=["hr.staff"])
    with pytest.raises(UnavailableError, match=f"GRANT SELECT on hr.staff TO {users.job_role}"):
        database.snapshot(wanted, 10)
    sql(f"GRANT SELECT (name) ON hr.staff TO {users.job_role}")
    source = database.snapshot(wanted, 10).sources[0]
    assert ([column.name for column in source.columns], source.unique_keys) == (["name"], ())
    assert source.samples == ({"name": "Ann"},)
    assert source.unreadable[1].reason == (
        f"column 'salary': jobs run as role '{users.job_role}', which may not read hr.staff: "
        f"GRANT SELECT (salary) ON hr.staff TO {users.job_role}"
    )


@pytest.fixture
def reader(sql: Sql, postgres_url: str) -> Iterator[str]:
    """Make a role that may create in the database's schema, and give its name."""
    sql(
        "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'reader';"
        " GRANT CREATE ON SCHEMA public TO reader"
    )
    sql("CREATE SCHEMA IF NOT EXISTS datamorph_staging")
    try:
        yield as_role(postgres_url, "reader")
    finally:
        sql("DROP OWNED BY reader CASCADE; DROP ROLE reader")


def test_rows_that_row_security_hides_are_told(sql: Sql, reader: str) -> None:
    """A job reads what the policies show to its role, which nobody sees in the result."""
    sql("CREATE TABLE orders (id integer); ALTER TABLE orders ENABLE ROW LEVEL SECURITY; INSERT INTO orders VALUES (1)")
    sql("GRANT SELECT ON orders TO reader")
    snapshot = PostgresDatabase(reader).snapshot(request(), 10)
    [warning] = warnings_for(request(), snapshot)
    assert warning.startswith(
        "public.orders has row security: jobs read the rows that its policies show to role 'reader'"
    )


@pytest.mark.parametrize("kind", ["foreign table", "locked", "partition elsewhere"])
def test_a_source_that_cannot_be_sampled_says_so(sql: Sql, database: PostgresDatabase, kind: str) -> None:
    """The snapshot is taken all the same, and the answer holds the reason."""
    sql("CREATE FOREIGN DATA WRAPPER broken; CREATE SERVER away FOREIGN DATA WRAPPER broken")
    if kind == "foreign table":
        sql("CREATE FOREIGN TABLE orders (id integer) SERVER away")
    elif kind == "partition elsewhere":
        sql("CREATE TABLE orders (id integer) PARTITION BY LIST (id)")
        sql("CREATE FOREIGN TABLE far PARTITION OF orders FOR VALUES IN (1) SERVER away")
    else:
        sql("CREATE TABLE orders (id integer)")
        sql("BEGIN")
        sql("LOCK TABLE orders")
    snapshot = database.snapshot(request(), 10)
    source = snapshot.source("orders")
    assert (source.samples_from, [column.name for column in source.columns]) == ("none", ["id"])
    [warning] = warnings_for(request(), snapshot)
    assert warning.startswith("public.orders: no sample rows could be read (")
    assert warning.endswith("the dry run has made rows alone")
