from typing import Any

import pytest

from agent.preconditions import refusals, warnings_for
from agent.snapshot import Column, ForeignKey, Snapshot, Source, Target
from tests.database.scene import request

COLUMNS = (
    Column(name="id", type="integer", nullable=False),
    Column(name="note", type="text"),
    Column(name="made", type="timestamp without time zone", nullable=False, has_default=True),
    Column(name="loud", type="text", generated=True),
    Column(name="extra", type="money"),
    Column(name="number", type="bigint", nullable=False, identity="always"),
)

SPAN = Column(name="u", type="interval", nullable=False)


def snapshot(**target: Any) -> Snapshot:
    """Make a snapshot with an existing target."""
    given = {"name": "summary", "exists": True, "columns": COLUMNS, **target}
    return Snapshot(sources=(), target=Target(**given), origin="database")


def key(deferrable: bool, on_delete: Any) -> tuple[ForeignKey, ...]:
    """Make a foreign key of another table."""
    return (ForeignKey(name="child_fk", table="public.child", deferrable=deferrable, on_delete=on_delete),)


@pytest.mark.parametrize(
    ("wanted", "target", "path", "word"),
    [
        ({"write_mode": "merge"}, {}, "keys", "needs the columns that identify a row"),
        ({"write_mode": "merge"}, {"unique_keys": (("id",),)}, "keys", "identify a row, as ['id']"),
        ({"write_mode": "merge", "keys": ["id"]}, {}, "keys", "not unique by (id); it has no unique key"),
        ({"write_mode": "merge", "keys": ["note"]}, {"unique_keys": (("id",),)}, "keys", "its unique keys are (id)"),
        ({"write_mode": "merge", "keys": ["idd"]}, {"unique_keys": (("idd",),)}, "keys[0]", "did you mean 'id'?"),
        ({"columns": ["id", "note"], "keys": ["made"]}, {}, "keys[0]", "gets no column 'made'"),
        ({}, {"has_rows": True}, "write_mode", "'overwrite' replaces all rows, 'append' adds to them"),
        ({}, {"has_rows": True}, "write_mode", "'merge' with keys"),
        ({}, {"incoming_foreign_keys": key(False, "no action")}, "name", "'child_fk' of public.child"),
        ({}, {"incoming_foreign_keys": key(True, "cascade")}, "name", "ON DELETE CASCADE"),
        ({}, {"incoming_foreign_keys": key(True, "set null")}, "name", "ON DELETE SET NULL"),
        ({}, {"incoming_foreign_keys": key(True, "set default")}, "name", "ON DELETE SET DEFAULT"),
        ({}, {"incoming_foreign_keys": key(True, "restrict")}, "name", "ON DELETE RESTRICT"),
        ({}, {"rules": ("away",)}, "name", "rule 'away' leads what is written to summary elsewhere"),
        ({"columns": ["id", "nte"]}, {}, "columns[1].name", "did you mean 'note'?"),
        ({"columns": ["id", "loud"]}, {}, "columns[1].name", "leave it out"),
        ({"columns": ["id", "extra"]}, {}, "columns[1].name", "money"),
        ({"columns": ["note"]}, {}, "columns", "'id' of summary is NOT NULL"),
        ({"columns": [{"name": "id", "type": "interval"}]}, {"exists": False}, "columns[0].type", "interval"),
        ({"columns": [{"name": "id", "type": "interval"}]}, {}, "columns[0].type", "'interval'"),
        ({"columns": [{"name": "id"}, {"name": "extra", "type": "interval"}]}, {}, "columns[1].name", "'money'"),
        ({"columns": ["id", "id"]}, {}, "columns[1].name", "'id' is listed twice"),
        ({"columns": ["id", "Id"]}, {"exists": False}, "columns[1].name", "'id' and 'Id' differ only in case"),
        (
            {},
            {"columns": (*COLUMNS, SPAN)},
            "name",
            "'u' is of type interval, which is not supported, and is NOT",
        ),
        ({}, {"columns": (SPAN,)}, "name", "column 'u' is of type interval"),
        ({}, {"columns": COLUMNS[3:5]}, "name", "no column that could be filled"),
        ({}, {"columns": (*COLUMNS, Column(name="NOTE", type="text"))}, "name", "'note' and 'NOTE' of summary"),
    ],
)
def test_what_publish_could_not_do_is_refused(
    wanted: dict[str, Any], target: dict[str, Any], path: str, word: str
) -> None:
    """Each obstacle is one problem with its place and what to do."""
    [problem] = refusals(request({"name": "summary", **wanted}), snapshot(**target))
    assert problem.path == f"specs.target_table.{path}"
    assert word in problem.message


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ({}, {}),
        ({}, {"has_rows": True, "published_before": True}),
        ({"write_mode": "overwrite"}, {"has_rows": True}),
        ({"write_mode": "append"}, {"has_rows": True, "incoming_foreign_keys": key(False, "cascade")}),
        ({"write_mode": "merge", "keys": ["note", "id"]}, {"has_rows": True, "unique_keys": (("id", "note"),)}),
        (
            {"write_mode": "merge", "keys": ["id"]},
            {"unique_keys": (("id",),), "incoming_foreign_keys": key(False, "restrict")},
        ),
        ({"write_mode": "merge", "keys": ["anything"]}, {"exists": False, "columns": ()}),
        ({}, {"incoming_foreign_keys": key(True, "no action")}),
        ({"columns": ["id", "number"]}, {}),
        ({"columns": [{"name": "id", "type": "int4"}]}, {}),
        ({}, {"columns": (*COLUMNS, SPAN.model_copy(update={"nullable": True}))}),
        ({}, {"columns": (*COLUMNS, SPAN.model_copy(update={"has_default": True}))}),
        ({}, {"columns": (*COLUMNS, Column(name="EXTRA", type="text"))}),
        ({"columns": ["anything"]}, {"exists": False, "columns": ()}),
    ],
)
def test_what_publish_can_do_passes(wanted: dict[str, Any], target: dict[str, Any]) -> None:
    """Nothing stands in the way."""
    assert refusals(request({"name": "summary", **wanted}), snapshot(**target)) == []


def test_columns_that_spark_cannot_tell_apart_are_refused() -> None:
    """A source is read whole, so that one such pair is enough to fail every job."""
    plain, odd = (
        Source(key=name, table=name, columns=tuple(Column(name=column, type="text") for column in columns))
        for name, columns in (("orders", ("id", "note")), ("items", ("id", "Note", "ID")))
    )
    seen = snapshot().model_copy(update={"sources": (plain, odd)})
    [problem] = refusals(request(sources=["orders", "items"]), seen)
    assert problem.path == "specs.source_tables[1].table_name"
    assert "'id' and 'ID' of items differ only in case" in problem.message


def test_triggers_and_row_security_are_warnings() -> None:
    """They do not forbid a publish, and are told."""
    trigger, security = warnings_for(snapshot(triggers=("stamp",), row_security=True))
    assert "'stamp'" in trigger
    assert "row security" in security
    assert warnings_for(snapshot()) == []
