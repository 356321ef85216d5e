"""The checkpoints' store is cut off after every single write: the whole workflow goes on from whatever was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.names import RunKey, thread_id
from graph.response import Response
from runs.service import Service
from tests.fakes.moto_server import Aws
from tests.faults.tally import Tally
from tests.graph.checkpoints.scene import ProcessDied, atomic, cut_after, stock
from tests.runs.scene import SCRIPT_FAILED, SCRIPT_FAILED_OTHERWISE, Bench, event
from tools.fakes import FakeJobs, PlannedRun

PATHS: dict[str, list[PlannedRun]] = {
    "right at once": [PlannedRun()],
    "repaired": [SCRIPT_FAILED, PlannedRun()],
    "given up": [SCRIPT_FAILED, SCRIPT_FAILED_OTHERWISE],
}
SAMPLE_STEP = 7
"""The default run cuts after every 7th write."""
STOCK_STEP = 5
"""The stock saver writes ten items where ours writes once; a fifth of the cuts shows what it loses."""
_WAKES = 4

Savers = Callable[[], AbstractContextManager[Any]]


def undisturbed(savers: Savers, folder: Path, path: str) -> tuple[tuple[object, ...], int]:
    """How a run ends that nothing disturbs, and with how many writes."""
    with ExitStack() as stack, savers() as saver, cut_after(saver.client, 10_000) as seen:
        bench = Bench(folder, stack, jobs=FakeJobs(*PATHS[path]))
        return _end(_service(bench, saver).run(event()), bench), len(seen)


def cut_off(savers: Savers, folder: Path, path: str, writes: int) -> tuple[tuple[object, ...], bool]:
    """How a run ends whose process died after so many writes, and whether it did."""
    with ExitStack() as stack:
        bench, died = Bench(folder, stack, jobs=FakeJobs(*PATHS[path])), False
        with savers() as saver, cut_after(saver.client, writes):
            try:
                _service(bench, saver).run(event())
            except ProcessDied:
                died = True
        return _woken(savers, bench), died


def _service(bench: Bench, saver: Any) -> Service:
    """The next process, whose checkpoints lie where this saver keeps them."""
    return replace(bench.service(), checkpointer=saver)


def _woken(savers: Savers, bench: Bench) -> tuple[object, ...]:
    """The end that processes bring about which know nothing but what is stored."""
    end: tuple[object, ...] = ()
    for _ in range(_WAKES):
        with savers() as saver:
            try:
                answer = _service(bench, saver).run(event())
            except (KeyError, TypeError, ValueError) as error:
                return ("the state was lost", str(error))
        end = _end(answer, bench)
        if answer["statusCode"] not in (202, 503):
            break
    return end


def _end(answer: Response, bench: Bench) -> tuple[object, ...]:
    body = answer["body"]
    told = [body.get(name) for name in ("execution_status", "attempts", "rewrites", "rows_written")]
    left = sorted(bench.jobs._jobs)
    return answer["statusCode"], *told, len(bench.jobs.started), list(bench.database.published), left


def sweep(aws: Aws, savers: Savers, folder: Path, path: str, step: int = 1) -> Iterator[tuple[str, str]]:
    """Each cut, and what was wrong afterwards."""
    expected, writes = undisturbed(savers, folder / "undisturbed", path)
    for cut in range(0, writes, step):
        _forget(aws)
        end, died = cut_off(savers, folder / str(cut), path, cut)
        wrong = "" if end == expected else f"{end}, not {expected}"
        yield f"cut after write {cut} of {writes}", wrong if died else f"the process did not die; {wrong}"


def _forget(aws: Aws) -> None:
    """Empty the checkpoints' table."""
    with atomic() as saver:
        saver.delete_thread(thread_id(RunKey(event()["run_id"], 1)))


def count(tally: Tally, aws: Aws, folder: Path, path: str, step: int = 1) -> None:
    """Count the cases of our saver."""
    _forget(aws)
    for name, wrong in sweep(aws, atomic, folder, path, step):
        tally.case(f"store cut off after a write, {path}", not wrong, f"{name}: {wrong}")
    tally.check()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.faults
def test_cut_off_after_every_write(aws: Aws, tmp_path: Path, path: str, tally: Tally) -> None:
    """On all three ways that a run can go: the end is that of a run which nothing disturbed."""
    count(tally, aws, tmp_path, path)


def test_cut_off_after_some_writes(aws: Aws, tmp_path: Path, tally: Tally) -> None:
    """A sample of the sweep, on the shortest way."""
    count(tally, aws, tmp_path, "right at once", SAMPLE_STEP)


@pytest.mark.faults
def test_the_stock_saver_loses_runs(aws: Aws, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Cut off in the same way it brings runs to no end, or to a wrong one, without a word: that is what ours is for."""
    wrong = [bool(told) for _, told in sweep(aws, stock, tmp_path, "right at once", STOCK_STEP)]
    record_property("figures", f"stock saver cut off after a write: {sum(wrong)} of {len(wrong)} runs lost")
    assert any(wrong)
