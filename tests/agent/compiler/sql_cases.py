"""Specifications with the same said in SQL by hand; PostgreSQL gives the rows that are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SALES: list[Any] = ["sales"]


@dataclass(frozen=True)
class SqlCase:
    """A specification and a query that means the same."""

    sources: list[Any]
    sql: str
    specs: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    ordered: bool = False


def windows(*entries: dict[str, Any], **specs: Any) -> dict[str, Any]:
    """A specification with these transformations."""
    return {"transformations": list(entries), **specs}
