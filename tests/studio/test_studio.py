"""`langgraph dev` over its HTTP interface: real Spark, a real PostgreSQL, and nothing left when it stops.

The tests stand in the order of a session: read, run, resume, stop.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.studio.server import Answered, StudioServer, running, studio_server
from tools.local.postgres import embedded_server

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.postgres]

SPECS = {
    "source_tables": [{"table_name": "orders", "alias": "o"}],
    "target_table": {"name": "totals", "columns": ["customer", "total"]},
    "aggregations": [{"function": "sum", "column": "amount", "alias": "total", "group_by": ["customer"]}],
}
JOB_SECONDS = 240.0
"""How long the job may take on a busy machine."""
NODES = [
    "prepare", "generate", "sanitize", "preflight", "upload", "publish", "suspend", "diagnose", "repair", "finish",
    "run_glue:create_job", "run_glue:start_run", "run_glue:await_run", "run_glue:suspend", "run_glue:delete_job",
]  # fmt: skip


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Make a home with a table of three rows, whose PostgreSQL is stopped."""
    with tempfile.TemporaryDirectory(prefix="datamorph-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with embedded_server(home / "postgres") as server, psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE orders (customer text, amount numeric(10,2))")
            connection.execute("INSERT INTO orders VALUES ('a', 1.50), ('a', 2), ('b', 4)")
        yield home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[StudioServer]:
    """Run the server of this module, whose runs suspend while their job runs."""
    with studio_server(home, DATAMORPH_WAIT_SECONDS="1") as server:
        yield server


def test_the_schemas_are_the_event_and_the_response(server: StudioServer) -> None:
    """The form asks for a specification; the output has the two keys of every door."""
    schemas = server.call(f"/assistants/{server.assistant}/schemas")
    assert schemas["input_schema"]["required"] == ["specs"]
    assert list(schemas["output_schema"]["properties"]) == ["statusCode", "body"]


def test_the_drawing_shows_the_workflow_and_the_job_as_subgraphs(server: StudioServer, home: Path) -> None:
    """Each node is there by its name; drawing has started nothing and made nothing."""
    graph = server.call(f"/assistants/{server.assistant}/graph?xray=true")
    nodes = {node["id"] for node in graph["nodes"]}
    assert nodes >= {"__start__", "accept", *(f"run:{node}" for node in NODES), "__end__"}
    assert ("accept", "run:prepare") in {(edge["source"], edge["target"]) for edge in graph["edges"]}
    assert sorted(path.name for path in home.iterdir()) == ["postgres", "studio"]
    assert not (home / "postgres" / "pgdata" / "postmaster.pid").exists()


def test_a_run_suspends_goes_on_and_fills_the_target(server: StudioServer, home: Path) -> None:
    """The interrupt says what it waits for; resumed until the job has ended, the run publishes real rows."""
    answered = server.run({"specs": SPECS})
    (interrupt,) = answered.output["__interrupt__"]
    waits_for = interrupt["value"]["waits_for"]
    assert re.fullmatch(r"job run jr_\w+ has not ended; resume with any value to look again", waits_for)
    assert inner_state(server, answered.thread)["job_run_id"] == interrupt["value"]["job_run_id"]
    output = resumed(server, answered).output
    body = output["body"]
    assert (output["statusCode"], body["execution_status"], body["rows_written"]) == (200, "success", 2)
    assert (body["attempts"], body["preflight"]) == (1, "ok")
    with embedded_server(home / "postgres") as database, psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT customer, total::text FROM totals ORDER BY 1").fetchall()
    assert rows == [("a", "3.50"), ("b", "4.00")]


def inner_state(server: StudioServer, thread: str) -> dict[str, Any]:
    """Give what Studio shows of the job's subgraph."""
    state = server.call(f"/threads/{thread}/state?subgraphs=true")
    while pending := [task["state"] for task in state["tasks"] if task["state"]]:
        (state,) = pending
    return dict(state["values"])


def resumed(server: StudioServer, answered: Answered) -> Answered:
    """Resume until there is no interrupt."""
    until = time.monotonic() + JOB_SECONDS
    while "__interrupt__" in answered.output:
        assert time.monotonic() < until, answered.output
        answered = server.resume(answered.thread, "look")
    return answered


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"specs": {**SPECS, "source_tables": []}}, "specs.source_tables"),
        ({"specs": {**SPECS, "source_tables": ["nowhere"]}}, "specs.source_tables[0].table_name"),
        ({"run_id": "a b", "specs": SPECS}, "run_id"),
    ],
)
def test_an_invalid_event_is_answered_with_its_errors(server: StudioServer, event: object, path: str) -> None:
    """400 with the path, whether the event's form or the database shows what is wrong."""
    output = server.run(event).output
    assert (output["statusCode"], output["body"]["execution_status"]) == (400, "invalid")
    assert path in [error["path"] for error in output["body"]["errors"]]


def test_ctrl_c_stops_the_server_and_everything_it_started(server: StudioServer, home: Path) -> None:
    """Spark's JVM and PostgreSQL run until then, and no process is left after."""
    server.run({"specs": {**SPECS, "source_tables": ["nowhere"]}})
    descendants = server.descendants()
    assert [line for line in running(str(home)) if "postgres" in line]
    assert descendants
    assert server.stop() == 0
    until = time.monotonic() + 10
    while (left := running(str(home))) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []
    assert [pid for pid in descendants if alive(pid)] == []
    assert "Traceback" not in server.log.read_text()


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for has ended."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_what_stops_a_run_is_told_in_words(tmp_path: Path) -> None:
    """A database that cannot be reached and a wrong setting are errors of the run whose message says what to do."""
    with studio_server(tmp_path, DATAMORPH_DATABASE_URL="postgresql://etl:hidden@127.0.0.1:9/sales") as server:
        error = server.run({"specs": SPECS}).output["__error__"]
        assert error["error"] == "StudioError"
        assert "database 'sales' at 127.0.0.1:9 cannot be reached" in error["message"]
        assert server.stop() == 0
        assert "hidden" not in server.log.read_text()
