"""Elements in the words of a message."""

from __future__ import annotations

from typing import Any

from agent.elements import Aggregation, DerivedColumn, SelectItem, SortItem, WindowEntry


def call_text(one: Aggregation) -> str:
    """An aggregate as SQL."""
    column = one.column or "*"
    return f"count(distinct {column})" if one.function == "count_distinct" else f"{one.function}({column})"


def shown(element: Any) -> str:
    """An element in the words of a message."""
    match element:
        case Aggregation():
            return f"`{call_text(element)}`"
        case DerivedColumn():
            return f"`{element.expression}`"
        case WindowEntry():
            order = ", ".join(shown(item) for item in element.order_by)
            over = f"partition by {', '.join(element.partition_by)} " if element.partition_by else ""
            return f"`{element.function}({element.column or ''}) over ({over}{f'order by {order}' if order else ''})`"
        case SortItem():
            return f"{element.column} {'desc' if element.descending else 'asc'}"
        case SelectItem():
            return element.column
        case tuple():
            return ", ".join(shown(item) if not isinstance(item, bool | int) else str(item) for item in element)
    return repr(element)
