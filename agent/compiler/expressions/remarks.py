"""Remarks on an expression: how a part was read that the other dialect reads differently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from agent.compiler.problems import refuse


@dataclass
class Remarks:
    """Collects pairs of a reading and the other one."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, message: str, other: str) -> None:
        """Add a reading, and the other one that an engineer might have meant."""
        if (message, other) not in self.found:
            self.found.append((message, other))


def refuse_two_readings(text: str, postgres: str, spark: str, instead: str = "") -> NoReturn:
    """Refuse a part that PostgreSQL and Spark read differently."""
    both = f"{text} has two readings: PostgreSQL gives {postgres}, Spark {spark}"
    unambiguous = f", or write {instead}" if instead else ""
    refuse(f'{both}; set `options.expression_dialect` to "postgres" or "spark"{unambiguous}')
