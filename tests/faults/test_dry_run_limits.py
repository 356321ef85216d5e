"""Transforms that never end or take all memory: each is a finding on sample rows, or harmless, and leaves nothing."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.diagnosis.failures import diagnose_findings, finding_from_error
from agent.findings import Verdict
from agent.request import parse_request
from agent.script import assemble
from agent.snapshot import Column, Snapshot, Source, Target
from tools.records import SampleTable
from tools.spark.dry_run import LocalDryRun

pytestmark = pytest.mark.spark

_SECONDS = 6
_BOUND = frozenset({"too_large_for_samples", "too_slow_for_samples"})
"""Which of the two comes first depends on the machine."""
_FULL = frozenset({"value_does_not_fit"})
_PASSES = frozenset({""})
_OF_A_COLUMN: dict[str, tuple[str, frozenset[str]]] = {
    "a text padded to two billion": ("F.lpad('name', 2000000000, 'x')", _BOUND),
    "an array of two billion elements": ("F.array_repeat('name', 2000000000)", _BOUND),
    "an array of more than an array holds": ("F.array_repeat('name', 2147483647)", _FULL),
    "a text of six billion characters": ("F.repeat('name', 2000000000)", _FULL),
    "two texts of two billion characters": (
        "F.concat(F.repeat('name', 700000000), F.repeat('name', 700000000))",
        _BOUND,
    ),
    "a sequence of two billion": ("F.sequence(F.lit(1), F.lit(2 * 10**9))", _BOUND),
    "a sequence of ten billion": ("F.sequence(F.lit(1), F.lit(10**10))", _FULL),
    "lists of lists": ("F.flatten(F.array_repeat(F.array_repeat('name', 60000), 60000))", _FULL),
    "a literal of a gigabyte": ("F.lit('a' * 10**9)", _BOUND),
    "a literal of fifty megabytes": ("F.lit('a' * 5 * 10**7)", _BOUND | _PASSES),
    "five million texts joined": ("F.array_join(F.array_repeat('name', 5000000), ',')", _BOUND | _PASSES),
    "a pattern that backtracks": ("F.repeat(F.lit('a'), 40).rlike('^(a+)+b$')", _PASSES),
    "a pattern that backtracks for long": (
        "F.repeat(F.lit('a'), 40).rlike('^(([a-z])+.)+[A-Z]([a-z])+$')",
        _BOUND | _PASSES,
    ),
}
"""The column that is added, and what may come of it."""
_WHOLE: dict[str, tuple[str, str, frozenset[str]]] = {
    "a power of a thousand million": ("e = 10 ** 9; x = 9 ** e", "a", _BOUND),
    "a hundred gigabytes of text": ("x = 'a' * 10 ** 11", "a", _BOUND),
    "a text padded to a gigabyte": ("x = f'{1:>{10**9}}'", "a", _BOUND | _PASSES),
    "a list of a thousand million": (
        "r = range(1000); x = [y for a in r for b in r for c in r for y in [1]]", "a", _BOUND,
    ),
    "a loop over a gigabyte": ("_ = [0 for i in range(len('a' * 10 ** 9)) if i < 0]", "a", _BOUND | _PASSES),
    "an expression of 3,000 levels": (
        "c = F.lit(0)\n    for i in range(3000): c = c + F.lit(1)", "a.withColumn('x', c)", _BOUND,
    ),
    "an expression of 20,000 levels": (
        "c = F.lit(0)\n    for i in range(20000): c = c + F.lit(1)", "a.withColumn('x', c)", _BOUND,
    ),
    "many rows of five megabytes": (
        "n = F.explode(F.sequence(F.lit(1), F.lit(500)))", "a.select(F.repeat('name', 2000000).alias('x'), n)", _BOUND,
    ),
    "rows without end": (
        "many = a.select(F.explode(F.sequence(F.lit(1), F.lit(10**7))).alias('n'))",
        "many.crossJoin(many.toDF('m')).agg(F.sum(F.col('n') * F.col('m')).alias('x'))", _BOUND,
    ),
    "a broadcast of a product": ("b = a.toDF('i', 'n')", "F.broadcast(a.crossJoin(b))", _PASSES),
    "a window that slides by milliseconds": (
        "w = F.window(F.lit('2020-01-01').cast('timestamp'), '1000 days', '1 millisecond')",
        "a.groupBy(w).agg(F.count('id'))", _BOUND,
    ),
}  # fmt: skip
"""Lines before the result, the result, and what may come of it."""
_CASES = {
    **{name: ("pass", f"a.withColumn('x', {column})", wanted) for name, (column, wanted) in _OF_A_COLUMN.items()},
    **_WHOLE,
}
_SAMPLE = ("a text padded to two billion", "a power of a thousand million")
"""Tried by default: one that takes Spark's memory, and one that takes Python's time."""
_REQUEST = parse_request(
    {"run_id": "r1", "specs": {"source_tables": [{"table_name": "a"}], "target_table": {"name": "t"}}}
)
_COLUMNS = (Column(name="id", type="integer"), Column(name="name", type="text"))
_SNAPSHOT = Snapshot(
    sources=(Source(key="a", table="a", relation="public.a", columns=_COLUMNS),),
    target=Target(name="t", exists=False),
    origin="database",
)
_TABLES = {
    "public.a": SampleTable(
        (("id", "int"), ("name", "string")),
        ({"id": 1, "name": "ann"}, {"id": 2, "name": "bob"}, {"id": 2, "name": "cid"}),
    )
}


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDryRun]:
    """Open dry runs with a short time limit; at the end nothing of them is left, in this process or beside it."""
    home = tmp_path_factory.mktemp("dryrun")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = LocalDryRun(home, timeout_seconds=_SECONDS)
    yield made
    made.close()
    assert _processes_of(home) == []
    assert list(home.iterdir()) == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # in KiB


def _processes_of(home: Path) -> list[str]:
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = one.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [command] if str(home) in command else []
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in _SAMPLE else pytest.mark.faults) for name in _CASES]
)
def test_what_takes_all_memory_or_time_is_a_finding(dry_run: LocalDryRun, name: str) -> None:
    """The dry run ends, and what is too large or too slow is told with what to write instead; a model may mend it."""
    lines, returned, rules = _CASES[name]
    transform = f'def transform(sources):\n    a = sources["a"]\n    {lines}\n    return {returned}\n'
    script = assemble(transform, _REQUEST, _SNAPSHOT, "dmdb-connection")
    result = dry_run.run(script.text, _TABLES)
    if not result.error:
        assert rules >= _PASSES
        return
    finding = finding_from_error(result.error, script.line_in_transform(result.line))
    assert finding["rule"] in rules, result.error
    diagnosis = diagnose_findings(Verdict(check="preflight", passed=False, findings=[finding]))
    assert (diagnosis["repairable_by"], diagnosis["failure_class"]) == ("code", finding["rule"])
    assert diagnosis["hint"]
    assert result.phase in ("", "transform", "cast")
