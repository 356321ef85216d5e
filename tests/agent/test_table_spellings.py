"""Sources and targets in the words of other tools, and the one form that they mean."""

from __future__ import annotations

from typing import Any

import pytest

from agent.compiler.notes import Notes
from agent.compiler.problems import Problems
from agent.compiler.spec.entries import read_entries
from agent.errors import InvalidRequestError
from agent.request import Request, parse_request
from agent.request_checks import unused
from agent.snapshot import event_snapshot

ORDERS = [("shop_orders", "o")]
BOTH = [("shop_orders", "o"), ("customers", "c")]


def parsed(specs: dict[str, Any], **event: Any) -> Request:
    return parse_request({"run_id": "r", "specs": {"target_table": "t", **specs}, **event})


def refused(specs: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(specs)
    return {one.path: one.message for one in caught.value.problems}


def notes_of(request: Request) -> dict[str, str]:
    notes, problems = Notes(), Problems()
    read_entries(request.specs, problems, notes)
    assert problems.found() == []
    return {note.path: note.message for note in notes.found()}


SOURCES: list[tuple[Any, list[tuple[str, str]]]] = [
    (["shop_orders o"], ORDERS),
    (["shop_orders AS o", "customers c"], BOTH),
    ("shop_orders o, customers c", BOTH),
    (["sales.orders as o"], [("sales.orders", "o")]),
    (['"Order Lines" ol'], [('"Order Lines"', "ol")]),
    (["order details"], [("order details", "order details")]),
    ([{"table": "shop_orders", "alias": "o"}], ORDERS),
    ([{"table": "shop_orders", "as": "o"}], ORDERS),
    ([{"table": "shop_orders o"}], ORDERS),
    ([{"tableName": "shop_orders", "tableAlias": "o"}], ORDERS),
    ([{"name": "shop_orders", "alias": "o"}], ORDERS),
    ([{"name": "o", "table": "shop_orders"}], ORDERS),
    ([{"source": "shop_orders", "alias": "o"}], ORDERS),
    ([{"name": "orders"}], [("orders", "orders")]),
    ([{"variable": "df_orders", "name": "orders"}], [("orders", "df_orders")]),
    ([{"schema": "sales", "table": "orders"}], [("sales.orders", "orders")]),
    ([{"schema": "sales", "table_name": "sales.orders", "alias": "o"}], [("sales.orders", "o")]),
    ([{"database": "shop", "schema": "sales", "name": "orders", "alias": "o"}], [("sales.orders", "o")]),
    ({"o": "shop_orders", "c": "customers"}, BOTH),
    ({"shop_orders": "o", "customers": "c"}, BOTH),
    ({"o": {"table": "shop_orders"}, "c": {"name": "customers"}}, BOTH),
    ({"shop_orders": {"alias": "o"}}, ORDERS),
    ({"table_name": "shop_orders", "alias": "o"}, ORDERS),
    ({"table": "shop_orders", "as": "o", "filter": "amount > 1"}, ORDERS),
    ({"source": "shop_orders", "alias": "o"}, ORDERS),
]


@pytest.mark.parametrize(("written", "meant"), SOURCES)
@pytest.mark.parametrize("name", ["source_tables", "sources", "tables", "inputs", "from", "sourceTables"])
def test_sources_in_a_usual_spelling(name: str, written: Any, meant: list[tuple[str, str]]) -> None:
    """The list may have another name."""
    assert [(one.table_name, one.key) for one in parsed({name: written}).specs.source_tables] == meant


def test_a_word_behind_a_table_is_its_alias_where_the_specification_uses_it() -> None:
    """Other words may be part of a name."""
    used = parsed({"source_tables": ["orders backup"], "filters": ["backup.amount > 1"]})
    assert [one.key for one in used.specs.source_tables] == ["backup"]
    assert [one.key for one in parsed({"source_tables": ["orders backup"]}).specs.source_tables] == ["orders backup"]


def test_a_described_name_is_no_alias() -> None:
    """`source_schemas` says which names are tables."""
    schemas = {name: {"id": "integer"} for name in ("line up", "o", "orders")}
    assert [one.key for one in parsed({"tables": ["line up"]}, source_schemas=schemas).specs.source_tables] == [
        "line up"
    ]
    [one] = parsed({"tables": {"orders": "big_ones"}}, source_schemas=schemas).specs.source_tables
    assert (one.table_name, one.alias) == ("orders", "big_ones")


def test_two_names_for_one_source_are_refused() -> None:
    """The message names both keys."""
    found = refused(
        {"source_tables": [{"table": "orders", "table_name": "customers"}, {"table": "a.b", "schema": "c"}]}
    )
    assert "`table` and `table_name`" in found["specs.source_tables[0]"]
    assert "name one schema" in found["specs.source_tables[1]"]


def test_storage_of_a_source_is_a_note() -> None:
    """It changes no row."""
    request = parsed({"source_tables": [{"table": "orders", "database": "shop", "format": "jdbc"}]})
    assert notes_of(request) == {
        "specs.source_tables[0].database": "is not looked at",
        "specs.source_tables[0].format": "is not looked at",
    }


@pytest.mark.parametrize("name", ["o", "sales.orders", "orders"])
def test_a_source_is_described_under_any_of_its_names(name: str) -> None:
    """Its alias, its table, or the table without its schema."""
    request = parsed({"tables": ["sales.orders o"]}, source_schemas={name: {"id": "integer"}})
    [source] = event_snapshot(request).sources
    assert [column.name for column in source.columns] == ["id"]
    assert unused(request) == []


TARGETS: list[tuple[Any, dict[str, Any]]] = [
    ("totals", {}),
    ({"table_name": "totals"}, {}),
    ({"table": "totals", "mode": "append"}, {"write_mode": "append"}),
    ({"name": "totals", "mode": "replace"}, {"write_mode": "overwrite"}),
    ({"name": "totals", "write_mode": "truncate_insert"}, {"write_mode": "overwrite"}),
    ({"name": "totals", "loadType": "FULL"}, {"write_mode": "overwrite"}),
    ({"name": "totals", "if_exists": "append", "format": "parquet"}, {"write_mode": "append"}),
    ({"name": "totals", "mode": "upsert", "primary_key": "a"}, {"write_mode": "merge", "keys": ("a",)}),
    ({"name": "totals", "write_mode": "merge", "unique_key": ["a", "b"]}, {"write_mode": "merge", "keys": ("a", "b")}),
    ({"name": "totals", "primary_key": "a"}, {"keys": ()}),
    ({"name": "totals", "materialized": "table", "location": "s3://x"}, {"write_mode": None}),
]


@pytest.mark.parametrize(("written", "meant"), TARGETS)
@pytest.mark.parametrize("name", ["target_table", "target", "destination"])
def test_a_target_in_a_usual_spelling(name: str, written: Any, meant: dict[str, Any]) -> None:
    """The words of other tools for how rows are written are read; reading the stored request again changes nothing."""
    request = parse_request({"run_id": "r", "specs": {"source_tables": ["a"], name: written}})
    target = request.specs.target_table
    assert target.name == "totals"
    assert {key: getattr(target, key) for key in meant} == meant
    assert parse_request(request.model_dump(mode="json"), stored=True) == request
    assert parse_request(request.model_dump(mode="json")) == request


def test_target_columns_may_be_a_mapping() -> None:
    """Name to type."""
    for columns in (
        {"a": "integer", "b": "text"},
        [{"column": "a", "data_type": "integer", "nullable": False}, {"name": "b", "type": "text", "description": "x"}],
    ):
        target = parsed({"source_tables": ["x"], "target_table": {"name": "t", "columns": columns}}).specs.target_table
        assert [(one.name, one.type) for one in target.columns] == [("a", "integer"), ("b", "text")]


def test_further_keys_of_a_target_are_notes() -> None:
    """Each says what became of it."""
    target = {"name": "t", "mode": "upsert", "primary_key": "a", "format": "parquet", "zone": "gold"}
    assert notes_of(parsed({"source_tables": ["x"], "target_table": target})) == {
        "specs.target_table.mode": "is read as `write_mode` merge",
        "specs.target_table.primary_key": "is read as `keys`",
        "specs.target_table.format": "unknown key, which is not looked at",
        "specs.target_table.zone": "unknown key, which is not looked at",
    }


@pytest.mark.parametrize(
    ("target", "key", "message"),
    [
        ({"colums": ["a"]}, "colums", "did you mean 'columns'?"),
        ({"wrte_mode": "append"}, "wrte_mode", "did you mean 'write_mode'?"),
        ({"filters": ["a > 1"]}, "filters", "steps stand beside `target_table`"),
        ({"mode": "incremental"}, "mode", "overwrite, append or merge"),
        ({"mode": "append", "write_mode": "merge"}, "write_mode", "is said in two ways"),
        ({"write_mode": "apend"}, "write_mode", "did you mean 'append'?"),
        ({"table": "u"}, "table", "a second time"),
    ],
)
def test_a_key_of_a_target_that_could_change_rows_is_refused(target: dict[str, Any], key: str, message: str) -> None:
    """A misspelt key, a step, an unknown or a contradicting word for the write mode."""
    found = refused({"source_tables": ["x"], "target_table": {"name": "t", **target}})
    assert message in found[f"specs.target_table.{key}"]


ANY: list[Any] = [
    None,
    0,
    1.5,
    True,
    "",
    " ",
    ",",
    "a b c",
    [],
    {},
    [[]],
    [{}],
    [None],
    {"": ""},
    {"a": []},
    {"name": {}},
]


@pytest.mark.parametrize("value", ANY)
@pytest.mark.parametrize("key", ["table", "alias", "schema", "name", "source", "columns", "mode", "primary_key"])
def test_any_value_of_any_key_is_read_or_refused(key: str, value: Any) -> None:
    """Never another exception."""
    for specs in (
        {"source_tables": value},
        {"source_tables": [value]},
        {"source_tables": [{key: value, "table_name": "a"}]},
        {"source_tables": [{key: value}]},
        {"source_tables": {key: value}},
        {"source_tables": ["a"], "target_table": {"name": "t", "write_mode": "merge", key: value}},
        {"source_tables": ["a"], "target_table": {key: value}},
        {"source_tables": ["a"], "target_table": value},
    ):
        try:
            request = parsed(specs)
            read_entries(request.specs, Problems(), Notes())
        except InvalidRequestError as error:
            assert error.problems
