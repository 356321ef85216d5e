"""A Spark JVM as a process of its own, to which a script's Python process attaches."""

from __future__ import annotations

import contextlib
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from agent.errors import UnavailableError
from tools.spark.environment import base_environment, find_java

JvmPurpose = Literal["job", "dry_run"]

_START_SECONDS = 60.0

_OPENED = (
    "java.base/java.lang", "java.base/java.lang.invoke", "java.base/java.lang.reflect", "java.base/java.io",
    "java.base/java.net", "java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
    "java.base/sun.nio.cs", "java.base/sun.security.action", "java.base/sun.util.calendar",
)  # fmt: skip
"""Packages that Spark 3.5 accesses by reflection (org.apache.spark.launcher.JavaModuleOptions)."""

_OPTIONS: dict[JvmPurpose, tuple[str, ...]] = {
    "job": ("-XX:TieredStopAtLevel=1", "-XX:+UseParallelGC"),
    # A dry run is over before the second compiler or a parallel collector could pay.
    # What it takes beside its heap is bounded, for memory.py to reckon with.
    "dry_run": (
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:MaxMetaspaceSize=256m",
        "-XX:MaxDirectMemorySize=128m",
    ),
}

_SETTINGS: dict[JvmPurpose, dict[str, str]] = {
    "job": {"spark.sql.shuffle.partitions": "4"},
    # Rows by the dozen: generating and compiling Java for them costs more than it saves.
    "dry_run": {
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    },
}

COMMON_SETTINGS = {
    "spark.app.name": "datamorph",
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    # Not lz4, which is Hadoop's own format: Arrow cannot read it where a page is over 256 KB.
    "spark.sql.parquet.compression.codec": "lz4_raw",
    # Dates before 1582 are the same day in PostgreSQL, Arrow and Spark; nothing is to be shifted or refused.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Arrow leaves NaN out of a column's statistics; Spark would skip rows that `> 10` must keep.
    "spark.sql.parquet.filterPushdown": "false",
}
"""Settings of every local Spark. Results depend on the time zone, the machine's safety on loopback."""


def class_path() -> str:
    """The jars of the Spark that is installed."""
    import pyspark

    return str(Path(pyspark.__file__).parent / "jars" / "*")


def class_archive() -> Path:
    """Path of the archive of Spark's classes, which class_archive.py builds; it may be missing."""
    import pyspark

    return Path(sys.prefix) / "share" / "datamorph" / f"spark-{pyspark.__version__}.jsa"


class SparkJvm:
    """A JVM that waits for scripts; it ends with `stop`, or with this process, even if that is killed.

    `scratch` is a directory of its own, for Spark's files, its log and the JVM's HOME.
    """

    def __init__(
        self,
        scratch: Path,
        memory: str = "1g",
        purpose: JvmPurpose = "job",
        log: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.scratch = scratch
        self._memory = memory
        self._purpose = purpose
        self._options = options
        self._log = log or scratch / "jvm.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._gateway: tuple[int, str] | None = None

    def start(self) -> None:
        """Start the JVM without waiting for it, unless it runs. Raises UnavailableError without a Java 17."""
        if self._process is not None:
            return
        self.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._gateway = None
        self._connection_file().unlink(missing_ok=True)
        environment = base_environment(self.scratch) | {"_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._connection_file())}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,  # the gateway ends when its standard input does
                stdout=log,
                stderr=log,
                cwd=self.scratch,
                env=environment,
                start_new_session=True,
            )

    def environment(self) -> dict[str, str]:
        """The variables that make PySpark attach to this JVM; starts it if needed and waits until it answers.

        Raises UnavailableError when it does not come up.
        """
        self.start()
        if self._gateway is None:
            self._gateway = self._wait()
        port, secret = self._gateway
        return {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret, "JAVA_HOME": str(find_java())}

    @property
    def pid(self) -> int | None:
        """The JVM's process id; None while there is none."""
        return None if self._process is None else self._process.pid

    def exit_code(self, wait_seconds: float = 0) -> int | None:
        """The JVM's exit code, waited for `wait_seconds`; None while it runs, or when it was never started."""
        if self._process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(wait_seconds)
        return None

    def stop(self) -> None:
        """Kill the JVM; uncommitted writes of a script to the database are rolled back."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
        self._gateway = None
        shutil.rmtree(self.scratch / "spark", ignore_errors=True)

    def finish(self, seconds: float = 60) -> None:
        """Let the JVM end by itself, and wait for that."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(seconds)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _connection_file(self) -> Path:
        return self.scratch / "gateway"

    def _command(self) -> list[str]:
        """The final command line of `spark-submit`, without its shell scripts and its launcher's JVM."""
        work = self.scratch / "spark"
        settings = COMMON_SETTINGS | _SETTINGS[self._purpose]
        settings |= {"spark.local.dir": str(work / "local"), "spark.sql.warehouse.dir": str(work / "warehouse")}
        return [
            str(find_java() / "bin" / "java"),
            f"-Xmx{self._memory}",
            *_OPTIONS[self._purpose],
            *((f"-XX:SharedArchiveFile={class_archive()}",) if class_archive().exists() else ()),
            *self._options,
            "-Djdk.reflect.useDirectMethodHandle=false",
            "-Duser.timezone=UTC",
            "-Djava.awt.headless=true",
            f"-Dderby.system.home={work}",
            f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
            *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
            "-cp",
            class_path(),
            "org.apache.spark.deploy.SparkSubmit",
            *(part for key, value in settings.items() for part in ("--conf", f"{key}={value}")),
            "pyspark-shell",
        ]

    def _wait(self) -> tuple[int, str]:
        """Port and secret of the gateway, as soon as it has written them."""
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while not self._connection_file().exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise UnavailableError("spark", f"Spark's JVM did not start; its log {self._log} ends with: {tail}")
            time.sleep(0.02)
        content = self._connection_file().read_bytes()
        port, length = struct.unpack_from("!ii", content)
        return port, content[8 : 8 + length].decode()
