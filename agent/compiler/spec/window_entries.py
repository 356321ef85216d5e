"""Windows as written in keys, as a call with OVER, or as both."""

from __future__ import annotations

import re

from pydantic import JsonValue

from agent.compiler.problems import USE_A_MODEL, cannot, refuse, within
from agent.compiler.spec.fields import Details, Fields, names_in, normal_key
from agent.compiler.spec.key_spellings import FUNCTIONS as AGGREGATE_NAMES
from agent.compiler.spec.sort_entries import sort_items
from agent.compiler.spec.sql_conditions import exact_number, is_number
from agent.compiler.spec.sql_texts import call_parts, split_at, tokens
from agent.elements import Frame, WindowEntry
from agent.nearest import did_you_mean

RANKINGS = ("rank", "dense_rank", "row_number")
OFFSETS = ("lag", "lead")
AGGREGATES = ("sum", "avg", "min", "max", "count")
FUNCTIONS = (*RANKINGS, *OFFSETS, *AGGREGATES)
KEYS = ("function", "column", "alias", "name", "partition_by", "order_by", "offset", "default", "frame")

_BOUND = r"(UNBOUNDED|CURRENT|\d{1,9}) (PRECEDING|ROW|FOLLOWING)"
_FRAME = re.compile(rf"(ROWS|RANGE) BETWEEN {_BOUND} AND {_BOUND}")
_FRAME_START = re.compile(rf"(ROWS|RANGE) {_BOUND}")
_FRAME_SHAPE = "a frame is written as `ROWS BETWEEN 6 PRECEDING AND CURRENT ROW`"
_MAX_OFFSET = 2**31 - 1
_OTHER_NAMES = {"rownumber": "row_number", "denserank": "dense_rank", "row_num": "row_number", "previous": "lag",
                "prev": "lag", "next": "lead", "rownum": "row_number", "ranking": "rank"}  # fmt: skip


def read_window(given: Details, implied: str = "") -> WindowEntry:
    """The window in these details. `implied` is the function that the entry's type names."""
    fields = Fields(_flat(given), "window")
    name = fields.text("name", "the new column's name")
    text = fields.text("function", "a function") or implied
    if not text:
        refuse("`function` is needed", ".function")
    parsed = window_in(text)
    whole = _with_call(fields, text) if parsed is None else _beside(parsed, fields)
    if not name:
        refuse("the new column's name is needed as `name`", ".name")
    return _checked(whole, fields, name)


def _flat(given: Details) -> Details:
    """The details with those of a nested `window` among them."""
    inner = Fields(given, "window").get("window")
    return (
        {**{key: value for key, value in given.items() if value is not inner}, **inner}
        if isinstance(inner, dict)
        else given
    )


class _Parts(dict[str, JsonValue]):
    """Function, column, partition_by, order_by, offset, default and frame, as they were written."""


def _with_call(fields: Fields, text: str) -> _Parts:
    """The parts of a window in keys; its function may be a call."""
    parts = _Parts(
        {name: fields.raw(name) for name in ("column", "partition_by", "order_by", "offset", "default", "frame")}
    )
    parts["direction"] = fields.get("direction")
    parts |= _call(text) or {"function": text}
    return parts


def _call(text: str) -> Details | None:
    """Function and arguments of a call; None for a text that is none."""
    call = call_parts(text)
    if call is None or call[2]:
        return None
    found: Details = {"function": call[0]}
    arguments = [argument for argument in split_at(call[1], ",") if argument]
    for name, argument in zip(("column", "offset", "default"), arguments, strict=False):
        value: JsonValue = argument
        if name != "column":
            value = exact_number(argument) if is_number(argument) else argument.strip("'")  # type: ignore[assignment]
        found[name] = value
    return found


def window_in(text: str) -> _Parts | None:
    """The parts of `function(…) OVER (PARTITION BY … ORDER BY … frame)`; None for any other text."""
    call = call_parts(text)
    over = call_parts(call[2]) if call else None
    if call is None or over is None or over[0].upper() != "OVER" or over[2]:
        return None
    parts = _Parts(_call(text[: len(text) - len(call[2])].rstrip()) or {})
    clauses = _clauses(over[1])
    if clauses is None:
        return None
    parts |= {"partition_by": None, "order_by": None, "frame": None, **clauses}
    return parts


def _clauses(text: str) -> Details | None:
    """The clauses of an OVER; None where another word stands in it."""
    starts = [
        (token.start, token.word)
        for token in tokens(text)
        if token.depth == 0 and token.word in ("PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS")
    ]
    if not starts:
        return None if text.strip() else {}
    if text[: starts[0][0]].strip():
        return None
    found: Details = {}
    for (start, word), (end, _) in zip(starts, [*starts[1:], (len(text), "")], strict=True):
        clause = text[start:end].strip()
        if word in ("PARTITION", "ORDER"):
            by = re.match(r"\w+\s+BY\s+", clause, re.IGNORECASE)
            if by is None:
                return None
            found["partition_by" if word == "PARTITION" else "order_by"] = clause[by.end() :]
        else:
            found["frame"] = clause
    return found


