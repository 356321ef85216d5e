"""Reasons to refuse a target, and warnings, from the snapshot alone."""

from __future__ import annotations

from typing import Any

import pytest

from agent.snapshot import Column, ForeignKey, SideRule, Snapshot, Source, Target
from agent.target_checks import refusals, warnings_for
from tests.tools.database.scene import request

COLUMNS = (
    Column(name="id", type="integer", nullable=False),
    Column(name="note", type="text"),
    Column(name="made", type="timestamp without time zone", nullable=False, has_default=True),
    Column(name="loud", type="text", generated=True),
    Column(name="extra", type="money"),
    Column(name="number", type="bigint", nullable=False, identity="always"),
)

BY_ID: dict[str, Any] = {"unique_keys": (("id",),)}
SIDE = (SideRule(name="also", event="insert"), SideRule(name="gone", event="delete"))
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
        ({}, {"foreign_partitions": ("public.part",)}, "name", "on another server, public.part, which commit"),
        ({}, {"heirs": ("public.kid", "public.son")}, "name", "summary is inherited by public.kid, public.son,"),
        ({"write_mode": "merge", "keys": ["id"]}, {**BY_ID, "heirs": ("public.kid",)}, "name", "use 'append'"),
        ({"write_mode": "merge", "keys": ["id"]}, {**BY_ID, "side_rules": SIDE}, "write_mode", "a rule, as 'also'"),
        ({"columns": ["id", "nte"]}, {}, "columns[1].name", "did you mean 'note'?"),
        ({"columns": ["id", "loud"]}, {}, "columns[1].name", "leave it out"),
        (
            {"columns": ["id", "extra"]},
            {},
            "columns[1].name",
            "type 'money' is not supported; change it to a supported type, or leave it out of `columns`",
        ),
        (
            {"columns": ["day"]},
            {"columns": (Column(name="day", type="domain monday", nullable=False),)},
            "columns[0].name",
            "type 'domain monday' is not supported; change the column to the type that the domain stands for",
        ),
        ({"columns": ["note"]}, {}, "columns", "'id' of summary is NOT NULL"),
        (
            {"columns": [{"name": "id", "type": "interval"}]},
            {"exists": False},
            "columns[0].type",
            "type 'interval' is not supported; supported are bigint, boolean, ",
        ),
        ({"columns": [{"name": "id", "type": "intger"}]}, {"exists": False}, "columns[0].type", "mean 'integer'?"),
        ({"columns": [{"name": "id", "type": "varchr(3)"}]}, {}, "columns[0].type", "did you mean 'varchar'?"),
        ({"columns": [{"name": "id", "type": "numeric(50,2)"}]}, {}, "columns[0].type", "at most 38 digits"),
        ({"columns": [{"name": "id", "type": "interval"}]}, {}, "columns[0].type", "'interval'"),
        (
            {"columns": [{"name": "id", "type": "timestamp(0) with time zone"}]},
            {"exists": False},
            "columns[0].type",
            "would round times to 0 digits: write 'timestamp'",
        ),
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
        ({"write_mode": "append"}, {"heirs": ("public.kid",), "side_rules": SIDE}),
        ({"write_mode": "merge", "keys": ["id"]}, {**BY_ID, "side_rules": SIDE[1:]}),
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


def test_triggers_rules_and_row_security_are_warnings() -> None:
    """They do not forbid a publish, and are told."""
    seen = snapshot(triggers=("stamp",), side_rules=SIDE[:1], row_security=True)
    trigger, rule, security = warnings_for(request(), seen)
    assert "'stamp'" in trigger
    assert "rule 'also' on summary acts on the rows that publish writes" in rule
    assert "row security" in security
    assert warnings_for(request(), snapshot()) == []


@pytest.mark.parametrize(
    ("mode", "told"), [(None, ["also", "gone"]), ("overwrite", ["also", "gone"]), ("append", ["also"])]
)
def test_rules_are_told_that_the_write_mode_sets_off(mode: str | None, told: list[str]) -> None:
    """Nothing is deleted in `append`."""
    found = warnings_for(request({"name": "summary", "write_mode": mode}), snapshot(side_rules=SIDE))
    assert [warning.split("'")[1] for warning in found] == told


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("text", "character varying(20)"),
        ("varchar", "character varying(20)"),
        ("varchar(5)", "character varying(20)"),
        ("bigint", "integer"),
        ("numeric(10,2)", "numeric(12,2)"),
        ("enum mood", "enum temper"),
        ("int[]", "bigint[]"),
    ],
)
def test_a_declared_type_that_does_not_count_is_told(declared: str, found: str) -> None:
    """Both are named; the existing table is not altered."""
    wanted = {"name": "summary", "columns": [{"name": "x", "type": declared}]}
    [warning] = warnings_for(request(wanted), snapshot(columns=(Column(name="x", type=found),)))
    assert warning == (
        f"specs.target_table.columns[0].type: '{declared}' is declared, and 'x' of summary is {found}; "
        "the table's own type counts"
    )


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ("int4", "integer"),
        ("serial", "integer"),
        ("decimal(10, 2)", "numeric(10,2)"),
        ("varchar(5)", "character varying(5)"),
        ("char", "character(1)"),
        ("_int4", "integer[]"),
        ("timestamptz", "timestamp with time zone"),
        ("enum public.mood", "enum mood"),
    ],
)
def test_another_name_of_the_same_type_is_not_told(declared: str, found: str) -> None:
    """Nothing differs."""
    wanted = {"name": "summary", "columns": [{"name": "x", "type": declared}]}
    assert warnings_for(request(wanted), snapshot(columns=(Column(name="x", type=found),))) == []


def test_an_identity_sequence_that_stays_behind_is_a_warning_with_its_remedy() -> None:
    """The values that publish writes do not move the sequence, and a later INSERT would meet them."""
    table = 'public."Sum\'s"'
    found = snapshot(relation=table)
    listed = request({"name": "summary", "columns": ["id", "number"]})
    [told] = [warning for warning in warnings_for(listed, found) if "sequence" in warning]
    sequence = "pg_get_serial_sequence('public.\"Sum''s\"', 'number')"
    assert told.endswith(f"SELECT setval({sequence}, (SELECT max(number) FROM {table}))")
    unlisted = request({"name": "summary", "columns": ["id"]})
    assert not [warning for warning in warnings_for(unlisted, found) if "sequence" in warning]
