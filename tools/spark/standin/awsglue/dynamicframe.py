"""`awsglue.dynamicframe`: DynamicFrame as a thin wrapper of a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from ._absent import Partial, absent

if TYPE_CHECKING:
    from .context import GlueContext

__getattr__ = absent("awsglue.dynamicframe")


class DynamicFrame(Partial):
    """Rows whose schema is inferred from the rows: a source without rows has no columns, as on Glue."""

    def __init__(self, frame: DataFrame | None, glue_ctx: GlueContext, name: str = "") -> None:
        empty = glue_ctx.spark_session.createDataFrame([], T.StructType([])) if frame is None else frame
        self._frame = empty
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx: GlueContext, name: str = "") -> DynamicFrame:
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options: list[Any] | None = None) -> DataFrame:
        return self._frame

    def count(self) -> int:
        return self._frame.count()

    def schema(self) -> T.StructType:
        return self._frame.schema

    def printSchema(self) -> None:
        self._frame.printSchema()

    def show(self, num_rows: int = 20) -> None:
        self._frame.show(num_rows)