def _beside(parts: _Parts, fields: Fields) -> _Parts:
    """The parts of a text, where the keys beside it say the same or nothing."""
    for name in ("partition_by", "order_by"):
        if name in fields and not parts[name]:
            parts[name] = fields.get(name)
        elif name in fields and not _same(name, parts[name], fields.get(name), fields.get("direction")):
            refuse(f"says {fields.get(name)!r}, and the text of the window says {parts[name]!r}", fields.at(name))
    return parts


def _same(name: str, one: JsonValue, other: JsonValue, direction: JsonValue) -> bool:
    if name == "order_by":
        return sort_items(one) == sort_items(other, direction)
    return [n.casefold() for n in names_in(one)] == [n.casefold() for n in names_in(other)]


def derived_window(text: str, name: str) -> WindowEntry | None:
    """The window of a derived column whose whole expression it is; None for any other expression."""
    parts = window_in(text)
    if parts is None or _function_name(str(parts["function"])) not in FUNCTIONS:
        return None
    if not parts["order_by"] and _function_name(str(parts["function"])) not in AGGREGATES:
        return None
    with within(".expression"):
        return _checked(parts, Fields({}, "window"), name)


def _function_name(text: str) -> str:
    word = normal_key(text)
    word = _OTHER_NAMES.get(word, word)
    return AGGREGATE_NAMES.get(word, word)


def _checked(parts: _Parts, fields: Fields, name: str) -> WindowEntry:
    """The canonical window."""
    function = _function_name(str(parts["function"]))
    if function not in FUNCTIONS:
        near = did_you_mean(function, FUNCTIONS, listed=True)
        cannot(f"{parts['function']!r} is not known here{near}, or {USE_A_MODEL}", fields.at("function"))
    with within(fields.at("order_by")):
        order = parts.get("order_by")
        if isinstance(order, str) and order.strip().lower() in ("asc", "desc", "ascending", "descending"):
            order, parts["direction"] = None, order
        if function in RANKINGS and order in (None, "", []) and parts.get("direction") is not None:
            # {"function": "rank", "column": "amount", "direction": "desc"} ranks by its column
            order, parts["column"] = parts.get("column"), None
        order_by = sort_items(order, parts.get("direction")) if order not in (None, "", []) else ()
    if not order_by and function not in AGGREGATES:
        refuse(f"{function} needs order_by: without an order any row may be the first", fields.at("order_by"))
    with within(fields.at("frame")):
        frame = _frame(parts.get("frame"), function, bool(order_by))
    partition = tuple(names_in(parts.get("partition_by"), fields.at("partition_by")))
    column = _column(parts.get("column"), function, fields)
    return WindowEntry(
        function,
        name,
        column,
        partition,
        order_by,
        _offset(parts.get("offset"), function, fields),
        _default(parts.get("default"), function, fields),
        frame,
    )


def _column(column: JsonValue, function: str, fields: Fields) -> str | None:
    if isinstance(column, list) and len(column) == 1:
        column = column[0]
    if function in RANKINGS:
        if column not in (None, "", "*"):
            refuse(f"{function} takes no column; it numbers the rows in the order of order_by", fields.at("column"))
        return None
    if column in (None, "", "*"):
        if function != "count":
            refuse(f"{function} needs a column; only count takes all rows", fields.at("column"))
        return None
    if not isinstance(column, str):
        refuse(f"is a column name, not {column!r}", fields.at("column"))
    return column.strip()


def _offset(rows: JsonValue, function: str, fields: Fields) -> int:
    if function not in OFFSETS:
        if rows not in (None, "", 0):
            refuse(f"{function} takes no offset; only lag and lead do", fields.at("offset"))
        return 0
    rows = 1 if rows in (None, "") else rows
    if isinstance(rows, str) and rows.strip().isdecimal():
        rows = int(rows)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= _MAX_OFFSET:
        refuse(f"an offset is a whole number of rows from 1, not {rows!r}", fields.at("offset"))
    return rows


def _default(default: JsonValue, function: str, fields: Fields) -> JsonValue:
    if default is not None and function not in OFFSETS:
        refuse(f"{function} takes no default; only lag and lead do", fields.at("default"))
    return default


def _frame(written: JsonValue, function: str, ordered: bool) -> Frame | None:
    if written in (None, "", {}, []):
        return None
    if function not in AGGREGATES:
        refuse(f"{function} takes no frame; only {', '.join(AGGREGATES)} do")
    text = " ".join(str(written).upper().split())
    single = _FRAME_START.fullmatch(text)
    if single is not None:
        text = f"{single[1]} BETWEEN {single[2]} {single[3]} AND CURRENT ROW"
    match = _FRAME.fullmatch(text if text.startswith("R") else f"ROWS {text}")
    if match is None:
        refuse(f"{written!r} cannot be read; {_FRAME_SHAPE}")
    unit, *bounds = match.groups()
    start, end = _bound(bounds[0], bounds[1], "PRECEDING"), _bound(bounds[2], bounds[3], "FOLLOWING")
    if unit == "RANGE" and not {start, end} <= {None, 0}:
        cannot("a RANGE frame with a distance cannot be expressed by the compiler; count rows with ROWS")
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
