"""A dry run inside a Lambda function takes no more memory than the function has for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.settings import load_settings
from tests.infra.templates import resources
from tests.tools.spark.scene import script
from tools.aws_toolbox import _dry_run
from tools.spark.dry_run import LocalDryRun
from tools.spark.environment import FUNCTION_MEMORY, heap, python_bytes

MB = 1024**2
FOR_FUNCTION_AND_JVM = 1024
"""Megabytes that are neither heap nor the script's: 512 for the function's process, 512 for the JVM beside its heap."""
IMAGE = resources("template.yaml", "AWS::Serverless::Function")["ImageFunction"]["MemorySize"]


@pytest.mark.parametrize(
    ("function", "heap_mb", "python_mb"),
    [(None, 1024, 4096), (10_240, 1024, 4096), (4096, 1024, 2048), (3008, 992, 992), (2048, 512, 512)],
)
def test_heap_and_script_fit_into_the_function(
    monkeypatch: pytest.MonkeyPatch, function: int | None, heap_mb: int, python_mb: int
) -> None:
    """With what the function itself and the JVM need; outside Lambda nothing is to be fitted into."""
    monkeypatch.delenv(FUNCTION_MEMORY, raising=False)
    if function is not None:
        monkeypatch.setenv(FUNCTION_MEMORY, str(function))
        assert heap_mb + python_mb + FOR_FUNCTION_AND_JVM <= function
    assert (heap(), python_bytes()) == (f"{heap_mb}m", python_mb * MB)


@pytest.fixture
def in_the_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalDryRun]:
    """Give dry runs as the function has them in the image, with the memory that the template gives it."""
    monkeypatch.setenv(FUNCTION_MEMORY, str(IMAGE))
    monkeypatch.setattr("tools.local.process_privacy.become_unreadable", lambda: None)
    with ExitStack() as stack:
        made = _dry_run(load_settings({"home": tmp_path}, {}), stack)
        assert isinstance(made, LocalDryRun)
        yield made


@pytest.mark.slow
@pytest.mark.spark
def test_a_hungry_script_fails_and_the_function_lives(in_the_image: LocalDryRun) -> None:
    """More than half of the function's memory is not had; the JVM's share is bounded on its command line."""
    result = in_the_image.run(script("held = bytearray(1_600_000_000); print(len(held))"), {})
    assert result.error.startswith("TooLargeForSamplesError"), result
    body = "import resource; raise ValueError(resource.getrlimit(resource.RLIMIT_DATA)[0])"
    assert in_the_image.run(script(body), {}).error == f"ValueError: {992 * MB}"
    command = Path(f"/proc/{in_the_image._jvm.pid}/cmdline").read_text(encoding="utf-8").split("\0")
    assert {"-Xmx992m", "-XX:MaxMetaspaceSize=256m", "-XX:MaxDirectMemorySize=128m"} <= set(command)
