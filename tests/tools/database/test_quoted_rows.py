"""PostgreSQL quotes values of rows in its errors, and none of them is left after redaction."""

from __future__ import annotations

import psycopg
import pytest

from agent.redaction import redact

pytestmark = pytest.mark.postgres

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN "Odd Name" AS integer;
CREATE TABLE people (id integer PRIMARY KEY, "full name" text UNIQUE, n numeric(3,0) CHECK (n > 0), parent integer
  REFERENCES people, note text NOT NULL DEFAULT '');
CREATE TABLE parts (day date, id integer) PARTITION BY RANGE (day);
CREATE TABLE spans (span int4range, EXCLUDE USING gist (span WITH &&)); INSERT INTO spans VALUES ('[1,471147)');
INSERT INTO people VALUES (1, 'Xyzzy17', 1), (471147, 'other', 1);
"""


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'Xyzzy17'::integer",
        "SELECT E'Xyzzy17\\nXyzzy17'::integer",
        "SELECT 'Xyzzy17'::mood",
        "SELECT 'Xyzzy17'::\"Odd Name\"",
        "SELECT '471147471147'::integer",
        "SELECT '1e471147'::float8",
        "SELECT '471147-47-47'::date",
        "SELECT '47:47'::time",
        "SELECT '2024-13-47'::timestamptz",
        "SELECT timestamptz '2024-01-01 00:00 Xyzzy_17'",
        "SELECT now() AT TIME ZONE 'Xyzzy'",
        "SELECT to_date('Xyzzy17', 'YYYY')",
        "SELECT to_timestamp('2024-47', 'YYYY-MM')",
        "SELECT '{Xyzzy17'::integer[]",
        "SELECT '[Xyzzy17'::int4range",
        "SELECT '(Xyzzy17'::people",
        "SELECT '{\"a\": Xyzzy17}'::json",
        'SELECT \'{"a" "Xyzzy17"}\'::jsonb',
        "SELECT 'Xyzzy17'::uuid",
        "SELECT '\\xXyzzy17'::bytea",
        "SELECT decode('Xyzzy17!', 'base64')",
        "SELECT 'Xyzzy17'::interval",
        "SELECT 'Xyzzy17'::inet",
        "SELECT 'Xyzzy17'::bit(3)",
        "SELECT jsonb_path_query('\"Xyzzy17\"', '$.double()')",
        "INSERT INTO people VALUES (2, 'Xyzzy17', 1)",
        "INSERT INTO people VALUES (1, E'Xyzzy17\\nXyzzy17', 1)",
        "INSERT INTO people VALUES (3, 'Xyzzy17)', -471147 + 471146)",
        "INSERT INTO people VALUES (4, E'Xyzzy17). \\n(471147', 1, 1, NULL)",
        "INSERT INTO people VALUES (5, 'x', 1, 4711)",
        "INSERT INTO people VALUES (5, 'x', 471147)",
        "UPDATE people SET id = 1 WHERE id = 471147",
        "INSERT INTO parts VALUES ('4711-01-01', 1)",
        "INSERT INTO spans VALUES ('[4711,471147)')",
        "CREATE UNIQUE INDEX ON people ((lower(\"full name\") = 'x'))",
    ],
)
def test_no_value_is_left_of_a_real_error(postgres_url: str, statement: str) -> None:
    """In message, detail and context, with line breaks and without."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SETUP)
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement)
    told = caught.value.diag
    lines = [told.message_primary, f"DETAIL: {told.message_detail}", f"CONTEXT: {told.context}"]
    for text in ("\n".join(map(str, lines)), " ".join(" ".join(map(str, lines)).split())):
        for value in ("Xyzzy", "4711", "47-47", "47:47", "-47"):
            assert value not in redact(text), text


@pytest.mark.parametrize("line", ["Xyzzy17\tx\t1", "2\tXyzzy17\tXyzzy17", "2\tXyzzy17", "1\tXyzzy17\t1"])
def test_no_value_is_left_of_a_copy(postgres_url: str, line: str) -> None:
    """Nor of the line that it names."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SETUP)
        with (
            pytest.raises(psycopg.Error) as caught,
            connection.cursor().copy('COPY people (id, "full name", n) FROM STDIN') as copy,
        ):
            copy.write(f"{line}\n")
    told = caught.value.diag
    text = f"{told.message_primary}\nDETAIL: {told.message_detail}\nCONTEXT: {told.context}"
    assert "Xyzzy17" not in redact(text), text
