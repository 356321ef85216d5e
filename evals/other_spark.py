"""Runs a script on the PySpark of this Python, for another Spark's wording of a failure.

`OTHER/bin/python evals/other_spark.py < {"script", "tables"}` prints `{"error", "spark"}`. That Python
lacks this project, so nothing of it is imported; the `awsglue` here suffices for the script to reach its own errors.
"""

from __future__ import annotations

import json
import runpy
import sys
import tempfile
import types
from pathlib import Path
from typing import Any


class _Frame:
    """The part of DynamicFrame that the script uses."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def toDF(self) -> Any:  # noqa: N802
        """The DataFrame."""
        return self._frame

    @classmethod
    def fromDF(cls, frame: Any, context: object, name: str) -> _Frame:  # noqa: N802
        """Wrap a DataFrame."""
        return cls(frame)


class _Doors:
    """`create_dynamic_frame` and `write_dynamic_frame` of a GlueContext."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self._spark = spark
        self._folder = folder

    def from_options(self, frame: Any = None, connection_options: Any = None, **rest: object) -> _Frame:
        """Read a sample table, or compute a result and drop it."""
        if frame is not None:
            frame.toDF().collect()
            return _Frame(frame)
        table = connection_options["dbtable"]
        schema = (self._folder / f"{table}.schema").read_text(encoding="utf-8")
        return _Frame(self._spark.read.schema(schema).json(str(self._folder / f"{table}.json")))


class _GlueContext:
    def __init__(self, context: Any) -> None:
        from pyspark.sql import SparkSession

        self.spark_session = SparkSession.builder.getOrCreate()
        self.create_dynamic_frame = self.write_dynamic_frame = _Doors(self.spark_session, Path(sys.argv[1]))


class _Job:
    def __init__(self, context: object) -> None:
        pass

    def init(self, *names: object) -> None:
        """Do nothing."""

    def commit(self) -> None:
        """Do nothing."""


def _arguments(argv: object, names: object) -> dict[str, str]:
    folder = sys.argv[1]
    return {"JOB_NAME": "eval", "JOB_RUN_ID": "jr_0", "TempDir": Path(folder).as_uri(), "staging_prefix": "s_"}


def _provide() -> None:
    parts: dict[str, dict[str, Any]] = {
        "awsglue.context": {"GlueContext": _GlueContext},
        "awsglue.dynamicframe": {"DynamicFrame": _Frame},
        "awsglue.job": {"Job": _Job},
        "awsglue.utils": {"getResolvedOptions": _arguments},
    }
    sys.modules["awsglue"] = types.ModuleType("awsglue")
    for name, content in parts.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        sys.modules[name] = module


def main() -> None:
    """Run the script from standard input and print its error."""
    import pyspark

    given = json.load(sys.stdin)
    _provide()
    error = ""
    with tempfile.TemporaryDirectory() as folder:
        for name, table in given["tables"].items():
            schema = ", ".join(f"`{column}` {kind}" for column, kind in table["columns"])
            (Path(folder) / f"{name}.schema").write_text(schema, encoding="utf-8")
            lines = "\n".join(json.dumps(row) for row in table["rows"])
            (Path(folder) / f"{name}.json").write_text(lines, encoding="utf-8")
        script = Path(folder) / "script.py"
        script.write_text(given["script"], encoding="utf-8")
        sys.argv = [str(script), folder]
        try:
            runpy.run_path(str(script), run_name="__main__")
        except Exception as caught:
            # A broad catch: any exception of the script is the wanted answer.
            error = f"{type(caught).__name__}: {caught}"
    sys.stdout.write("\n" + json.dumps({"error": error, "spark": pyspark.__version__}) + "\n")


if __name__ == "__main__":
    main()
