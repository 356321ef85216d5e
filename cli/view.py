"""The view at the terminal: steps as they go, the response, status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.status import Status
from rich.table import Table

from agent.errors import DatamorphError
from agent.settings import Settings
from cli.printable import printable
from graph.response import run_body

if TYPE_CHECKING:
    from agent.findings import Diagnosis
    from graph.response import Response, RunAnswer
    from runs.progress import Step
    from tools.toolbox import Toolbox

_FIRST_ROWS = 8
_CELL = 40
_NOTES = 10
"""Notes that are shown; the answer has all."""
_FIELDS = (
    "execution_status", "target_table", "rows_written", "attempts", "rewrites", "preflight", "verified", "job_run_id",
    "glue_code_path", "message",
)  # fmt: skip


class _Terminal(Console):
    """A console that falls silent when its terminal or pipe is closed, so that the run goes on."""

    def print(self, *objects: Any, **how: Any) -> None:
        try:
            super().print(*objects, **how)
        except OSError:
            self.quiet = True

    def on_broken_pipe(self) -> None:
        self.quiet = True


class View:
    """The terminal; with `to_stderr` standard output is left to the JSON answer."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._console = _Terminal(stderr=to_stderr, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._artifacts = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end_status()

    def begin(self, run_id: str, source: str, settings: Settings) -> None:
        """Show that a run begins."""
        told = f"model {settings.model}, engine {settings.engine}"
        self._artifacts = settings.home / "artifacts" / "glue" / "runs"
        self._console.print(f"[bold]run {escape(run_id)}[/]  {escape(source)}  ({escape(told)})")

    def step(self, step: Step) -> None:
        """Show a node that began or ended; the node that holds the subgraph is left out."""
        if step.node == "run_glue":
            return
        self._end_status()
        if step.phase == "start":
            self._status = self._console.status(f"{step.node} …")
            self._status.start()
            return
        mark, told = _told(step)
        self._console.print(f"  {mark} {step.node:<11}{step.seconds:6.1f} s  {escape(printable(told))}")

    def stopping(self, run_id: str) -> None:
        """Show that a signal has come, and the command that goes on with the run."""
        self._console.print(f"[yellow]stopping after this step[/] (again: at once); then: datamorph resume {run_id}")

    def response(self, response: Response, tools: Toolbox) -> None:
        """Show the first rows of a published target, then the response."""
        self._end_status()
        body = response["body"]
        fields: Mapping[str, object] = body
        if body["execution_status"] == "success" and body["target_table"] and tools.database is not None:
            # The run is over and recorded: a target that cannot be shown any more changes nothing.
            with suppress(DatamorphError):
                self._rows(body["target_table"], tools.database.head(body["target_table"], _FIRST_ROWS))
        colour = {200: "green", 202: "yellow"}.get(response["statusCode"], "red")
        self._console.print(f"[bold {colour}]{response['statusCode']} {body['execution_status']}[/]")
        for name in _FIELDS:
            if fields.get(name) is not None:
                self._console.print(f"  {name:<17}{escape(printable(str(fields[name])))}")
        if response["statusCode"] == 202:
            self._console.print(f"  go on with: datamorph resume {fields['run_id']}")
        if body["execution_status"] == "invalid":
            for problem in body["errors"]:
                told = printable(f"{problem['path']}: {problem['message']}")
                self._console.print(f"  {escape(told)}")
        if body["execution_status"] == "failed" and body["diagnosis"]:
            self._diagnosis(body["diagnosis"])
            self._console.print(
                f"  prompts, replies, scripts and logs: {escape(str(self._artifacts / body['run_id']))}"
            )
        if "warnings" in fields:
            self._remarks(run_body(response))

    def status(self, answer: Any) -> None:
        """Show one run, or a list of runs."""
        runs = answer if isinstance(answer, list) else [answer]
        if not runs:
            self._console.print("no runs yet")
            return
        names = ("run_id", "generation", "status", "model", "engine", "accepted_at")
        self._table(names, ([str(run[name]) for name in names] for run in runs))
        if not isinstance(answer, list) and answer["response"]:
            body = {k: v for k, v in answer["response"]["body"].items() if k != "generation_prompt"}
            self._console.print_json(data=body)

    def _remarks(self, body: RunAnswer) -> None:
        """Show how the specification was read where that was not certain, and the warnings."""
        # An answer that an older version recorded has no notes.
        for note in body.get("notes", [])[:_NOTES]:
            other = f" (another reading: {note['other']})" if note["other"] else ""
            told = printable(f"{note['path']}: {note['message']}{other}")
            self._console.print(f"  [cyan]read as[/] {escape(told)}")
        for warning in body["warnings"]:
            self._console.print(f"  [yellow]warning[/] {escape(printable(warning))}")

    def _diagnosis(self, diagnosis: Diagnosis) -> None:
        where = f", line {diagnosis['line']} of transform" if diagnosis.get("line") else ""
        self._console.print(f"  [red]{diagnosis['failure_class']}[/] in {escape(diagnosis['phase'])}{where}")
        self._console.print(f"  {escape(printable(diagnosis['root_cause']))}")
        if diagnosis["hint"]:
            self._console.print(f"  hint: {escape(printable(diagnosis['hint']))}")

    def _rows(self, target: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self._console.print(f"\nfirst rows of {escape(target)}:")
        self._table(tuple(rows[0]), ([_cell(value) for value in row.values()] for row in rows))

    def _table(self, names: tuple[str, ...], rows: Iterable[list[str]]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in names:
            table.add_column(escape(name), no_wrap=True)
        for row in rows:
            table.add_row(*(escape(cell[:_CELL]) for cell in row))
        # The table is as wide as its cells: a terminal wraps or scrolls, a file keeps all.
        wide = Measurement.get(self._console, self._console.options.update(max_width=10_000), table).maximum
        _Terminal(file=self._console.file, width=wide, highlight=False, quiet=self._console.quiet).print(table)

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def _cell(value: Any) -> str:
    return "NULL" if value is None else printable(str(value))


def _told(step: Step) -> tuple[str, str]:
    """A mark and a few words for a node that ended."""
    update = step.update
    if step.failed:
        return "[red]✗[/]", ""
    verdict, outcome = update.get("verdict"), update.get("outcome")
    if verdict and not verdict["passed"]:
        return "[red]✗[/]", verdict["findings"][0]["message"].split("\n")[0][:160]
    if failure := update.get("publish_failure"):
        return "[red]✗[/]", failure["message"].split("\n")[0][:160]
    if step.node == "await_run" and outcome:
        ok = outcome["state"] == "SUCCEEDED"
        rows = f", {outcome['rows']} rows" if outcome["rows"] is not None else ""
        return (
            "[green]✓[/]" if ok else "[red]✗[/]",
            f"{outcome['state']}{rows} {outcome['error'].split(chr(10))[0][:160]}",
        )
    diagnosis = update.get("diagnosis")
    if step.node == "diagnose" and diagnosis:
        return "[yellow]•[/]", f"{diagnosis['failure_class']}: {diagnosis['root_cause']}"[:160]
    told = {
        "preflight": str(update.get("preflight", "")),
        "upload": str(update.get("latest_uri", "")),
        "start_run": str(update.get("job_run_id", ""))[:24],
        "publish": f"{update.get('rows_written')} rows",
    }
    return "[green]✓[/]", told.get(step.node, "")
