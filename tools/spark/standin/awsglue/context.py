"""`awsglue.context`: GlueContext over the running Spark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.context import SparkContext
from pyspark.sql import SparkSession

from . import dynamicframe
from ._absent import Partial, absent, refuse
from ._backend import Backend, backend

__getattr__ = absent("awsglue.context")


class _Reader(Partial):
    """`create_dynamic_frame`."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_options(
        self, connection_type: str, connection_options: Mapping[str, str] | None = None, **options: Any
    ) -> dynamicframe.DynamicFrame:
        return self._glue_context.create_dynamic_frame_from_options(connection_type, connection_options, **options)


class _Writer(Partial):
    """`write_dynamic_frame`."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_options(
        self,
        frame: dynamicframe.DynamicFrame,
        connection_type: str,
        connection_options: Mapping[str, str] | None = None,
        **options: Any,
    ) -> dynamicframe.DynamicFrame:
        return self._glue_context.write_dynamic_frame_from_options(
            frame, connection_type, connection_options, **options
        )


class GlueContext(Partial):
    """The entry to Glue's reads and writes."""

    def __init__(self, sparkContext: SparkContext | SparkSession | None = None, **options: object) -> None:
        self.spark_session = SparkSession.builder.getOrCreate()
        self.sparkSession = self.spark_session
        self.create_dynamic_frame = _Reader(self)
        self.write_dynamic_frame = _Writer(self)
        self._backend: Backend = backend()

    def get_logger(self) -> Any:
        """Log4j's logger, with the methods that Glue's has: info, warn, error."""
        return self.spark_session.sparkContext._jvm.org.apache.log4j.LogManager.getLogger("GlueLogger")  # type: ignore[union-attr]

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: Mapping[str, str] | None = None,
        format: str | None = None,
        format_options: Mapping[str, str] | None = None,
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        **kwargs: object,
    ) -> dynamicframe.DynamicFrame:
        _only_postgres(connection_type, format)
        rows = self._backend.read(self.spark_session, connection_options or {})
        return dynamicframe.DynamicFrame(rows, self, transformation_ctx)

    def write_dynamic_frame_from_options(
        self,
        frame: dynamicframe.DynamicFrame,
        connection_type: str,
        connection_options: Mapping[str, str] | None = None,
        format: str | None = None,
        format_options: Mapping[str, str] | None = None,
        transformation_ctx: str = "",
    ) -> dynamicframe.DynamicFrame:
        _only_postgres(connection_type, format)
        self._backend.write(frame.toDF(), connection_options or {})
        return frame


def _only_postgres(connection_type: str, format: str | None) -> None:
    if connection_type != "postgresql" or format is not None:
        refuse(f"connection type {connection_type!r}" + (f" with format {format!r}" if format else ""))
