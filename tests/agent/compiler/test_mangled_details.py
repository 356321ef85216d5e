"""Any `details` are refused with a path, or compile to code that the policy accepts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.compiler.code.writer import compile_transform
from agent.compiler.reading import build_plan, read_specification
from agent.compiler.spec import pivots, union_entries, window_entries
from agent.compiler.spec.key_spellings import KEYS
from agent.errors import InvalidRequestError
from agent.sanitizing.policy import check_policy
from tests.agent.compiler.scene import aggregate, derive, names, request_for, snapshot_for, step, where

SALES: list[Any] = ["sales"]
COLUMNS = st.sampled_from(["sale_id", "region", "rep", "sold", "amount", "units", "paid", "rate"])
NUMBERS = st.sampled_from(["amount", "units", "sale_id", "rate"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["column", "order", "value"]), inner),
    max_leaves=4,
)
ORDER = st.lists(
    COLUMNS
    | st.fixed_dictionaries(
        {"column": COLUMNS},
        optional={"order": st.sampled_from(["asc", "desc"]), "nulls": st.sampled_from(["first", "last"])},
    ),
    min_size=1,
    max_size=3,
)
STARTS = st.sampled_from(["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "1 FOLLOWING"])
ENDS = st.sampled_from(["1 PRECEDING", "CURRENT ROW", "3 FOLLOWING", "UNBOUNDED FOLLOWING"])
FRAME = st.builds("ROWS BETWEEN {} AND {}".format, STARTS, ENDS)
PARTITION = {"partition_by": st.lists(COLUMNS, max_size=2)}


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """Details of a window, mostly right."""
    function = draw(st.sampled_from(window_entries.FUNCTIONS))
    required: dict[str, st.SearchStrategy[Any]] = {"function": st.just(function)}
    optional: dict[str, st.SearchStrategy[Any]] = {**PARTITION}
    if function in window_entries.AGGREGATES:
        required["column"] = NUMBERS
        optional |= {"order_by": ORDER, "frame": FRAME} if draw(st.booleans()) else {"order_by": ORDER}
    else:
        required["order_by"] = ORDER
    if function in window_entries.OFFSETS:
        required["column"] = COLUMNS
        optional |= {"offset": st.integers(1, 3), "default": st.sampled_from([0, 1.5, "x", True, "2024-01-01"])}
    return draw(mangled(st.fixed_dictionaries(required, optional=optional), window_entries.KEYS))


@st.composite
def spread(draw: st.DrawFn) -> dict[str, Any]:
    """Details of a pivot, mostly right."""
    column, values = draw(st.sampled_from([("region", ["north", "a`b"]), ("paid", [True, False]), ("units", [1, 2])]))
    function = draw(st.sampled_from(["sum", "count", "max", "count_distinct"]))
    return draw(
        mangled(
            st.fixed_dictionaries(
                {
                    "column": st.just(column),
                    "values": st.just(values),
                    "function": st.just(function),
                    "value_column": NUMBERS,
                    "group_by": st.lists(st.sampled_from(["rep", "sold"]), max_size=2),
                }
            ),
            pivots.KEYS,
        )
    )


def mangled(details: st.SearchStrategy[dict[str, Any]], keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Details; one time in four with one value that is anything."""
    odd = st.builds(lambda whole, key, value: {**whole, key: value}, details, st.sampled_from(keys), JSON)
    return st.integers(0, 3).flatmap(lambda chance: odd if chance == 0 else details)


def compiles_or_is_refused(sources: list[Any], target: dict[str, Any] | None = None, **specs: Any) -> None:
    """The property."""
    request = request_for(sources, target, **specs)
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
    found=st.lists(windows(), min_size=1, max_size=3),
    filters=st.lists(st.builds(where, st.sampled_from(["w0", "w1", "paid"]), st.just("IS NOT NULL")), max_size=2),
    expression=st.sampled_from(["amount * 2", "coalesce(w0, w1)", "w0 IS NULL", "upper(rep)"]),
)
def test_windows_compile_or_are_refused(found: list[dict[str, Any]], filters: list[Any], expression: str) -> None:
    """Windows stand beside a derived column and filters."""
    entries = [step("window", **{"alias": f"w{position}", **details}) for position, details in enumerate(found)]
    compiles_or_is_refused(
        SALES, transformations=entries, derived_columns=[derive("made", expression)], filters=filters
    )


