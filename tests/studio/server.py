"""A `langgraph dev` of the project, started and stopped as a developer does, and spoken to over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
_START_SECONDS = 45.0
_STOP_SECONDS = 30.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answered:
    """Output or error of a run, and its thread."""

    thread: str
    output: dict[str, Any]


@dataclass(frozen=True)
class StudioServer:
    """One running server."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def call(self, path: str, body: object = None) -> Any:
        """GET, or POST where there is a body; the decoded answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with _DIRECT.open(request, timeout=300) as response:
            return json.load(response)

    @property
    def assistant(self) -> str:
        """The id of the only assistant there is."""
        (found,) = self.call("/assistants/search", {})
        return str(found["assistant_id"])

    def run(self, event: object, thread: str | None = None) -> Answered:
        """Run an event to its end or its interrupt, in a new thread where none is given."""
        return self._wait(thread or self.call("/threads", {})["thread_id"], {"input": event})

    def resume(self, thread: str, value: object) -> Answered:
        """Answer the interrupt of a thread."""
        return self._wait(thread, {"command": {"resume": value}})

    def go_on(self, thread: str) -> Answered:
        """Run a thread again from where its error left it."""
        return self._wait(thread, {"input": None})

    def _wait(self, thread: str, what: dict[str, Any]) -> Answered:
        return Answered(thread, self.call(f"/threads/{thread}/runs/wait", {"assistant_id": "datamorph", **what}))

    def stop(self) -> int:
        """Press Ctrl-C, and give the exit code; a server that does not stop is killed, and the code is negative."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def descendants(self) -> set[int]:
        """The processes that the server started, and those that they started."""
        found, parents = {self.process.pid}, _parents()
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found - {self.process.pid}


@contextmanager
def studio_server(home: Path, **settings: str) -> Iterator[StudioServer]:
    """Start a server with a home of its own. It keeps its threads in the folder that it is started in: none of ours."""
    port, folder = _free_port(), home / "studio"
    folder.mkdir()
    for name in ("langgraph.json", "studio"):
        (folder / name).symlink_to(PROJECT / name)
    log = folder / "log"
    command = [str(Path(sys.executable).with_name("langgraph")), "dev"]
    command += ["--no-browser", "--no-reload", "--port", str(port)]
    environment = _environment({"DATAMORPH_HOME": str(home), **settings})
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        server = StudioServer(process, f"http://127.0.0.1:{port}", log)
        try:
            _await(server)
            yield server
        finally:
            if process.poll() is None:
                server.stop()


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Without settings of the machine that the tests run on."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return {**own, "LANGGRAPH_CLI_NO_ANALYTICS": "1", **settings}


_NOT_INHERITED = ("DATAMORPH_", "AWS_", "LANGGRAPH_", "LANGSMITH_", "LANGCHAIN_")


def _parents() -> dict[int, int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name before the last parenthesis may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    return parents


def running(word: str) -> list[str]:
    """The command lines of processes that name a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += [line] if word in line else []
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(server: StudioServer) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.process.poll() is None:
        try:
            if server.call("/ok")["ok"]:
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"the server does not answer:\n{server.log.read_text()}")
