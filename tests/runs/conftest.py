"""A workflow on fakes: everything but engine, database, Spark, model and time is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.runs.scene import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Make a bench; its stores are closed after the test."""
    with ExitStack() as stack:
        yield lambda **parts: Bench(tmp_path, stack, **parts)
