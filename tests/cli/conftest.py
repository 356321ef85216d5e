"""One home with an embedded server for a test session; the real flights are loaded where a test asks for them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.load_flights import load
from tests.cli.scene import Home, small_specification
from tools.local.postgres import embedded_server


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """Make a home."""
    with tempfile.TemporaryDirectory(prefix="datamorph-") as folder:
        Path(folder).chmod(0o755)
        with embedded_server(Path(folder) / "postgres") as server:
            yield Home(Path(folder), server)


@pytest.fixture(scope="session")
def flights(home: Home) -> Home:
    """Load the flights into the home."""
    load(home.server.url)
    return home


@pytest.fixture
def small(home: Home) -> Iterator[Path]:
    """Make a small specification on a small table of its own, `totals` from `orders`."""
    with small_specification(home) as path:
        yield path
