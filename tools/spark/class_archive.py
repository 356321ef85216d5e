"""Java application class-data sharing for Spark (https://openjdk.org/jeps/310): it halves the start time of a JVM.

    python -m tools.spark.class_archive

builds the archive, once for an installation, in about 40 s; it takes 140 MB in the environment's `share/datamorph`. The
JVM compares Java and jars with those of the archive, and starts without it if they differ or if there is none.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from agent.errors import UnavailableError
from tools.spark.environment import base_environment, find_java
from tools.spark.jvm import SparkJvm, class_archive, class_path

_WARM_UP = """
from pyspark.sql import SparkSession, Window, functions as F
spark = SparkSession.builder.getOrCreate()
rows = [(n, f"c{n % 3}", n / 3) for n in range(9)]
spark.createDataFrame(rows, "id int, code string, x double").write.parquet("rows")
read = spark.read.parquet("rows").withColumn("amount", F.col("x").cast("decimal(9,2)"))
place = F.row_number().over(Window.partitionBy("code").orderBy("id"))
sums = read.groupBy("code").agg(F.sum("amount").alias("total"), F.count("*").alias("n"))
joined = read.join(sums, "code", "left").withColumn("place", place).where("n > 1 AND length(code) = 2")
joined.union(joined).distinct().orderBy("id").coalesce(1).write.parquet("result")
spark.read.parquet("result").count()
"""


def build() -> Path:
    """Build the archive and return its path. Raises UnavailableError without a Java 17, or when Spark does not run."""
    archive = class_archive()
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(f".{secrets.token_hex(4)}.tmp")
    with tempfile.TemporaryDirectory(prefix="datamorph-classes-") as folder:
        listed = Path(folder) / "classes"
        try:
            _load_classes(Path(folder) / "jvm", listed)
            dump = ("-Xshare:dump", f"-XX:SharedClassListFile={listed}", f"-XX:SharedArchiveFile={unfinished}")
            _run([str(find_java() / "bin" / "java"), *dump, "-Xlog:disable", "-cp", class_path()])
            unfinished.replace(archive)
        finally:
            unfinished.unlink(missing_ok=True)
    return archive


def _load_classes(scratch: Path, listed: Path) -> None:
    """Run typical Spark operations in a JVM that lists the classes that it loads."""
    with SparkJvm(scratch, options=(f"-XX:DumpLoadedClassList={listed}", "-Xshare:off")) as jvm:
        environment = base_environment(scratch) | jvm.environment()
        _run([sys.executable, "-c", _WARM_UP], cwd=scratch, env=environment)
        jvm.finish()


def _run(command: list[str], **how: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    if done.returncode:
        output = (done.stderr or done.stdout)[-2000:]
        raise UnavailableError("spark", f"the archive of Spark's classes was not made: {output}")


def main() -> int:
    """Build the archive and print its path."""
    try:
        sys.stdout.write(f"{build()}\n")
    except (UnavailableError, OSError) as error:
        sys.stderr.write(f"Spark's classes are not archived, and each Spark starts more slowly: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
