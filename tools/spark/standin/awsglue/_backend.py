"""The stand-in's backend for data: PostgreSQL, or the sample tables of a dry run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

CONNECTIONS = "DATAMORPH_CONNECTIONS"
"""Environment variable: JSON object of connection name to PostgreSQL URL."""
SAMPLES = "DATAMORPH_SAMPLES"
"""Environment variable: directory of a dry run."""


class RelationNotFoundError(RuntimeError):
    """A table is missing; the message is PostgreSQL's."""

    def __init__(self, relation: str) -> None:
        super().__init__(f'ERROR: relation "{relation}" does not exist')


class Backend(Protocol):
    """Tables, addressed by a Glue script's connection options."""

    def read(self, spark: SparkSession, options: Mapping[str, str]) -> DataFrame | None:
        """The rows of `dbtable`; None when there are none."""
        ...

    def write(self, frame: DataFrame, options: Mapping[str, str]) -> None:
        """Append the rows to `dbtable`, which is created if it is missing."""
        ...


def backend() -> Backend:
    """The backend that the environment names."""
    if SAMPLES in os.environ:
        from ._samples import SampleTables

        return SampleTables(Path(os.environ[SAMPLES]))
    if CONNECTIONS in os.environ:
        from ._postgres import Postgres

        return Postgres(json.loads(os.environ[CONNECTIONS]))
    raise RuntimeError(f"the local awsglue needs {CONNECTIONS} or {SAMPLES}; start scripts through the local engine")
