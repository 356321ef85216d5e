"""A process that dies at a chosen call of its ports, without being one: nothing of it reaches the world afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from tests.faults.saver_calls import Moment


class ProcessDied(BaseException):
    """No handler of the product's may see it, as none sees a SIGKILL."""


@dataclass
class Life:
    """The calls of one process in order, and what befalls it at one of them."""

    dies_at: int = 0
    """The how-manieth of the calls that count, from 1; 0: it lives."""
    names: frozenset[str] = frozenset()
    """Those that count, as `jobs.start`."""
    moment: Moment = "before"
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    """Work of somebody else, once, right before a call by its name, as `jobs.start`."""
    errors: Mapping[str, Exception] = field(default_factory=dict)
    """Errors that every call by a name raises without being made."""
    calls: list[str] = field(default_factory=list)
    dead: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def call(self, name: str, method: Callable[..., Any], *given: Any, **more: Any) -> Any:
        """Do a call, and die before or after it. Raises ProcessDied for that one and for all that come then."""
        with self._lock:
            self._live_on()
            self.calls.append(name)
            here = name in self.names and sum(one in self.names for one in self.calls) == self.dies_at
            self._live_on(here and self.moment == "before")
        self.before.pop(name, lambda: None)()
        if name in self.errors:
            raise self.errors[name]
        answer = method(*given, **more)
        self._live_on(here and self.moment == "after")
        return answer

    def _live_on(self, dies: bool = False) -> None:
        self.dead = self.dead or dies
        if self.dead:
            raise ProcessDied


class Mortal:
    """A port as one process has it."""

    def __init__(self, name: str, port: object, life: Life) -> None:
        self._name = name
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return partial(self._life.call, f"{self._name}.{name}", found) if callable(found) else found


class MortalSaver(SqliteSaver):
    """A SqliteSaver as one process has it."""

    def __init__(self, connection: Any, life: Life) -> None:
        super().__init__(connection)
        self._life = life

    def get_tuple(self, *given: Any, **more: Any) -> Any:
        """Read a checkpoint."""
        return self._life.call("saver.get_tuple", super().get_tuple, *given, **more)

    def put(self, *given: Any, **more: Any) -> Any:
        """Store a checkpoint."""
        return self._life.call("saver.put", super().put, *given, **more)

    def put_writes(self, *given: Any, **more: Any) -> Any:
        """Store a task's writes."""
        return self._life.call("saver.put_writes", super().put_writes, *given, **more)
