"""Fixtures of every test: a real, embedded PostgreSQL, and real Spark."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tools.spark.jvm import SparkJvm

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Read by langgraph at its first import, wherever in a test session that is.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
# Databases, ledgers and checkpoints are synced to disk at each step: in memory that takes less time.
_MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 << 30:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)
# A deadline for each example would measure the machine's load.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")
# No test asks the machine that it runs on for credentials.
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.aws", "tests.fixtures.function"]
"""Fixtures with a real, embedded PostgreSQL: one server a test session, one fresh database a test."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: the last of several processes is not left alone with one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests measured: `record_property("figures", …)`."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    figures = [value for one in reports for name, value in getattr(one, "user_properties", ()) if name == "figures"]
    for line in dict.fromkeys(figures):
        terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def spark_jvm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkJvm]:
    """Run one warm JVM, to which the scripts of this test session attach, one at a time."""
    with SparkJvm(tmp_path_factory.mktemp("jvm"), purpose="dry_run") as jvm:
        yield jvm


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Open a session of Spark within the test process, in a JVM of its own."""
    from pyspark.sql import SparkSession

    with SparkJvm(tmp_path_factory.mktemp("spark"), purpose="dry_run") as jvm, pytest.MonkeyPatch.context() as patch:
        for name, value in jvm.environment().items():
            patch.setenv(name, value)
        patch.setenv("TZ", "UTC")
        session = SparkSession.builder.getOrCreate()
        yield session
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # py4j leaves its sockets to the garbage collector
            session.stop()


@pytest.fixture
def ansi_spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The session in ANSI mode, in which a job's transform runs: what has no value of its type is an error."""
    spark.conf.set("spark.sql.ansi.enabled", "true")
    yield spark
    spark.conf.unset("spark.sql.ansi.enabled")
