"""Studio's door: `langgraph dev` makes the graph here, as langgraph.json says.

Reading the schemas and drawing the graph start nothing. PostgreSQL and Spark are started for the first run, and end
with the server.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from contextlib import ExitStack, closing
from dataclasses import fields
from typing import Any, cast

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_sdk.runtime import ServerRuntime

from agent.settings import Settings, load_settings
from graph.checkpoints.strict import require_strict
from studio.graph import Studio, StudioGraph, readable, studio_graph
from tools.toolbox import Toolbox

# langgraph.json sets the variable before the server imports langgraph. The server brings its own checkpoints, which it
# reads with a serializer of this kind; its files under .langgraph_api are pickles, and as trusted as the code itself.
require_strict(JsonPlusSerializer())


class Workbench:
    """The tools of this process: made for the first run, put away when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = ExitStack()
        self._studio: Studio | None = None

    def studio(self) -> Studio:
        """Make the tools, or give those that were made. Raises UnavailableError and InvalidRequestError."""
        with self._lock:
            if self._studio is None:
                settings = load_settings({}, os.environ)
                self._studio = self._local(settings) if settings.engine == "local" else self._aws()
            return self._studio

    def _local(self, settings: Settings) -> Studio:
        from tools.local.local_toolbox import database_place, local_toolbox

        return Studio(self._open.enter_context(local_toolbox(settings)), settings, database_place(settings))

    def _aws(self) -> Studio:
        from tools.aws.aws_toolbox import aws_toolbox
        from tools.aws.clients import AwsClients
        from tools.aws.configuration import aws_settings
        from tools.database.database_url import place_of

        settings = aws_settings({}, os.environ)
        clients = self._open.enter_context(closing(AwsClients(settings.region, settings.account)))
        tools = self._open.enter_context(aws_toolbox(settings, clients))
        return Studio(tools, settings, place_of(settings.database_url))

    def close(self) -> None:
        """End every server that was started."""
        with self._lock:
            self._studio = None
            self._open.close()


_WORKBENCH = Workbench()
atexit.register(_WORKBENCH.close)


async def make_graph(runtime: ServerRuntime[None]) -> StudioGraph:
    """The graph to run; without tools where the server only reads it."""
    if runtime.execution_runtime is None:
        return studio_graph(_drawn())
    with readable():
        return studio_graph(await asyncio.to_thread(_WORKBENCH.studio))


def _drawn() -> Studio:
    """A graph that is only looked at needs ports to be bound, and none that works."""
    ports = {port.name: cast(Any, object()) for port in fields(Toolbox)}
    return Studio(Toolbox(**ports), load_settings({}, {}), "none")
