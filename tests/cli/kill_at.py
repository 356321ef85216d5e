"""`datamorph`, killed with SIGKILL at a node: in its environment it has KILL_AT, as `before:publish`."""

from __future__ import annotations

import os
import signal
from typing import Any

from cli import main as cli


def arm(moment: str, node: str) -> None:
    """Replace the node's function by one that kills this process before or after the work."""
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
    import graph.builder

    module: Any = graph.builder
    work = getattr(module, node)

    def killed(*arguments: Any, **ports: Any) -> Any:
        if moment == "after":
            work(*arguments, **ports)
        os.kill(os.getpid(), signal.SIGKILL)

    if node == "await_run":  # LangGraph looks at the signature for `runtime`
        killed.__signature__ = __import__("inspect").signature(work)  # type: ignore[attr-defined]
        killed.__annotations__ = work.__annotations__
    setattr(module, node, killed)


def main() -> int:
    """Run the command of the arguments until it comes to the node."""
    arm(*os.environ.pop("KILL_AT").split(":"))
    return cli.main()
