"""The dry run: the real script on real Spark, with sample rows in the database's place."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import UnavailableError
from tools.records import DryRunResult, SampleTable
from tools.spark.environment import base_environment
from tools.spark.jvm import SparkJvm
from tools.spark.run_files import (
    JVM_EXIT_SECONDS,
    LOG,
    OUT_OF_MEMORY_EXIT,
    SCRATCH,
    TEMP,
    ChildLaunch,
    Outcome,
    jvm_seems_gone,
    read_outcome,
    spawn,
    write_launch,
)
from tools.spark.sample_tables import write_samples
from tools.spark.standin.awsglue._broken import DryRunBrokenError

_PHASE = re.compile(r'^\[datamorph phase="(?P<phase>[^"]*)" line=(?P<line>\d+)\] (?P<cause>.*)', re.DOTALL)
_BACKSTOP_SECONDS = 30.0
_CONTROL_SECONDS = 30.0
"""Time limit of the control script, which takes 1 to 3 s; a slower machine cannot judge a script."""
_CONTROL = """
from pyspark.sql import SparkSession
assert SparkSession.builder.getOrCreate().range(3).selectExpr("sum(id)").collect()[0][0] == 3
"""
"""Control script: shows that Spark itself works, so that the other script is to blame."""
_DISCONNECTED = re.compile(r"\b(Py4JNetworkError|ConnectionRefusedError|ConnectionResetError)\b")
_TAIL_BYTES = 2000
_JVM_MEMORY = "Spark's JVM ran out of memory"
_SHORT_OF = {
    "MemoryError": "the script's Python process ran out of memory",
    "OutOfMemoryError": _JVM_MEMORY,
    "SparkOutOfMemoryError": _JVM_MEMORY,
    "StackOverflowError": "Spark's JVM ran out of stack (StackOverflowError)",
    "maxResultSize": "the rows of the result are larger than what Spark may fetch (maxResultSize)",
}
_OUT_OF_MEMORY = re.compile(rf"\b({'|'.join(_SHORT_OF)})\b")
"""Names of errors for exhausted memory, anywhere in a message: tasks and bookkeeping wrap the cause."""


@dataclass(frozen=True)
class _Files:
    """The directory of a dry run."""

    directory: Path

    @property
    def samples(self) -> Path:
        return self.directory / "samples"

    @property
    def script(self) -> Path:
        return self.directory / "script.py"


class _BrokenOffError(Exception):
    """The script ended without a result of its own: it died, or exhausted memory or time; no JVM is left."""

    def __init__(
        self, cause: str, how: Literal["dead", "late", "unlaunched"] = "dead", line: int | None = None
    ) -> None:
        super().__init__(cause)
        self.how = how
        self.line = line

    def result(self) -> DryRunResult:
        """The failure of the script, which is to blame because a control script succeeded."""
        control = "while a control script ran through"
        if self.how == "late":
            return DryRunResult(error=f"TooSlowForSamplesError: {self}, {control}", line=self.line)
        return DryRunResult(error=f"TooLargeForSamplesError: {self}, twice, {control}", line=self.line)


class LocalDryRun:
    """Dry runs under `home`, in one warm JVM, one at a time; the JVM is started by the first of them."""

    def __init__(self, home: Path, timeout_seconds: float = 120, memory: str = "1g") -> None:
        self._home = home.resolve()
        self.timeout_seconds = timeout_seconds
        """Time limit of a script; one that dies is run twice."""
        self._jvm = SparkJvm(self._home / f"jvm-{uuid.uuid4().hex[:12]}", memory, purpose="dry_run")
        self._turn = threading.Lock()

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        """Run the script with these tables, keyed by `dbtable` as the script writes it.

        A script has failed that exceeds the time limit, or that twice ends its JVM or process or runs out of memory,
        provided that a control script succeeds. Raises InvalidRequestError for a sample value that does not fit its
        column's type, UnavailableError when Spark cannot run or the dry run itself fails.
        """
        try:
            with self._turn:
                return self._judged(script, tables)
        except OSError as error:
            raise UnavailableError("spark", f"the dry run cannot use its files in {self._home}: {error}") from error

    def close(self) -> None:
        """End the warm JVM."""
        with self._turn:
            self._jvm.stop()
            shutil.rmtree(self._jvm.scratch, ignore_errors=True)

    def _judged(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        """The script's result; a script that breaks off is run again before it is blamed.

        Its death may have another cause, and a warm JVM may be slow because of earlier scripts.
        """
        fresh = self._jvm.pid is None
        try:
            return self._once(script, tables)
        except _BrokenOffError as first:
            self._check_spark(first)
            if first.how == "late" and fresh:
                return first.result()
        try:
            return self._once(script, tables)
        except _BrokenOffError as second:
            if second.how == "unlaunched":
                raise UnavailableError("spark", str(second)) from None
            return second.result()

    def _check_spark(self, broken: _BrokenOffError) -> None:
        """Run the control script in a fresh JVM. Raises UnavailableError where Spark itself does not work."""
        with self._files(_CONTROL, {}) as files:
            try:
                outcome = self._outcome(files, _CONTROL_SECONDS)
                reason = "" if outcome.state == "SUCCEEDED" else f"{outcome.exception}: {outcome.message}"
            except _BrokenOffError as error:
                reason = f"{error}; its log ends with: {_tail(files)}"
        if reason:
            self._jvm.stop()
            raise UnavailableError("spark", f"{broken}; Spark itself does not work, a control script failed: {reason}")

    def _once(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        with self._files(script, tables) as files:
            outcome = self._outcome(files, self.timeout_seconds)
            return _succeeded(files.samples / "result.json") if outcome.state == "SUCCEEDED" else _failed(outcome)

    @contextmanager
    def _files(self, script: str, tables: Mapping[str, SampleTable]) -> Iterator[_Files]:
        files = _Files(self._home / f"run-{uuid.uuid4().hex[:12]}")
        try:
            for part in (SCRATCH, TEMP, "samples"):
                (files.directory / part).mkdir(parents=True, mode=0o700)
            files.script.write_text(script, encoding="utf-8")
            _write_tables(files.samples, tables)
            yield files
        finally:
            shutil.rmtree(files.directory, ignore_errors=True)

    def _outcome(self, files: _Files, seconds: float) -> Outcome:
        """Run the script, in the warm JVM or else a fresh one. Raises _BrokenOffError and UnavailableError."""
        if self._jvm.exit_code() is not None:
            self._jvm.stop()
        attach = self._jvm.environment()
        arguments = (
            *("--JOB_NAME", "dry-run", "--JOB_RUN_ID", "jr_" + 64 * "0"),
            *("--TempDir", (files.directory / TEMP).as_uri() + "/", "--staging_prefix", "s_00000000_000000000000_"),
        )
        # If this process dies, the child's own time-out ends the child.
        launch = ChildLaunch(str(files.script), arguments, seconds + _BACKSTOP_SECONDS, memory=None)
        write_launch(files.directory, launch)
        environment = base_environment(files.directory / SCRATCH) | {"DATAMORPH_SAMPLES": str(files.samples)} | attach
        child = spawn(files.directory, environment)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            self._jvm.stop()  # Spark would go on with the script's work
            late = f"the script did not finish within {seconds:g} s on the sample rows"
            raise _BrokenOffError(late, "late") from None
        try:
            return self._checked(read_outcome(files.directory), child.returncode)
        except _BrokenOffError:
            self._jvm.stop()
            raise

    def _checked(self, outcome: Outcome | None, code: int) -> Outcome:
        """The outcome, if it is the script's own result. Raises _BrokenOffError and UnavailableError."""
        if outcome is None or outcome.finished is None or outcome.state in ("TIMEOUT", "STOPPED"):
            raise _BrokenOffError(f"the script's process {_ended(code)} on the sample rows")
        if outcome.error.startswith("LAUNCH ERROR"):
            raise _BrokenOffError(f"the script did not start: {outcome.error}", "unlaunched")
        cause = self._cause_of_death(outcome)
        if cause:
            raise _BrokenOffError(f"{cause} on the sample rows", line=_failed(outcome).line)
        if outcome.exception == DryRunBrokenError.__name__:
            raise UnavailableError("spark", f"the dry run failed by itself, not the script: {outcome.message}")
        return outcome

    def _cause_of_death(self, outcome: Outcome) -> str:
        """The cause of the script's death, also behind a broken connection; empty for an error of the script itself."""
        message = f"{outcome.exception}: {outcome.message}"
        if short := _OUT_OF_MEMORY.search(message):
            return _SHORT_OF[short[0]]
        code = self._jvm.exit_code(JVM_EXIT_SECONDS if jvm_seems_gone(outcome.exception, outcome.message) else 0)
        if code is None:
            return "the connection to Spark's JVM broke" if _DISCONNECTED.search(message) else ""
        return _JVM_MEMORY if code == OUT_OF_MEMORY_EXIT else f"Spark's JVM {_ended(code)}"


