"""Kills this process before or after a call of its checkpointer."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from tests.faults.forked import die

Moment = Literal["before", "after"]
_METHODS = ("get_tuple", "put", "put_writes")


@dataclass
class SaverCalls:
    """The checkpointer's calls in order, and the one at which the process dies."""

    calls: list[str] = field(default_factory=list)
    strike: tuple[int, Moment] | None = None
    """Which call, counted from 1, and when."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, saver: type[Any], patch: pytest.MonkeyPatch) -> None:
        """Watch all savers of a class."""
        for name in _METHODS:
            patch.setattr(saver, name, self._watched(name, getattr(saver, name)))

    def _watched(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def called(*given: Any, **more: Any) -> Any:
            with self._lock:
                self.calls.append(name)
                number = len(self.calls)
            if self.strike == (number, "before"):
                die()
            answer = method(*given, **more)
            if self.strike == (number, "after"):
                die()
            return answer

        return called
