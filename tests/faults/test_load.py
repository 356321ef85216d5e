"""Many runs at once through the function: nothing is lost, memory stays flat, and each costs what one alone costs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.moto_server import DEFAULTS
from tests.faults.aws_world import AwsWorld, aws_world
from tests.faults.crowd import Crowd, Memory, Told, crowd, rows_of, start_of
from tests.faults.meter import Meter
from tests.faults.tally import Tally

pytestmark = pytest.mark.postgres

SCALE = Path(__file__).parents[2] / "docs" / "scale.md"
WORKERS = 3
ALIKE = 0.10
"""How far a run in the crowd may be from one that is alone, and a figure of the docs from both."""
_OBJECTS, _BYTES = 3, 100_000
"""Growth that an invocation may leave in its process: objects, of which a kept answer has more, and resident bytes,
of which the allocator and pages that a forked process no longer shares make some."""
_WARM = 100
"""With so many runs a quarter of them is enough to warm every process up."""
_ROW = re.compile(r"^\| `([^`]+)` \| ([\d,.]+) \| ([\d,.]+) \| ([\d,.]+) \| ([\d,.]+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Costs:
    """Cost of one run that is alone, by part of its way."""

    begun: Mapping[str, float]
    ended: Mapping[str, float]
    woken: Mapping[str, float]
    """By a sweep, while its job goes on."""

    @property
    def run(self) -> Counter[str]:
        """From the request to the end, without being woken in between."""
        return total([self.begun, self.ended])


def total(costs: Sequence[Mapping[str, float]]) -> Counter[str]:
    """The sum of several."""
    summed: Counter[str] = Counter()
    for cost in costs:
        summed.update(cost)
    return summed


def alone(world: AwsWorld, meter: Meter) -> Costs:
    """The cost of a run that is alone in the account."""
    with crowd(world, meter, 1) as made:
        begun = made.invoke(start_of("r000"))
        made.let_jobs_end()
        ended = made.invoke(made.job_event("r000"))
        made.invoke(start_of("r001"))
        woken = made.invoke({"run_id": "r001", "action": "resume"})
    assert [told.answer["statusCode"] for told in (begun, ended, woken)] == [202, 200, 202], ended.answer
    return Costs(begun.cost, ended.cost, woken.cost)


@pytest.fixture
def meter() -> Meter:
    """Counts of this process and its children."""
    return Meter()


@pytest.fixture
def world(tmp_path: Path, moto_endpoint: str, postgres_url: str, boto_session: Any, meter: Meter) -> Iterator[AwsWorld]:
    """The deployed function, with its clients on the meter."""
    with pytest.MonkeyPatch.context() as patch:
        meter.install(patch)
        with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as made:
            yield made


@dataclass(frozen=True)
class Load:
    """Results of many runs at once."""

    begun: list[Told]
    ended: list[Told]
    live: int
    """How many jobs were live at one time."""
    kept: list[tuple[int, list[Memory]]]
    """Memory of each process after the first quarter of the starts, all starts, a quarter of the ends, all ends."""
    sweep: dict[str, Any]


def loaded(made: Crowd, names: Sequence[str]) -> Load:
    """Begin all runs, so that all their jobs are live; then let the jobs end, and each send its event."""
    few = len(names) // 4
    kept = []

    def invoked(payloads: Sequence[object]) -> list[Told]:
        told = made.all(payloads[:few])
        kept.append((few, made.memory()))
        told += made.all(payloads[few:])
        kept.append((len(names), made.memory()))
        return told

    begun = invoked([start_of(name) for name in names])
    live = made.live()
    made.let_jobs_end()
    ended = invoked([made.job_event(name) for name in names])
    return Load(begun, ended, live, kept, made.invoke({"action": "sweep"}).answer["body"])


def wrong_with(made: Crowd, name: str, begun: Told, ended: Told) -> str:
    """Violations of a run of the crowd; empty when it went as if it were alone."""
    world, body = made.world, ended.answer["body"]
    stored = [item["status"]["S"] for item in ledger(world, name, "RUN")]
    launches = [item["state"]["S"] for item in ledger(world, name, "LAUNCH")]
    events = [found["execution_status"] for found in world.inside.events if found["run_id"] == name]
    rows = [(customer, Decimal(total)) for customer, total in sorted(rows_of(name))]
    found = {
        "first answer": (begun.answer["statusCode"], 202),
        "last answer": (ended.answer["statusCode"], 200),
        "its run": ((body["run_id"], body["attempts"], body["rows_written"]), (name, 1, 2)),
        "job runs": (len(job_runs(world, name)), 1),
        "recorded": ((stored, launches), (["success"], ["CLEANED"])),
        "events": (events, ["success"]),
        "target": (world.sales.sql(f"SELECT customer, total FROM totals_{name} ORDER BY 1"), rows),
        "publishes": (
            world.sales.sql(f"SELECT count(*) FROM datamorph_staging.publishes WHERE run_id = '{name}'"),
            [(1,)],
        ),
    }
    return "; ".join(f"{what} {seen}, not {right}" for what, (seen, right) in found.items() if seen != right)


def ledger(world: AwsWorld, name: str, kind: str) -> list[dict[str, Any]]:
    """The ledger's items of a run."""
    items = world.inside.items(DEFAULTS.ledger_table)
    return [item for item in items if item["pk"]["S"] == f"RUN#{name}" and item["sk"]["S"].startswith(kind)]


