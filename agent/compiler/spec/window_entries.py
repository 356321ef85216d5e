"""Windows as written in the details of a transformation."""

from __future__ import annotations

import re

from pydantic import JsonValue

from agent.compiler.problems import refuse, within
from agent.compiler.spec.entry_details import (
    Details,
    names_of,
    one_of,
    sort_items,
    text_of,
    word_of,
)
from agent.elements import Frame, WindowEntry

RANKINGS = ("rank", "dense_rank", "row_number")
OFFSETS = ("lag", "lead")
AGGREGATES = ("sum", "avg", "min", "max", "count")
FUNCTIONS = (*RANKINGS, *OFFSETS, *AGGREGATES)
KEYS = ("function", "column", "alias", "name", "partition_by", "order_by", "offset", "default", "frame")

_BOUND = r"(UNBOUNDED|CURRENT|\d{1,9}) (PRECEDING|ROW|FOLLOWING)"
_FRAME = re.compile(rf"(ROWS|RANGE) BETWEEN {_BOUND} AND {_BOUND}")
_FRAME_SHAPE = "a frame is written as `ROWS BETWEEN 6 PRECEDING AND CURRENT ROW`"
_MAX_OFFSET = 2**31 - 1


def read_window(details: Details) -> WindowEntry:
    """The window in these details."""
    function = word_of(details, "function", FUNCTIONS)
    key = "name" if "name" in details else "alias"
    one_of(details, ("alias", "name"))
    with within(".order_by"):
        order_by = sort_items(details["order_by"], {}) if details.get("order_by") else ()
    if not order_by and function not in AGGREGATES:
        refuse(f"{function} needs order_by: without an order any row may be the first", ".order_by")
    with within(".frame"):
        frame = _frame(details.get("frame"), function, bool(order_by))
    return WindowEntry(
        function,
        text_of(details, key, "the new column's name"),
        _column(details, function),
        names_of(details, "partition_by"),
        order_by,
        _offset(details, function),
        _default(details, function),
        frame,
    )


def _column(details: Details, function: str) -> str | None:
    column = details.get("column")
    if function in RANKINGS:
        if column is not None:
            refuse(f"{function} takes no column; it numbers the rows in the order of order_by", ".column")
        return None
    if column in (None, "*"):
        if function != "count":
            refuse(f"{function} needs a column; only count takes all rows", ".column")
        return None
    return text_of(details, "column", "a column name")


def _offset(details: Details, function: str) -> int:
    if function not in OFFSETS:
        if "offset" in details:
            refuse(f"{function} takes no offset; only lag and lead do", ".offset")
        return 0
    rows = details.get("offset", 1)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_OFFSET:
        refuse(f"an offset is a whole number of rows from 1, not {rows!r}", ".offset")
    return rows


def _default(details: Details, function: str) -> JsonValue:
    default = details.get("default")
    if default is not None and function not in OFFSETS:
        refuse(f"{function} takes no default; only lag and lead do", ".default")
    return default


def _frame(written: JsonValue, function: str, ordered: bool) -> Frame | None:
    if written is None:
        return None
    if function not in AGGREGATES:
        refuse(f"{function} takes no frame; only {', '.join(AGGREGATES)} do")
    match = _FRAME.fullmatch(" ".join(str(written).upper().split()))
    if match is None:
        refuse(f"{written!r} cannot be read; {_FRAME_SHAPE}")
    unit, *bounds = match.groups()
    start, end = _bound(bounds[0], bounds[1], "PRECEDING"), _bound(bounds[2], bounds[3], "FOLLOWING")
    if unit == "RANGE" and not {start, end} <= {None, 0}:
        refuse("a RANGE frame with a distance cannot be expressed by the compiler; count rows with ROWS")
    if not ordered and (start, end) != (None, None):
        refuse("a frame needs order_by: without an order no row comes before another")
    if start is not None and end is not None and start > end:
        refuse("the frame ends before it begins")
    return Frame("rows" if unit == "ROWS" else "range", start, end)


def _bound(count: str, word: str, unbounded: str) -> int | None:
    """The offset from the current row; None for the end of the partition on the side where it may stand."""
    if (count == "CURRENT") != (word == "ROW") or (count == "UNBOUNDED" and word != unbounded):
        refuse(f"{count} {word} cannot stand there; {_FRAME_SHAPE}")
    if count == "UNBOUNDED":
        return None
    if count == "CURRENT":
        return 0
    return -int(count) if word == "PRECEDING" else int(count)
