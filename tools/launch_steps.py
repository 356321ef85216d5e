"""The generations of a run that are remembered: what they left is found by the time of their acceptance."""

from __future__ import annotations

from dataclasses import replace

from tools.records import RunRecord

_REMEMBERED = 50


def next_generation(known: RunRecord, record: RunRecord) -> RunRecord:
    """`record` as the generation that follows a known one."""
    earlier = [*known.earlier.split(), known.accepted_at][-_REMEMBERED:]
    return replace(record, generation=known.generation + 1, earlier=" ".join(earlier))


def acceptances(record: RunRecord) -> list[tuple[int, str]]:
    """The run's generations that are remembered, each with when it was accepted; the newest last."""
    times = [*record.earlier.split(), record.accepted_at]
    return list(enumerate(times, record.generation - len(times) + 1))
