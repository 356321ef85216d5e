"""The dry run: the real script on real Spark, with sample rows in the database's place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UnavailableError
from tools.local.environment import base_environment
from tools.local.jvm import SparkJvm
from tools.local.launch import (
    JVM_EXIT_SECONDS,
    LOG,
    SCRATCH,
    TEMP,
    Launch,
    Outcome,
    jvm_seems_gone,
    read_outcome,
    spawn,
    write_launch,
)
from tools.local.standin.awsglue._broken import DryRunBrokenError
from tools.local.typed_rows import write_samples
from tools.records import DryRunResult, SampleTable

_PHASE = re.compile(r'^\[datamorph phase="(?P<phase>[^"]*)" line=(?P<line>\d+)\] (?P<cause>.*)', re.DOTALL)
_BACKSTOP_SECONDS = 30.0


@dataclass(frozen=True)
class _Files:
    """One dry run's directory."""

    directory: Path

    @property
    def samples(self) -> Path:
        return self.directory / "samples"

    @property
    def script(self) -> Path:
        return self.directory / "script.py"


class LocalDryRun:
    """Dry runs under `home`, in one warm JVM, one at a time; the JVM is started by the first of them."""

    def __init__(self, home: Path, timeout_seconds: float = 120, memory: str = "1g") -> None:
        self._home = home.resolve()
        self.timeout_seconds = timeout_seconds
        """Of each script."""
        self._jvm = SparkJvm(self._home / f"jvm-{uuid.uuid4().hex[:12]}", memory, purpose="dry_run")
        self._turn = threading.Lock()

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        """Run the script with these tables, keyed by `dbtable` as the script writes it.

        A script that does not finish in time is a failed one. Raises InvalidRequestError for a sample value that is
        none of its column's type, UnavailableError when Spark cannot run or the dry run's own part fails.
        """
        files = _Files(self._home / f"run-{uuid.uuid4().hex[:12]}")
        try:
            for part in (SCRATCH, TEMP, "samples"):
                (files.directory / part).mkdir(parents=True, mode=0o700)
            files.script.write_text(script, encoding="utf-8")
            _write_tables(files.samples, tables)
            with self._turn:
                return self._run(files)
        except OSError as error:
            raise UnavailableError("spark", f"the dry run cannot use its files in {self._home}: {error}") from error
        finally:
            shutil.rmtree(files.directory, ignore_errors=True)

    def close(self) -> None:
        """End the warm JVM."""
        with self._turn:
            self._jvm.stop()
            shutil.rmtree(self._jvm.scratch, ignore_errors=True)

    def _run(self, files: _Files) -> DryRunResult:
        if self._jvm.exit_code() is not None:
            self._jvm.stop()
        attach = self._jvm.environment()
        arguments = (
            *("--JOB_NAME", "dry-run", "--JOB_RUN_ID", "jr_" + 64 * "0"),
            *("--TempDir", (files.directory / TEMP).as_uri() + "/", "--staging_prefix", "s_000000000000_"),
        )
        # Should this process die, the child's own time-out ends it.
        launch = Launch(str(files.script), arguments, self.timeout_seconds + _BACKSTOP_SECONDS, memory=None)
        write_launch(files.directory, launch)
        environment = base_environment(files.directory / SCRATCH) | {"DATAMORPH_SAMPLES": str(files.samples)} | attach
        child = spawn(files.directory, environment)
        try:
            child.wait(self.timeout_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            self._jvm.stop()  # its Spark would go on with the script's work
            message = f"TimeoutError: the script did not finish within {self.timeout_seconds:g} s on the sample rows"
            return DryRunResult(error=message)
        return self._result(files, read_outcome(files.directory))

    def _result(self, files: _Files, outcome: Outcome | None) -> DryRunResult:
        log = (files.directory / LOG).read_text(encoding="utf-8", errors="replace")[-2000:]
        if outcome is None or outcome.finished is None or outcome.error.startswith("LAUNCH ERROR"):
            self._jvm.stop()
            raise UnavailableError("spark", f"the dry run ended without a result; its log ends with: {log}")
        gone = jvm_seems_gone(outcome.exception, outcome.message)
        if self._jvm.exit_code(JVM_EXIT_SECONDS if gone else 0) is not None:
            self._jvm.stop()
            raise UnavailableError("spark", f"Spark's JVM ended during the dry run: {outcome.message}")
        if outcome.exception == DryRunBrokenError.__name__:
            raise UnavailableError("spark", f"the dry run failed by itself, not the script: {outcome.message}")
        if outcome.state != "SUCCEEDED":
            return _failed(outcome)
        return _succeeded(files.samples / "result.json")


def _write_tables(directory: Path, tables: Mapping[str, SampleTable]) -> None:
    """The samples as the stand-in for `awsglue` finds them."""
    index = {}
    for number, (name, table) in enumerate(tables.items()):
        file = f"t{number}.parquet"
        write_samples(directory / file, name, table)
        index[name] = {"file": file, "columns": table.columns, "rows": len(table.rows)}
    (directory / "tables.json").write_text(json.dumps(index), encoding="utf-8")


def _failed(outcome: Outcome) -> DryRunResult:
    """The script's failure, with phase and line where its message begins with them."""
    match = _PHASE.match(outcome.message)
    if match is None:
        return DryRunResult(error=f"{outcome.exception}: {outcome.message}", line=outcome.line)
    return DryRunResult(error=match["cause"], phase=match["phase"], line=int(match["line"]))


def _succeeded(path: Path) -> DryRunResult:
    """What the script wrote; one that wrote nothing has failed."""
    if not path.exists():
        return DryRunResult(error="the script ended without writing a result")
    stored = json.loads(path.read_text(encoding="utf-8"))
    columns = tuple((name, kind) for name, kind in stored["columns"])
    names = [name for name, _ in columns]
    sample = tuple(dict(zip(names, row, strict=True)) for row in stored["sample"])
    return DryRunResult(columns=columns, rows=stored["rows"], sample=sample)
