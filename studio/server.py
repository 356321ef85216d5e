"""Studio's door: `langgraph dev` makes the graph here, as langgraph.json says.

Reading the schemas and drawing the graph start nothing. PostgreSQL and Spark are started for the first run, and end
with the server.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from contextlib import ExitStack
from dataclasses import fields
from typing import Any, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_sdk.runtime import ServerRuntime

from agent.errors import DatamorphError
from agent.settings import load_settings
from bootstrap import open_service, read_settings
from graph.checkpoints.strict import require_strict
from runs.service import Service
from studio.graph import StudioError, StudioGraph, studio_graph
from tools.toolbox import Toolbox

# langgraph.json sets the variable before the server imports langgraph. The server brings its own checkpoints, which it
# reads with a serializer of this kind; its files under .langgraph_api are pickles, and as trusted as the code itself.
require_strict(JsonPlusSerializer())


class Workbench:
    """The service of this process; it is opened for the first run and closed when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._service: Service | None = None

    def service(self) -> Service:
        """Open the service, or return the open one. Raises UnavailableError and InvalidRequestError."""
        with self._lock:
            if self._service is None:
                self._service = self._open.enter_context(open_service(read_settings({}, os.environ)))
            return self._service

    def close(self) -> None:
        """Close the service, and with it PostgreSQL and Spark."""
        with self._lock:
            self._service = None
            self._open.close()


_WORKBENCH = Workbench()
atexit.register(_WORKBENCH.close)


async def make_graph(runtime: ServerRuntime[None]) -> StudioGraph:
    """The graph to run; where the server only draws it, a graph without tools. Raises StudioError."""
    if runtime.execution_runtime is None:
        return studio_graph(_drawn())
    try:
        return studio_graph(await asyncio.to_thread(_WORKBENCH.service))
    except DatamorphError as error:
        raise StudioError(str(error)) from error


def _drawn() -> Service:
    """The service of a graph that is drawn: its ports are bound to nodes and never called."""
    ports = {port.name: cast(Any, object()) for port in fields(Toolbox)}
    return Service(Toolbox(**ports), load_settings({}, {}), InMemorySaver(), "none")
