"""The check that checkpoints are data only; it runs before a store of checkpoints is opened."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from langgraph.checkpoint.serde.base import SerializerProtocol


@dataclass
class Canary:
    """Stands for the object that a forged checkpoint would create: a class outside langgraph's list of safe ones."""

    alive: bool = True


def require_strict(serializer: SerializerProtocol) -> None:
    """Raise RuntimeError unless a forged checkpoint stays inert.

    With LangGraph's default a forged checkpoint row runs code when it is loaded; the variable is read at the first
    import of langgraph, so the door sets it before.
    """
    if os.environ.get("LANGGRAPH_STRICT_MSGPACK", "").lower() not in ("1", "true"):
        raise RuntimeError("LANGGRAPH_STRICT_MSGPACK=true must be set before langgraph is imported")
    with _unwarned():
        made = serializer.loads_typed(serializer.dumps_typed(Canary()))
    if isinstance(made, Canary):
        raise RuntimeError("langgraph was imported before LANGGRAPH_STRICT_MSGPACK=true was set: checkpoints run code")


@contextmanager
def _unwarned() -> Iterator[None]:
    """Switch off langgraph's warning about a blocked class: the check blocks one on purpose."""
    logger = logging.getLogger("langgraph.checkpoint.serde.jsonplus")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
