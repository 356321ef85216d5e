"""Many processes that publish into one target at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.publish_scene import MODES, SAMPLED, Mode, PublishScene, Turn, publish_scene, state_of
from tests.faults.reader import Reader
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).parents[2]


@contextmanager
def publishers(url: str, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes that are ready to publish."""
    command = [sys.executable, "-m", "tests.faults.publisher", url]
    with ExitStack() as stack:
        made = []
        for _ in range(count):
            process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            made.append(stack.enter_context(process))
        for process in made:
            assert heard(process) == {"ready": True}
        yield made
        for process in made:
            assert process.stdin is not None
            process.stdin.close()


def heard(process: subprocess.Popen[str]) -> dict[str, Any]:
    """A process's next answer."""
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def at_once(processes: Sequence[subprocess.Popen[str]], turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Give each process its order; the answers in the same order."""
    lines = [
        json.dumps({"order": asdict(t.order), "snapshot": t.snapshot.model_dump(mode="json")}) + "\n" for t in turns
    ]
    for process, line in zip(processes, lines, strict=True):
        assert process.stdin is not None
        process.stdin.write(line)
        process.stdin.flush()
    return [heard(process) for process in processes]


def others_wrong(scene: PublishScene, turns: Sequence[Turn], answers: Sequence[dict[str, Any]]) -> str:
    """Violations after different orders were published at once; empty when there are none."""
    if [answer["kind"] for answer in answers] != ["published"] * len(turns):
        return f"they were told {answers}"
    held = {int(id_): str(note) for id_, note in scene.sql("SELECT id, note FROM summary")}
    if not one_after_the_other(scene, turns, held):
        return "the target is a mixture"
    scene.held = held
    return "" if scene.state() == state_of(held) else "a referencing row has no parent"


def one_after_the_other(scene: PublishScene, turns: Sequence[Turn], held: dict[int, str]) -> bool:
    """Whether the publishes of these turns, in some order, give these rows."""
    if scene.mode == "overwrite":
        return any(held == turn.written for turn in turns)
    if held.keys() != scene.held.keys() | {id_ for turn in turns for id_ in turn.written}:
        return False
    earlier: TopologicalSorter[str] = TopologicalSorter()
    for id_, note in held.items():
        writers = {turn.written[id_] for turn in turns if id_ in turn.written} or {scene.held[id_]}
        if note not in writers:
            return False
        earlier.add(note, *writers - {note})
    try:
        earlier.prepare()
    except CycleError:
        return False
    return True


def ordered(mode: Mode, count: int) -> bool:
    """Whether all states that so many publishes go through can be listed: of eight that add up there are 109,601."""
    return mode == "overwrite" or count == 2


def between(scene: PublishScene, turns: Sequence[Turn]) -> set[str]:
    """All states that somebody may see while these turns are published, in whatever order."""
    if not ordered(scene.mode, len(turns)):
        return set()
    if scene.mode == "overwrite":
        return {state_of(turn.written) for turn in turns}
    one, other = (turn.written for turn in turns)
    orders = ([one], [other], [one, other], [other, one])
    return {state_of(reduce(lambda held, written: held | written, order, scene.held)) for order in orders}


def rounds(url: str, mode: Mode, count: int, turns: int, tally: Tally) -> None:
    """So many rounds of different orders at once, and of one order at once, under somebody who reads."""
    with publish_scene(url, mode) as scene, publishers(url, count) as processes, Reader(url) as reader:
        whole = {scene.state()}
        for number in range(turns):
            staged = [scene.turn() for _ in range(count)]
            whole |= between(scene, staged)
            found = others_wrong(scene, staged, at_once(processes, staged))
            tally.case(f"{count} publishers at once, {mode}", not found, f"round {number}: {found}")
            same = scene.turn()
            kinds = sorted(answer["kind"] for answer in at_once(processes, [same] * count))
            scene.published(same)
            whole.add(state_of(same.after))
            ok = kinds == ["already"] * (count - 1) + ["published"] and scene.state() == state_of(same.after)
            tally.case(f"one order {count} times at once, {mode}", ok and scene.entries(same) == 1, f"{kinds}")
    mixed = [state for state in reader.seen if state not in whole] if ordered(mode, count) else []
    wrong = mixed + [state for state in reader.seen if state.endswith(" 0 children")]
    told = f"{reader.error}, {reader.reads} reads in {reader.seconds:.1f} s, {wrong}"
    tally.case(f"reads beside them, {mode}", reader.steady and not wrong, told)
    tally.check()


@pytest.mark.parametrize("mode", SAMPLED)
def test_two_at_once(postgres_url: str, mode: Mode, tally: Tally) -> None:
    """Different orders come one after the other and never mix; one order is published once."""
    rounds(postgres_url, mode, 2, 1, tally)


@pytest.mark.faults
@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("mode", MODES)
def test_many_at_once(postgres_url: str, mode: Mode, count: int, tally: Tally) -> None:
    """The same, twenty-five times with two processes and with eight."""
    rounds(postgres_url, mode, count, 25, tally)
