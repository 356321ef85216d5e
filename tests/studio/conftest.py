"""Studio's graph on fakes, with checkpoints as a server brings them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from runs.service import Service
from studio.graph import StudioGraph, studio_graph
from tests.runs.conftest import Bench


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


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MakeDesk]:
    """Make a desk; its stores are closed after the test."""
    with ExitStack() as stack:

        def make(**parts: Any) -> Desk:
            bench = Bench(tmp_path, stack, **parts)
            service = bench.service()
            graph = studio_graph(service)
            return Desk(bench, service, graph.copy(update={"checkpointer": InMemorySaver()}))

        yield make
