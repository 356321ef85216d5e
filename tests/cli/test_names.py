"""Names as people really have them, from the command to the target table."""

from __future__ import annotations

import json

import pytest

from tests.cli.scene import Home

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.postgres]

LONG = "ein_ganz_langer_name_" * 3
"""63 bytes, as many as PostgreSQL takes."""
DERIVED = LONG.replace("ganz", "sehr")


def test_names_of_every_kind(home: Home) -> None:
    """Spaces, capitals, reserved words, 63 bytes, Unicode, another schema, views, and one table listed twice."""
    home.sql('DROP SCHEMA IF EXISTS "Verkäufe" CASCADE')
    home.sql('DROP TABLE IF EXISTS "select" CASCADE')
    home.sql('CREATE SCHEMA "Verkäufe"')
    home.sql(
        f'CREATE TABLE "select" ("Order Date" date, "group" text, "{LONG}" integer, "übergeordnet" integer, "Größe" '
        "numeric(6,2))"
    )
    rows = ["('2024-01-05', 'a', 1, NULL, 1.50)", "('2024-02-06', 'b', 2, 1, 2.25)", "('2024-03-07', 'b', 3, 1, NULL)"]
    home.sql(f'INSERT INTO "select" VALUES {", ".join(rows)}')
    home.sql(f'CREATE VIEW "Verkäufe"."Alle" AS SELECT * FROM "select" WHERE "{LONG}" < 3')
    home.sql('CREATE MATERIALIZED VIEW "Verkäufe".eltern AS SELECT * FROM "select"')
    specs = {
        "source_tables": [
            {"table_name": "select", "alias": "Kind"},
            {"table_name": "select", "alias": "order"},
            {"table_name": "Verkäufe.eltern", "alias": "mv"},
            {"table_name": "Verkäufe.Alle", "alias": "v"},
        ],
        "join_conditions": [
            {"left_table": "Kind", "right_table": "order", "left_column": "übergeordnet", "right_column": LONG},
            {"left_table": "Kind", "right_table": "mv", "on_columns": [LONG]},
            {"left_table": "Kind", "right_table": "v", "on_columns": [LONG], "join_type": "left"},
        ],
        "derived_columns": [{"name": DERIVED, "expression": f"Kind.{LONG} * 1"}],
        "transformations": [
            {
                "type": "rename",
                "description": "",
                "details": {"mapping": {"v.Größe": "Größe davon", "order.group": "where", "mv.Order Date": "Tag"}},
            }
        ],
        "target_table": {"name": "Verkäufe.Ergebnis Liste", "columns": [DERIVED, "Tag", "where", "Größe davon"]},
    }
    path = home.folder / "names.json"
    path.write_text(json.dumps({"specs": specs}), encoding="utf-8")
    answer = home.datamorph("run", str(path), "--json")
    assert answer.code == 0, answer.err
    found = home.sql('SELECT *, "Tag"::text FROM "Verkäufe"."Ergebnis Liste" ORDER BY 1')
    assert [(row[0], row[2], str(row[3]), row[4]) for row in found] == [
        (2, "a", "2.25", "2024-02-06"),
        (3, "a", "None", "2024-03-07"),
    ]
    (created,) = [warning for warning in answer.body["warnings"] if "was created" in warning]
    assert f"created: {DERIVED} integer, Tag date, where text, Größe davon numeric(6,2)" in created
