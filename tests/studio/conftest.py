"""Studio's graph on fakes, with checkpoints as a server brings them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from studio.graph import studio_graph
from tests.runs.scene import Bench
from tests.studio.scene import Desk, MakeDesk


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
