"""Sessions disturbed at a chosen statement: their backend is killed, an answer is lost, or somebody comes between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
import pytest

How = Literal["killed before", "answer lost"]
CUTS: tuple[How, ...] = ("killed before", "answer lost")
OURS = "datamorph"
"""The application name of the product's sessions."""


@dataclass
class Cuts:
    """Counts every statement that the product's sessions send, BEGIN and COMMIT too, and cuts some of them off."""

    killer: psycopg.Connection[Any]
    """Somebody else's session, which may end others."""
    at: frozenset[int] = frozenset()
    """1 for the first statement."""
    how: How = "killed before"
    between: Callable[[], None] | None = None
    """The work that somebody else does before the statement."""
    count: int = 0
    made: list[int] = field(default_factory=list)
    """The statements at which a session was cut."""
    _aside: bool = False
    """True while somebody comes between, with sessions that are not counted."""

    def again(
        self, at: Iterable[int] = (), how: How = "killed before", between: Callable[[], None] | None = None
    ) -> None:
        """Begin to count anew."""
        self.at, self.how, self.between, self.count, self.made = frozenset(at), how, between, 0, []

    def waited(self, connection: psycopg.Connection[Any], wait: Any, *arguments: Any) -> Any:
        """Send one statement of a session, and give what came back of it."""
        if self._aside or connection.info.parameter_status("application_name") != OURS:
            return wait(connection, *arguments)
        self.count += 1
        if self.count not in self.at:
            return wait(connection, *arguments)
        self.made.append(self.count)
        if self.between is not None:
            self._aside = True
            self.between()
            self._aside = False
            return wait(connection, *arguments)
        if self.how == "killed before":
            self.killer.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
            return wait(connection, *arguments)
        wait(connection, *arguments)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def armed(killer: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> Cuts:
    """Cuts that stand between psycopg's connections and their servers."""
    cuts, wait = Cuts(killer), psycopg.Connection.wait

    def waited(self: psycopg.Connection[Any], *arguments: Any) -> Any:
        return cuts.waited(self, wait, *arguments)

    monkeypatch.setattr(psycopg.Connection, "wait", waited)
    return cuts