@given(found=st.lists(windows(), min_size=1, max_size=2), key=COLUMNS, aggregated=st.sampled_from(["amount", "w0"]))
def test_windows_beside_a_grouping_compile_or_are_refused(
    found: list[dict[str, Any]], key: str, aggregated: str
) -> None:
    """Windows are computed before the grouping or after it."""
    entries = [step("window", **{"alias": f"w{position}", **details}) for position, details in enumerate(found)]
    compiles_or_is_refused(
        SALES,
        names("total"),
        transformations=entries,
        aggregations=[aggregate("max", aggregated, "total", key, "region")],
        filters=[where("w0", "IS NOT NULL")],
    )


@given(pivot=spread(), other=st.booleans())
def test_pivots_compile_or_are_refused(pivot: dict[str, Any], other: bool) -> None:
    """Pivots stand alone and beside an aggregate."""
    more = [aggregate("count", "*", "n", "rep")] if other else []
    compiles_or_is_refused(SALES, transformations=[step("pivot", **pivot)], aggregations=more)


@given(
    tables=st.just(["spring", "autumn"]) | st.lists(st.sampled_from(["spring", "autumn", "regions"])) | JSON,
    more=st.dictionaries(st.sampled_from(union_entries.KEYS), JSON, max_size=1),
    columns=st.lists(st.sampled_from(["city", "amount", "units", "CITY"]), max_size=3),
)
def test_unions_compile_or_are_refused(tables: Any, more: dict[str, Any], columns: list[str]) -> None:
    """Unions take any sources."""
    details = {"tables": tables, "all": True, "columns": columns, **more}
    compiles_or_is_refused(["spring", "autumn"], transformations=[step("union", **details)])


KINDS = sorted({"join", "filter", "aggregate", "derive", "window", "sort", "limit", "select", "deduplicate", "cast"})
TEXTS = st.sampled_from(
    ["amount", "region", "sum(amount) over ()", "rank() over (order by amount desc)", "count_if(amount > 5)", "x = ",
     "(", "amount > 5 AND", "sum", "left", "units AS u", "'north'", "BETWEEN 1 AND 2", "OVER (", "a.b.c.d", "1 +", "*",
     "row_number() over (partition by)", "count(*) filter (where", "CASE WHEN", "\"amount", "DATE '2024-01-01' - 1"]
)  # fmt: skip
VALUES = st.recursive(
    TEXTS | JSON,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["column", "function", "name"]), inner),
    max_leaves=5,
)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    """An entry of a kind with some of its keys and any values."""
    kind = draw(st.sampled_from(KINDS))
    keys = st.sampled_from([*KEYS[kind], *(name for names in KEYS[kind].values() for name in names)])
    details = draw(st.dictionaries(keys, VALUES, max_size=4))
    return {"type": draw(st.sampled_from([kind, "custom", "enrich"])), "details": details}


@given(
    steps=st.lists(entries(), max_size=3),
    listed=st.dictionaries(
        st.sampled_from(["filters", "aggregations", "derived_columns", "join_conditions"]), st.lists(VALUES, max_size=2)
    ),
)
def test_any_entry_is_read_or_told(steps: list[dict[str, Any]], listed: dict[str, Any]) -> None:
    """Whatever the keys hold, the reader raises nothing."""
    request = request_for(SALES, transformations=steps, **listed)
    reading = read_specification(request, snapshot_for(request))
    assert all(one.path.startswith("specs.") and one.message for one in (*reading.problems, *reading.beyond))
