"""Studio's graph on fakes, beside another door over the same fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langgraph.types import Command

from runs.service import Service
from studio.graph import StudioGraph
from tests.runs.scene import Bench


@dataclass
class Desk:
    """The fakes, the service of another door over them, and Studio's graph."""

    bench: Bench
    service: Service
    graph: StudioGraph

    def run(self, event: dict[str, Any], thread: str = "t1") -> dict[str, Any]:
        """Give a thread an event."""
        return self._invoke(event, thread)

    def resume(self, thread: str = "t1") -> dict[str, Any]:
        """Answer the thread's interrupt."""
        return self._invoke(Command(resume="any"), thread)

    def go_on(self, thread: str = "t1") -> dict[str, Any]:
        """Run the thread again without an input."""
        return self._invoke(None, thread)

    def _invoke(self, given: Any, thread: str) -> dict[str, Any]:
        return dict(self.graph.invoke(given, {"configurable": {"thread_id": thread}}))


MakeDesk = Callable[..., Desk]
