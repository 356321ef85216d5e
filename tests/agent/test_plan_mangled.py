"""Whatever stands in `details`, it is refused with a path or compiles to code that the policy takes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.compiler import compile_transform
from agent.errors import InvalidRequestError
from agent.planning import pivots, unions, window_details
from agent.planning.plan import build_plan
from agent.sanitizing.policy import check_policy
from tests.agent.compiler_scene import aggregate, derive, request_for, snapshot_for, step, where

SALES: list[Any] = ["sales"]
COLUMNS = st.sampled_from(
    ["sale_id", "region", "amount", "units", "paid", "rate", "sold", "n", "twice", "total", "x y"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["column", "order", "value"]), inner),
    max_leaves=4,
)
ORDER = st.fixed_dictionaries(
    {"column": COLUMNS},
    optional={"order": st.sampled_from(["asc", "desc", 1]), "nulls": st.sampled_from(["first", "x"])},
)
BOUNDS = st.sampled_from(["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "3 FOLLOWING", "UNBOUNDED FOLLOWING"])
FRAMES = st.builds("{} BETWEEN {} AND {}".format, st.sampled_from(["ROWS", "RANGE"]), BOUNDS, BOUNDS)
WINDOW = st.fixed_dictionaries(
    {
        "function": st.sampled_from([*window_details.FUNCTIONS, "ntile"]),
        "alias": st.sampled_from(["n", "m", "a`b", "amount"]),
        "order_by": COLUMNS | st.lists(COLUMNS | ORDER, max_size=3),
    },
    optional={
        "column": COLUMNS,
        "partition_by": COLUMNS | st.lists(COLUMNS, max_size=2),
        "offset": st.integers(0, 3),
        "default": JSON,
        "frame": FRAMES,
    },
)
PIVOT = st.fixed_dictionaries(
    {
        "column": COLUMNS,
        "function": st.sampled_from(["sum", "count", "max", "count_distinct"]),
        "values": st.lists(JSON, max_size=3),
        "group_by": st.lists(COLUMNS, max_size=2),
    },
    optional={"value_column": COLUMNS},
)


def mangled(details: st.SearchStrategy[dict[str, Any]], keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Details, or the same with one value that is anything."""
    return st.builds(lambda whole, key, value: {**whole, key: value}, details, st.sampled_from(keys), JSON) | details


def compiles_or_is_refused(sources: list[Any], **specs: Any) -> None:
    """The property."""
    request = request_for(sources, **specs)
    try:
        plan = build_plan(request, snapshot_for(request))
    except InvalidRequestError as error:
        assert error.problems
        assert all(problem.path.startswith("specs.") and problem.message for problem in error.problems)
        return
    code = compile_transform(plan)
    assert check_policy(code) == []
    assert compile_transform(build_plan(request, snapshot_for(request))) == code


@given(
    windows=st.lists(mangled(WINDOW, window_details.KEYS), min_size=1, max_size=3),
    grouped=st.booleans(),
    filters=st.lists(st.builds(where, COLUMNS, st.sampled_from(["=", "<=", "IS NULL"]), JSON), max_size=2),
    expression=st.sampled_from(["amount * 2", "n + 1", "total / 2", "m"]),
)
def test_windows_compile_or_are_refused(
    windows: list[dict[str, Any]], grouped: bool, filters: list[Any], expression: str
) -> None:
    """With and without a grouping, a derived column and filters around them."""
    compiles_or_is_refused(
        SALES,
        transformations=[step("window", **details) for details in windows],
        aggregations=[aggregate("sum", "amount", "total", "region", "paid")] if grouped else [],
        derived_columns=[derive("twice", expression)],
        filters=filters,
    )


@given(pivot=mangled(PIVOT, pivots.KEYS), other=st.booleans())
def test_pivots_compile_or_are_refused(pivot: dict[str, Any], other: bool) -> None:
    """Alone and beside an aggregate."""
    more = [aggregate("count", "*", "n", "region")] if other else []
    compiles_or_is_refused(SALES, transformations=[step("pivot", **pivot)], aggregations=more)


@given(
    tables=st.lists(st.sampled_from(["spring", "autumn", "regions"]), max_size=3) | JSON,
    more=st.dictionaries(st.sampled_from(unions.KEYS), JSON, max_size=2),
)
def test_unions_compile_or_are_refused(tables: Any, more: dict[str, Any]) -> None:
    """Of any sources."""
    compiles_or_is_refused(
        ["spring", "autumn"], transformations=[step("union", **{"tables": tables, "all": True, **more})]
    )
