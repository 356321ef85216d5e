"""Recording of real errors, rows and replies into cases: `python -m evals.record NAME...`.

The failing transform runs on real Spark, or as a job on the embedded engine against a real PostgreSQL. Its error goes
into the case verbatim, with versions and date, and PostgreSQL computes the right rows from `repair.sql`.
`--python OTHER` adds the error of another Python's PySpark; `--reply FILE --model WHO` adds a model's reply.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from agent.diagnosis.error_text import parse_error
from agent.errors import DatamorphError
from agent.findings import JobOutcome
from agent.script import assemble
from evals.case import CASES, RECORDING, Case, read_case
from evals.scene import Stage, database_server, stage
from evals.target import CONNECTION, begin, with_script
from graph.inputs import store
from graph.nodes.preflight import preflight
from graph.nodes.publish import move_staged
from graph.state import State, launch_prefix
from tools.local.artifacts import LocalArtifacts
from tools.local.clock import SystemClock
from tools.local.postgres import EmbeddedServer
from tools.ports import DryRun
from tools.records import DryRunResult, SampleTable
from tools.spark.dry_run import LocalDryRun

_ROOT = Path(__file__).parents[1]
_OTHER = Path(__file__).with_name("other_spark.py")


class RecordingError(Exception):
    """The case did not fail in its own phase."""


class _RememberingDryRun:
    """A DryRun that keeps the last result."""

    def __init__(self, inner: Callable[[str, Mapping[str, SampleTable]], DryRunResult]) -> None:
        self._inner = inner
        self.result = DryRunResult()

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        self.result = self._inner(script, tables)
        return self.result

    def close(self) -> None:
        """Do nothing: the inner dry run is not this one's to close."""


@dataclass(frozen=True)
class _OtherSpark:
    """Dry runs on the PySpark of another Python."""

    python: str

    def run(self, script: str, tables: Mapping[str, SampleTable]) -> DryRunResult:
        given = {name: {"columns": table.columns, "rows": table.rows} for name, table in tables.items()}
        told = self._ask({"script": script, "tables": given})
        parts = parse_error(told["error"])
        return DryRunResult(error=parts.message, phase=parts.phase, line=parts.line)

    def version(self) -> str:
        """The version of its Spark."""
        done = subprocess.run([self.python, "-c", "import pyspark; print(pyspark.__version__)"], capture_output=True)
        return done.stdout.decode().strip()

    def _ask(self, question: dict[str, Any]) -> dict[str, str]:
        done = subprocess.run(
            [self.python, str(_OTHER)], input=json.dumps(question).encode(), capture_output=True, check=True
        )
        told: dict[str, str] = json.loads(done.stdout.decode().strip().splitlines()[-1])
        return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the named cases."""
    options = _parser().parse_args(arguments)
    if options.reply:
        add_reply(CASES / f"{options.names[0]}.json", Path(options.reply), options.model)
        return 0
    if options.python:
        other = _OtherSpark(options.python)
        spark = other.version()
        return _each(options.names, lambda case, stored: _put_wording(stored, _on_spark(case, other, spark)))
    with (
        tempfile.TemporaryDirectory(prefix="datamorph-eval-") as folder,
        closing(LocalDryRun(Path(folder))) as dry_run,
        database_server() as server,
    ):
        return _each(options.names, lambda case, stored: record(case, stored, dry_run, server))


def _each(names: Sequence[str], work: Callable[[Case, dict[str, Any]], None]) -> int:
    """Do the work for each case and store it; returns 1 when a case is incomplete after it, else 0."""
    code = 0
    for name in names:
        path = CASES / f"{name}.json"
        stored = json.loads(path.read_text(encoding="utf-8"))
        try:
            work(read_case(path, RECORDING), stored)
            _write(path, stored)
            read_case(path)
            sys.stdout.write(f"{name}: {_summary(stored)}\n")
        except (DatamorphError, RecordingError) as error:
            sys.stdout.write(f"{name}: NOT RECORDED: {error}\n")
            code = 1
        sys.stdout.flush()
    return code


def record(case: Case, stored: dict[str, Any], dry_run: DryRun, server: EmbeddedServer) -> None:
    """Add the verbatim failure, the target and the right rows to a stored case."""
    with stage(case, server) as made:
        if case.phase in ("sanitize", "preflight"):
            _put_wording(stored, _on_spark(case, dry_run, version("pyspark")))
        elif case.phase in ("job", "publish"):
            _put_wording(stored, _on_engine(case, made, stored))
        if case.repair.sql:
            columns, rows = made.query(case.repair.sql)
            stored["repair"] |= {"columns": columns, "rows": rows}


def add_reply(path: Path, file: Path, model: str) -> None:
    """Add a model's reply to a case, verbatim, with today's date."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    reply = {"completion": file.read_text(encoding="utf-8"), "model": model, "date": _today()}
    stored["completions"] = [reply]
    _write(path, stored)
    read_case(path)


