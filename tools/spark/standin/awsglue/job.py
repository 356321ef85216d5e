"""`awsglue.job`: Job; the local engine keeps no bookmarks."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import SparkSession

from ._absent import Partial, absent
from .context import GlueContext

__getattr__ = absent("awsglue.job")


class Job(Partial):
    """The job that the script belongs to."""

    def __init__(self, glue_context_or_spark_session: GlueContext | SparkSession) -> None:
        if not isinstance(glue_context_or_spark_session, GlueContext | SparkSession):
            kind = type(glue_context_or_spark_session)
            raise TypeError(f"cannot init Job instance given input parameter type: {kind}")
        self._initialized = False

    def init(self, job_name: str, args: Mapping[str, object] | None = None) -> None:
        self._initialized = True

    def isInitialized(self) -> bool:
        return self._initialized

    def commit(self) -> None:
        if not self._initialized:
            raise RuntimeError("job.commit() without job.init()")
