"""The embedded engine: jobs as directories, runs as child processes that outlive their starter.

`{home}/jobs/{name}/definition.json`, `script.py`, `runs/{job run id}/{launch,state}.json`, `log.txt`, `alive.lock`,
`temp/`. A run is alive exactly as long as its `alive.lock` is held: by the starter until the child has it, then by
the child, whatever becomes of the starter. No process id is trusted: the child ends itself (`watchdog.py`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from agent.errors import EngineError
from agent.redaction import mask_secrets
from tools.database.database_url import given_parameters, passwords
from tools.ports import ArtifactStore
from tools.records import TERMINAL_STATES, JobDefinition, JobReport, JobRun
from tools.spark.environment import base_environment
from tools.spark.jvm import SparkJvm
from tools.spark.run_files import (
    CONNECTIONS,
    LOG,
    LOST,
    SCRATCH,
    SECRETS,
    STOP_FILE,
    TEMP,
    ChildLaunch,
    Outcome,
    read_outcome,
    spawn,
    write_launch,
    write_outcome,
)

_LOCK = "alive.lock"
_LOG_CHARACTERS = 20_000
_LONGEST_FORM = 16
"""Characters that a log may hold for one character of a password: JSON escapes, twelve at most, and backslashes."""
_WORKER = re.compile(r"^G\.([1248])X$")
_RUN_ID = re.compile(r"jr_[0-9a-f]{64}")


class LocalJobRunner:
    """Runs jobs on this machine against one PostgreSQL; any number of these may share a `home`.

    With `jvm` scripts run in that warm JVM, one at a time; without, each run starts its own with `memory` of heap.
    Each run keeps the file descriptors `inherited` open as long as it lives: the hold on an embedded server.
    """

    def __init__(
        self,
        home: Path,
        artifacts: ArtifactStore,
        database_url: str,
        jvm: SparkJvm | None = None,
        memory: str = "2g",
        connection: str = "dmdb-connection",
        inherited: tuple[int, ...] = (),
    ) -> None:
        self._jobs = home.resolve() / "jobs"
        self._artifacts = artifacts
        self._secrets = passwords(database_url)
        given = given_parameters(database_url).values()
        # Passwords from elsewhere, as PGPASSWORD, are kept from the child.
        self._told = {
            CONNECTIONS: json.dumps({connection: database_url}),
            SECRETS: json.dumps([secret for secret in self._secrets if secret in given]),
        }
        self._jvm = jvm
        self._memory = memory
        self._inherited = inherited

    def create(self, job: JobDefinition) -> None:
        """Define the job. Raises EngineError AlreadyExistsException when the name is taken."""
        directory = self._directory(job.name)
        script = self._artifacts.get(job.script_ref)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _exclusive(directory):
            if (directory / "definition.json").exists():
                raise EngineError("AlreadyExistsException", f"job {job.name!r} is defined already")
            (directory / "script.py").write_text(script, encoding="utf-8")
            temporary = directory / "definition.tmp"
            temporary.write_text(json.dumps(asdict(job) | {"tags": dict(job.tags)}), encoding="utf-8")
            temporary.replace(directory / "definition.json")

    def start(self, job_name: str, arguments: Mapping[str, str]) -> str:
        """Start one run and return its id; `arguments` are the script's own, with or without their dashes.

        Raises EngineError EntityNotFoundException, ConcurrentRunsExceededException.
        """
        directory = self._directory(job_name)
        if not (directory / "definition.json").exists():
            raise EngineError("EntityNotFoundException", f"job {job_name!r} is not defined")
        with _exclusive(directory):
            if any(not run.terminal for run in self.list_runs(job_name)):
                raise EngineError("ConcurrentRunsExceededException", f"a run of job {job_name!r} is live")
            return self._start(directory, job_name, arguments)

    def get(self, job_name: str, job_run_id: str) -> JobRun:
        """The run as it stands. Raises EngineError EntityNotFoundException."""
        run_dir = self._run_dir(job_name, job_run_id)
        outcome = _look(run_dir)
        seconds = (outcome.finished or time.time()) - outcome.started
        return JobRun(job_name, job_run_id, outcome.state, mask_secrets(outcome.error, self._secrets), seconds)

    def list_runs(self, job_name: str) -> list[JobRun]:
        """All runs of the job, newest first; empty for an unknown job."""
        runs = self._directory(job_name) / "runs"
        found = [path for path in runs.iterdir() if path.name.startswith("jr_")] if runs.exists() else []
        found.sort(key=lambda path: (path / "launch.json").stat().st_mtime_ns, reverse=True)
        return [self.get(job_name, path.name) for path in found]

    def stop(self, job_name: str, job_run_id: str) -> None:
        """Ask a live run to stop; it passes through STOPPING. A terminal run is left as it is."""
        run_dir = self._run_dir(job_name, job_run_id)
        if _look(run_dir).state not in TERMINAL_STATES:
            (run_dir / STOP_FILE).touch()

    def delete(self, job_name: str) -> None:
        """Delete the definition; its runs stay readable. An unknown name is fine."""
        (self._directory(job_name) / "definition.json").unlink(missing_ok=True)

    def report(self, job_name: str, job_run_id: str) -> JobReport | None:
        """The script's own report; None when it wrote none."""
        parts = self._run_dir(job_name, job_run_id).glob(f"{TEMP}/reports/{job_run_id}/part-*")
        text = "".join(part.read_text(encoding="utf-8") for part in sorted(parts))
        return JobReport.parse(text)

    def log_tail(self, job_name: str, job_run_id: str) -> str:
        """The last lines of the run's output, at most 20,000 characters; empty when there is no log.

        The database's password is taken out.
        """
        try:
            with (self._run_dir(job_name, job_run_id) / LOG).open("rb") as log:
                start = log.seek(max(0, log.seek(0, os.SEEK_END) - 4 * _LOG_CHARACTERS))
                text = log.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        text = mask_secrets(text, self._secrets)
        if start:  # the cut may lie within a password, whose rest is not masked
            text = text[_LONGEST_FORM * max(map(len, self._secrets), default=0) :]
        elif len(text) <= _LOG_CHARACTERS:
            return text
        tail = text[-_LOG_CHARACTERS:]
        return tail[tail.find("\n") + 1 :]

    def _start(self, directory: Path, job_name: str, arguments: Mapping[str, str]) -> str:
        """Build the run's directory, locked from before anybody can see it, and hand the lock to the child."""
        job_run_id = "jr_" + secrets.token_hex(32)
        run_dir = directory / "runs" / job_run_id
        nascent = run_dir.with_name(f".{job_run_id}")
        for part in (SCRATCH, TEMP):
            (nascent / part).mkdir(parents=True, mode=0o700)
        shutil.copyfile(directory / "script.py", nascent / "script.py")
        (nascent / LOG).touch()  # the directory is complete even if the starter is killed before the child exists
        definition = json.loads((directory / "definition.json").read_text(encoding="utf-8"))
        environment = self._environment(run_dir)
        lock = os.open(nascent / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            launch = ChildLaunch(
                script=str(run_dir / "script.py"),
                arguments=_arguments(job_name, job_run_id, run_dir, arguments),
                timeout_seconds=definition["timeout_minutes"] * 60,
                memory=None if self._jvm else heap(self._memory, definition["worker_type"]),
                lock_fd=lock,
            )
            write_launch(nascent, launch)
            nascent.rename(run_dir)
            child = spawn(run_dir, environment, (lock, *self._inherited))
        finally:
            os.close(lock)
        # Waiting removes a dead child from the process table.
        threading.Thread(target=child.wait, daemon=True, name=job_run_id).start()
        return job_run_id

    def _environment(self, run_dir: Path) -> dict[str, str]:
        environment = base_environment(run_dir / SCRATCH) | self._told
        return environment | (self._jvm.environment() if self._jvm else {})

    def _directory(self, job_name: str) -> Path:
        name = quote(job_name, safe=" ")
        if not name.strip(". ") or len(name) > 255:
            raise EngineError("InvalidInputException", f"{job_name!r} cannot be a job's name")
        return self._jobs / name

    def _run_dir(self, job_name: str, job_run_id: str) -> Path:
        run_dir = self._directory(job_name) / "runs" / job_run_id
        if not _RUN_ID.fullmatch(job_run_id) or not run_dir.exists():
            raise EngineError("EntityNotFoundException", f"job {job_name!r} has no run {job_run_id!r}")
        return run_dir


def heap(memory: str, worker_type: str) -> str:
    """The heap of a worker type, as `4g`: `memory` is that of G.1X, and G.2X has twice as much, as on Glue."""
    match = _WORKER.match(worker_type)
    if match is None:
        raise EngineError("InvalidInputException", f"worker type {worker_type!r} is none of G.1X, G.2X, G.4X, G.8X")
    return f"{int(memory[:-1]) * int(match[1])}{memory[-1]}"


def _arguments(job_name: str, job_run_id: str, run_dir: Path, arguments: Mapping[str, str]) -> tuple[str, ...]:
    """The command line as Glue makes it: the reserved arguments and the script's own."""
    own = {name.removeprefix("--"): value for name, value in arguments.items()}
    reserved = {"JOB_NAME": job_name, "JOB_RUN_ID": job_run_id, "TempDir": f"{(run_dir / TEMP).as_uri()}/"}
    return tuple(part for name, value in (own | reserved).items() for part in (f"--{name}", value))


@contextlib.contextmanager
def _exclusive(directory: Path) -> Iterator[None]:
    """Keep other processes from creating or starting the same job meanwhile."""
    with (directory / "job.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _look(run_dir: Path) -> Outcome:
    """State of the run; a run whose process died without recording its end is recorded as FAILED, or as STOPPED."""
    outcome = read_outcome(run_dir)
    if outcome is not None and outcome.state in TERMINAL_STATES:
        return outcome
    alive = _alive(run_dir)
    started = (run_dir / "launch.json").stat().st_mtime
    stopping = (run_dir / STOP_FILE).exists()
    if alive:
        now = outcome or Outcome("STARTING", started)
        return Outcome("STOPPING", now.started) if stopping else now
    outcome = read_outcome(run_dir)  # the child may have ended between the first look and the lock
    if outcome is not None and outcome.state in TERMINAL_STATES:
        return outcome
    state, error = ("STOPPED", "") if stopping else ("FAILED", LOST)
    lost = Outcome(state, started, time.time(), error)
    write_outcome(run_dir, lost)
    shutil.rmtree(run_dir / SCRATCH, ignore_errors=True)
    return lost


def _alive(run_dir: Path) -> bool:
    """True while the starter or the child holds the run's lock."""
    with (run_dir / _LOCK).open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