def _on_spark(case: Case, dry_run: DryRun | _OtherSpark, spark: str) -> dict[str, Any] | None:
    """Spark's wording of the transform's failure on preflight's rows; None when it accepts the transform."""
    with tempfile.TemporaryDirectory(prefix="datamorph-eval-") as folder:
        artifacts = LocalArtifacts(Path(folder))
        state = begin(case, artifacts)
        if "transform_ref" not in state:
            return None
        state = with_script(case, state, artifacts)
        listener = _RememberingDryRun(dry_run.run)
        preflight(state, artifacts=artifacts, dry_run=listener)
    result = listener.result
    if not result.error:
        return None
    told = {"error": result.error, "phase": result.phase, "line": result.line}
    return {**told, "transform_line": state["transform_line"], "spark": spark, "date": _today()}


def _on_engine(case: Case, made: Stage, stored: dict[str, Any]) -> dict[str, Any]:
    """The wording of the failed job or publish, from a real run."""
    state = begin(case, made.artifacts)
    snapshot = made.database.snapshot(case.request, 0)
    if snapshot.target.exists:
        stored["target"] = snapshot.target.model_dump(mode="json", exclude={"oid"}, exclude_defaults=True) | {
            "exists": True
        }
    transform = made.artifacts.get(state["transform_ref"])
    script = assemble(transform, case.request, snapshot, CONNECTION)
    text = store(state, made.artifacts, "script", script.text, "py")
    kept = store(state, made.artifacts, "snapshot", snapshot.model_dump_json(), "json")
    state = State(**{**state, "snapshot_ref": kept})
    made.execute(case.scene.sabotage)
    jobs, run = made.run_job(text, launch_prefix(state))
    log = jobs.log_tail(run.job_name, run.job_run_id)
    versions = {"spark": version("pyspark"), "postgres": made.version(), "date": _today()}
    told = {"state": run.state, "transform_line": script.transform_line, **versions}
    if case.phase == "job":
        end = log[-case.scene.keep_log :] if case.scene.keep_log else ""
        return {"error": _portable(run.error), "log": _portable(end), **told}
    report = jobs.report(run.job_name, run.job_run_id)
    if report is None:
        raise RecordingError(f"case {case.name}: the job failed before the publish: {run.error}")
    outcome = JobOutcome(
        job_run_id=run.job_run_id,
        state=run.state,
        error="",
        rows=report.rows,
        columns=list(report.columns),
        dpu_seconds=0.0,
        seconds=run.seconds,
        diagnosis=None,
    )
    state = State(**{**state, "outcome": outcome})
    failure = move_staged(state, artifacts=made.artifacts, database=made.database, clock=SystemClock())[
        "publish_failure"
    ]
    if failure is None:
        raise RecordingError(f"case {case.name}: the publish did not fail")
    return {"error": failure["message"], "kind": failure["kind"], **told}


def _portable(text: str) -> str:
    """The text without this checkout's folder."""
    return text.replace(f"{_ROOT}/", "")


def _put_wording(stored: dict[str, Any], wording: dict[str, Any] | None) -> None:
    """Replace the wording of the same Spark, else add it."""
    if wording is None:
        return
    wording = {name: value for name, value in wording.items() if value not in ("", None)}
    others = [one for one in stored.get("wordings", []) if one.get("spark") != wording["spark"]]
    own = wording["spark"] == version("pyspark")
    stored["wordings"] = [wording, *others] if own else [*others, wording]


def _summary(stored: dict[str, Any]) -> str:
    wordings = [f"Spark {one['spark']}: {one['error'].splitlines()[0][:150]}" for one in stored.get("wordings", [])]
    return "; ".join(wordings) or "nothing failed"


def _write(path: Path, stored: dict[str, Any]) -> None:
    path.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.record", description="Record what cases need.")
    parser.add_argument("names", metavar="NAME", nargs="+", help="cases to record")
    parser.add_argument("--python", metavar="PYTHON", help="a Python with another PySpark, to add how that words it")
    parser.add_argument("--reply", metavar="FILE", help="a model's reply to the case's prompt, to be kept verbatim")
    parser.add_argument("--model", metavar="WHO", default="", help="who wrote the reply")
    return parser


if __name__ == "__main__":
    sys.exit(main())
