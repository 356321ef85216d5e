"""An engine on the warm JVM and a database of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.spark.scene import Bench
from tools.local.artifacts import LocalArtifacts
from tools.spark.engine import LocalJobRunner
from tools.spark.jvm import SparkJvm


@pytest.fixture
def bench(tmp_path: Path, postgres_url: str, spark_jvm: SparkJvm) -> Bench:
    """Make an engine whose scripts run in the warm JVM."""
    artifacts = LocalArtifacts(tmp_path / "artifacts")
    return Bench(tmp_path, LocalJobRunner(tmp_path, artifacts, postgres_url, spark_jvm), artifacts)