def _tail(files: _Files) -> str:
    with (files.directory / LOG).open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return log.read().decode(errors="replace")


def _ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _write_tables(directory: Path, tables: Mapping[str, SampleTable]) -> None:
    """Write the samples in the form that the stand-in for `awsglue` reads."""
    index = {}
    for number, (name, table) in enumerate(tables.items()):
        file = f"t{number}.parquet"
        write_samples(directory / file, name, table)
        index[name] = {"file": file, "columns": table.columns, "rows": len(table.rows)}
    (directory / "tables.json").write_text(json.dumps(index), encoding="utf-8")


def _failed(outcome: Outcome) -> DryRunResult:
    """The script's failure, with phase and line if its message begins with them."""
    match = _PHASE.match(outcome.message)
    if match is None:
        return DryRunResult(error=f"{outcome.exception}: {outcome.message}", line=outcome.line)
    return DryRunResult(error=match["cause"], phase=match["phase"], line=int(match["line"]))


def _succeeded(path: Path) -> DryRunResult:
    """The result that the script wrote; a script that wrote none has failed."""
    if not path.exists():
        return DryRunResult(error="the script ended without writing a result")
    stored = json.loads(path.read_text(encoding="utf-8"))
    columns = tuple((name, kind) for name, kind in stored["columns"])
    names = [name for name, _ in columns]
    sample = tuple(dict(zip(names, row, strict=True)) for row in stored["sample"])
    return DryRunResult(columns=columns, rows=stored["rows"], sample=sample)
