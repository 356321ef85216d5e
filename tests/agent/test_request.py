"""The way in: the forms that an event may have, and the messages about any other."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import InvalidRequestError
from agent.request import parse_request
from agent.request_checks import misread, unknown_keys, unknown_tables, unsupported, unused
from agent.snapshot import event_snapshot


def minimal(**changes: Any) -> dict[str, Any]:
    specs = {"source_tables": ["orders"], "target_table": {"name": "totals"}}
    return {"run_id": "r1", "specs": {**specs, **changes.pop("specs", {})}, **changes}


def problems(event: object) -> dict[str, str]:
    try:
        found = misread(parse_request(event))
    except InvalidRequestError as error:
        found = error.problems
    assert found
    return {problem.path: problem.message for problem in found}


def test_plain_strings_stand_for_tables_and_columns() -> None:
    """The short forms mean the same as the long ones."""
    request = parse_request(
        minimal(specs={"target_table": {"name": "t", "columns": ["a", {"name": "b", "type": "int"}]}})
    )
    assert request.specs.source_tables[0].key == "orders"
    assert [(c.name, c.type) for c in request.specs.target_table.columns] == [("a", None), ("b", "int")]


BAD = [
    ([], "event", "a JSON object is needed, not a list"),
    ({"specs": minimal()["specs"]}, "run_id", "is required"),
    ({"run_id": "r"}, "specs", "is required"),
    (minimal(run_id="../etc"), "run_id", "1 to 100 letters"),
    (minimal(run_id="r1\n"), "run_id", "1 to 100 letters"),
    (minimal(optoins={}), "optoins", "did you mean 'options'?"),
    (minimal(options={"restrat": True}), "options.restrat", "did you mean 'restart'?"),
    (
        minimal(specs={"target_table": {"name": "t", "colums": []}}),
        "specs.target_table.colums",
        "did you mean 'columns'?",
    ),
    (minimal(specs={"source_tables": []}), "specs.source_tables", "needs at least 1 item"),
    (
        minimal(specs={"join_conditions": [{"left_table": "a", "right_table": "b", "join_type": "iner"}]}),
        "specs.join_conditions[0].join_type",
        "did you mean 'inner'?",
    ),
    (minimal(specs={"filters": [{"operator": "="}]}), "specs.filters[0].column", "is needed"),
    (minimal(source_schemas={"t": {"columns": [{"name": "a"}]}}), "source_schemas.t.columns[0].type", "is required"),
]


@pytest.mark.parametrize(("event", "path", "message"), BAD, ids=[row[1] for row in BAD])
def test_a_bad_event_names_the_place_and_what_would_be_right(event: object, path: str, message: str) -> None:
    """Each row has the path, and words of the message that help."""
    found = problems(event)
    assert message in found[path]


SUM = {"function": "sum", "column": "a", "alias": "s"}
SHAPES = [
    ({"source_tables": 5}, "source_tables", "a list of objects with `table_name` is needed, not 5"),
    ({"filters": 5}, "filters", "an object with `column` and `operator` is needed, not 5"),
    ({"target_table": 5}, "target_table", "an object with `name` is needed, not 5"),
    (
        {"target_table": {"name": "t", "columns": {"a": 5}}},
        "target_table.columns",
        'a list of objects with `name` is needed, not {"a": 5}',
    ),
    ({"aggregations": [{**SUM, "group_by": 5}]}, "aggregations[0].group_by", "a list of column names"),
    ({"aggregations": [{**SUM, "alias": 5}]}, "aggregations[0].alias", "is the name of the result, not 5"),
    ({"transformations": [{"type": "sort", "details": 5}]}, "transformations[0].details", "an object is needed, not"),
    ({"source_tables": None}, "source_tables", "a list of objects with `table_name` is needed, not null"),
]


@pytest.mark.parametrize(("specs", "path", "message"), SHAPES, ids=[row[1] for row in SHAPES])
def test_a_wrong_shape_is_told_in_the_words_of_json(specs: dict[str, Any], path: str, message: str) -> None:
    """The message gives the needed form, the given value, and how to write it."""
    assert message in problems(minimal(specs=specs))[f"specs.{path}"]
    assert "leave it out" not in problems(minimal(specs={"source_tables": None}))["specs.source_tables"]


@pytest.mark.parametrize(
    ("option", "value", "needed"),
    [
        ("restart", "yes", "true or false"),
        ("allow_empty", "1", "true or false"),
        ("mask_samples", "off", "true or false"),
        ("allow_udfs", 1, "true or false"),
        ("budget_usd", "5", "a number"),
        ("budget_usd", True, "a number"),
    ],
)
def test_an_option_of_another_type_is_refused(option: str, value: object, needed: str) -> None:
    """A value that only looks like true, false or a number is refused."""
    assert problems(minimal(options={option: value}))[f"options.{option}"].startswith(f"{needed} is needed, not ")


def test_schemas_and_samples_of_a_misspelt_source_are_refused() -> None:
    """A table is known by name and alias. A name unlike both is a warning: it is not read."""
    given: dict[str, Any] = {"orders": {"columns": []}, "o": {"columns": []}, "ordr": {"columns": []}}
    tables = [{"table_name": "orders", "alias": "o"}]
    request = parse_request(
        minimal(specs={"source_tables": tables}, source_schemas=given, source_data_samples={"o": [], "x y": []})
    )
    assert [(p.path, p.message) for p in unknown_tables(request)] == [
        ("source_schemas.ordr", "is no source; did you mean 'orders'?")
    ]
    assert "source_data_samples.x y: is no source, and is not looked at" in unused(request)


def test_further_keys_of_a_schema_are_told() -> None:
    """Catalogues describe more of a column than is needed."""
    column = {"name": "a", "type": "int", "nullable": False}
    request = parse_request(minimal(source_schemas={"orders": {"columns": [column], "comment": "x"}}))
    assert unused(request) == [
        "source_schemas.orders.comment: unknown key, which is not looked at",
        "source_schemas.orders.columns[0].nullable: unknown key, which is not looked at",
    ]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("intger", "type 'intger' is not supported; did you mean 'integer'?"),
        ("money", "type 'money' is not supported; cast it to a supported type in a view"),
    ],
)
def test_a_described_type_that_is_none_is_kept_with_the_nearest(written: str, words: str) -> None:
    """A slip has a hint of its own; any other type needs a view. The column blocks nothing until it is needed."""
    columns = [{"name": "id", "type": "int"}, {"name": "odd", "type": written}]
    event = minimal(source_schemas={"orders": {"columns": columns}})
    source = event_snapshot(parse_request(event)).source("orders")
    assert [column.name for column in source.columns] == ["id"]
    [odd] = source.unreadable
    assert (odd.name, odd.type) == ("odd", written)
    assert odd.reason.startswith(f"column 'odd': {words}")


def test_a_key_that_nobody_would_see_is_quoted() -> None:
    """Blank keys and keys of control characters are quoted."""
    assert set(problems(minimal(**{" ": 1, "\t": 2}))) == {"[' ']", "['\\t']"}


def test_all_problems_are_told_together() -> None:
    """One answer tells all shape errors."""
    assert len(problems({"run_id": 5, "specs": {"source_tables": [{}], "target_table": {}}})) == 3


def test_wait_and_restart_do_not_change_the_payload() -> None:
    """The way of waiting does not belong to the payload."""
    plain = parse_request(minimal())
    other = parse_request(minimal(options={"wait": "event", "restart": True}, run_id="r2"))
    assert plain.payload_sha("m", "local") == other.payload_sha("m", "local")


@pytest.mark.parametrize(
    "changed",
    [minimal(options={"allow_empty": True}), minimal(specs={"filters": [{"column": "a", "operator": "IS NULL"}]})],
)
def test_whatever_decides_the_result_changes_the_payload(changed: dict[str, Any]) -> None:
    """The model and the engine decide it too."""
    sha = parse_request(minimal()).payload_sha("m", "local")
    assert parse_request(changed).payload_sha("m", "local") != sha
    assert parse_request(minimal()).payload_sha("m2", "local") != sha
    assert parse_request(minimal()).payload_sha("m", "glue") != sha


def test_unknown_keys_inside_specs_are_listed() -> None:
    """They go to the model, and the caller gets a warning."""
    request = parse_request(
        minimal(specs={"filters": [{"column": "a", "operator": "=", "value": 1, "why": "x"}], "notes": 1})
    )
    assert unknown_keys(request) == [
        "specs.notes: unknown key; only the model sees it",
        "specs.filters[0].why: unknown key; only the model sees it",
    ]


def test_options_that_would_be_ignored_are_named() -> None:
    """An unsupported option is refused."""
    request = parse_request(minimal(options={"allow_udfs": True, "approve": ["script"], "budget_usd": 2}))
    assert [p.path for p in unsupported(request)] == ["options.allow_udfs", "options.approve", "options.budget_usd"]