def job_runs(world: AwsWorld, name: str) -> list[Any]:
    """All that Glue ever started for a run."""
    runs = world.glue.account.runs.items()
    return [run for job, started in runs if job.startswith(f"datamorph-job-{name}-") for run in started]


def left(world: AwsWorld, load: Load) -> dict[str, Any]:
    """Leftovers, each with its place."""
    found = {
        "jobs": list(world.glue.account.jobs),
        "staging": world.sales.staging(),
        "leases": world.inside.leases(),
        "woken by a sweep": load.sweep["woken"],
    }
    return {where: names for where, names in found.items() if names}


def grown(load: Load, workers: int) -> tuple[float, float]:
    """Objects and bytes that an invocation left in its process, at most, after a quarter of its kind."""
    grown = []
    for (few, before), (all_, after) in zip(load.kept[::2], load.kept[1::2], strict=True):
        each = (all_ - few) / workers
        pairs = zip(before, after, strict=True)
        grown += [
            ((late.objects - early.objects) / each, (late.resident - early.resident) / each) for early, late in pairs
        ]
    objects, resident = zip(*grown, strict=True)
    return max(objects), max(resident)


def unlike(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """The counts that differ by more than a tenth."""
    names = sorted({*one, *other})
    pairs = {name: (one.get(name, 0), other.get(name, 0)) for name in names}
    return {name: pair for name, pair in pairs.items() if abs(pair[0] - pair[1]) > ALIKE * pair[0]}


def at_once(world: AwsWorld, meter: Meter, number: int, tally: Tally, told: Callable[[str, object], None]) -> None:
    """So many runs at once, and one alone to compare them with."""
    single = alone(world, meter).run
    names = [f"r{index:03}" for index in range(number)]
    with crowd(world, meter, WORKERS) as made:
        load = loaded(made, names)
        for name, begun, ended in zip(names, load.begun, load.ended, strict=True):
            wrong = wrong_with(made, name, begun, ended)
            tally.case("runs at once through the function", not wrong, f"{name}: {wrong}")
        assert left(world, load) == {}
    assert load.live == number, "their jobs were not live at one time"
    tally.check()
    costs = total([one.cost for one in [*load.begun, *load.ended]])
    assert unlike(single, {name: count / number for name, count in costs.items()}) == {}
    objects, resident = grown(load, WORKERS)
    if number >= _WARM:
        figures = f"{number} runs at once: {objects:.1f} objects and {resident / 1000:.1f} KB more for each invocation"
        told("figures", figures)
        assert objects <= _OBJECTS, figures
        assert resident <= _BYTES, figures


def test_some_runs_at_once(
    world: AwsWorld, meter: Meter, tally: Tally, record_property: Callable[[str, object], None]
) -> None:
    """A sample of what the sweep does with 200."""
    at_once(world, meter, 8, tally, record_property)


@pytest.mark.faults
def test_200_runs_at_once(
    world: AwsWorld, meter: Meter, tally: Tally, record_property: Callable[[str, object], None]
) -> None:
    """200 jobs are live at one time; every run ends once, with its own rows, and leaves nothing in its process."""
    at_once(world, meter, 200, tally, record_property)


def table(costs: Costs) -> list[str]:
    """The rows of the docs' table of what a run costs."""
    rows = []
    for name in sorted({*costs.run, *costs.woken}):
        parts = (costs.begun, costs.ended, costs.run, costs.woken)
        rows.append(f"| `{name}` | " + " | ".join(f"{part.get(name, 0):,}" for part in parts) + " |")
    return rows


def test_the_docs_tell_what_a_run_costs(
    world: AwsWorld, meter: Meter, record_property: Callable[[str, object], None]
) -> None:
    """Every row of the table in docs/scale.md is measured, and none is missing."""
    costs = alone(world, meter)
    rows = table(costs)
    record_property("figures", "\n".join(rows))
    measured = {name: numbers for name, *numbers in _ROW.findall("\n".join(rows))}
    written = {name: numbers for name, *numbers in _ROW.findall(SCALE.read_text(encoding="utf-8"))}
    assert sorted(written) == sorted(measured)
    for name, numbers in measured.items():
        for one, other in zip(numbers, written[name], strict=True):
            now, then = (float(number.replace(",", "")) for number in (one, other))
            assert abs(now - then) <= ALIKE * now, f"{name}: {other} in docs/scale.md, and {one} now"
