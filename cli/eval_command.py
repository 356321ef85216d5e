"""`datamorph eval`: recorded failures go through diagnosis, repair and real local Spark, and are scored."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import InvalidRequestError, Problem
from agent.settings import Settings
from evals.case import Case, case_names, load_cases
from tools.local.artifacts import LocalArtifacts

if TYPE_CHECKING:
    from evals.run import Result
    from evals.target import Bench
    from tools.ports import Model

RECORDED = "recorded"
"""The default model: each case's own recorded replies."""

_MARKS = {"holds": ("✓", "green"), "fails": ("✗", "red"), "not run": ("–", "yellow")}


def add_eval(command: argparse.ArgumentParser) -> None:
    """Add the options of `datamorph eval`."""
    command.add_argument("--case", metavar="NAME", action="append", default=[], help="this case alone; may be repeated")
    command.add_argument("--limit", metavar="N", type=_positive, help="the first N cases")
    told = "who repairs: recorded (default: each case's own reply), bedrock, bedrock:MODEL_ID or PROVIDER:MODEL"
    command.add_argument("--model", metavar="MODEL", default=RECORDED, help=told)
    command.add_argument("--report", metavar="FILE", type=Path, help="where report.json goes (default: HOME/evals)")
    command.add_argument("--prompt", action="store_true", help="print what the model would be sent for --case")
    command.add_argument("--list", action="store_true", help="print the names of all cases")
    command.set_defaults(engine="local")
    command.epilog = "exit codes: 0 all that must hold holds, 1 something does not, 2 bad input, 4 unavailable"


def eval_command(options: argparse.Namespace, settings: Settings) -> int:
    """`datamorph eval`: 0 when all that must hold holds, else 1."""
    if options.list:
        sys.stdout.write("\n".join(case_names()) + "\n")
        return 0
    cases = load_cases(options.case)[: options.limit]
    if options.prompt:
        return _print_prompts(cases, options, settings)
    from evals.report import report
    from evals.run import run_cases

    with _bench(settings) as bench:
        view = _View(to_stderr=options.json)
        results = run_cases(cases, bench, view.result)
    told = report(results, settings.model)
    path = options.report or settings.home / "evals" / "report.json"
    _write(path, told)
    view.totals(told, path)
    if options.json:
        sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return 0 if told["passed"] else 1


def _print_prompts(cases: Sequence[Case], options: argparse.Namespace, settings: Settings) -> int:
    from evals.target import prompt_of

    if not options.case:
        raise InvalidRequestError([Problem("--prompt", "prints the prompt of a case; name it with --case")])
    for case in cases:
        prompt = prompt_of(case, _artifacts(settings))
        if prompt is None:
            message = f"no model is asked for it: {case.repair.by} is who mends it"
            raise InvalidRequestError([Problem(f"--case {case.name}", message)])
        sys.stdout.write(prompt.text() + "\n")
    return 0


@contextmanager
def _bench(settings: Settings) -> Iterator[Bench]:
    """One warm Spark for all cases, and the model that repairs."""
    from evals.target import Bench
    from tools.local_toolbox import require_local

    require_local()
    from tools.spark.dry_run import LocalDryRun

    answer = _model(settings)
    with closing(LocalDryRun(settings.home / "evals" / "dryrun", settings.dry_run_seconds)) as dry_run:
        yield Bench(_artifacts(settings), dry_run, answer)


def _model(settings: Settings) -> Callable[[Case], Model]:
    from evals.target import CaseReplies
    from tools.models.selection import model_of

    if settings.model == RECORDED:
        return CaseReplies
    if settings.model == "compiler" or settings.model.startswith("recorded:"):
        message = f"{settings.model} repairs nothing; leave it out for the cases' own replies, or name a real model"
        raise InvalidRequestError([Problem("--model", message)])
    return partial(_same, model_of(settings))


def _same(model: Model, case: Case) -> Model:
    return model


def _artifacts(settings: Settings) -> LocalArtifacts:
    return LocalArtifacts(settings.home / "evals" / "artifacts")


def _write(path: Path, told: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}); choose another file"
        raise InvalidRequestError([Problem("--report", message)]) from None


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed, not {text!r}")
    return int(text)


class _View:
    """The table at the terminal, one line a case; plain text in a file or a pipe."""

    def __init__(self, *, to_stderr: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=to_stderr, highlight=False, soft_wrap=True, markup=False)
        self._width = max(map(len, case_names()))
        self._begun = False

    def result(self, result: Result) -> None:
        """Show one case: its checks in short, and each failing check in full."""
        if not self._begun:
            self._console.print(f"  {'case':<{self._width}}  {'fails in':<9}  {'mended by':<9}  checks", style="bold")
            self._begun = True
        mark, colour = _MARKS[result.value]
        checks = " ".join(f"{_MARKS[score.value][0]} {score.check}" for score in result.scores)
        way = result.trial.way if result.trial.asked else "(model)"
        if not result.case.must_hold:
            colour = "dim"
        line = f"{mark} {result.case.name:<{self._width}}  {result.case.phase:<9}  {way:<9}  {checks}"
        self._console.print(line, style=colour)
        for score in result.failures:
            self._console.print(f"    {score.check}: {_printable(score.explanation)}", style=colour)

    def totals(self, told: dict[str, Any], path: Path) -> None:
        """Show the totals of both tiers, the model's usage, and the path of the report."""
        for tier, counted in told["totals"].items():
            self._console.print(f"{tier:<10} " + ", ".join(f"{number} {value}" for value, number in counted.items()))
        used = told["usage"]
        if used["input_tokens"]:
            words = f"{used['input_tokens']:,} tokens in, {used['output_tokens']:,} out, ${used['usd']:.4f}"
            self._console.print(f"{'model':<10} {told['model']}: {words}")
        self._console.print(f"{'report':<10} {path}")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:300]
