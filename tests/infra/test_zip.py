"""The zip as Lambda runs it: in a Python that has nothing else on its path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.lambda_zip import SOURCES
from tests.infra.scene import Built
from tests.lambda_handler.scene import Deployment, event

pytestmark = pytest.mark.slow

BARE = Path(__file__).with_name("bare.py")
RUN = "20261125_100000_abc123"
REFERENCE = ["boto3", "langgraph.graph", "langchain_aws.chat_models.bedrock"]
OURS = (*(f"{name}/" for name in SOURCES), *SOURCES, "__pycache__/bootstrap.", "__pycache__/lambda_handler.")
GOAL_SECONDS, GOAL_MEGABYTES = 1.7, 170.0


def bare(built: Built, modules: list[str], events: list[dict[str, Any]]) -> dict[str, Any]:
    """Run in a process whose environment holds only what Lambda's would: AWS's variables and ours."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "DATAMORPH_"))}
    command = [str(sys._base_executable), "-I", "-S", "-B", str(BARE)]  # type: ignore[attr-defined]
    command += [str(built.unpacked), json.dumps(modules), json.dumps(events)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_it_is_small_and_complete(built: Built) -> None:
    """At most 145 MB unzipped, byte-code beside each of our sources, and no numpy, tests or Spark."""
    with zipfile.ZipFile(built.zipped) as archive:
        names = archive.namelist()
        assert built.size == sum(entry.file_size for entry in archive.infolist()) <= 145_000_000
    ours = {name for name in names if name.startswith(OURS)}
    sources = {Path(name) for name in ours if name.endswith(".py")}
    compiled = {Path(name) for name in ours if name.endswith(".cpython-311.pyc")}
    assert compiled == {source.parent / "__pycache__" / f"{source.stem}.cpython-311.pyc" for source in sources}
    assert {"lambda_handler.py", "agent/job_template.txt", "prompts/generate.md"} <= ours
    assert not [name for name in names if name.startswith(("numpy", "pyspark", "tools/spark", "bin/"))]
    assert not [name for name in names if "/tests/" in name]


def test_the_handler_runs_from_the_zip_alone(
    built: Built,
    deployment: Deployment,  # noqa: F811
    record_property: Callable[[str, object], None],
) -> None:
    """A cold start asks the model, starts the job and suspends; resumed, it publishes; time and memory are bounded."""
    reference = bare(built, REFERENCE, [])
    start, resume = event(RUN, options={"wait": "event"}), {"run_id": RUN, "action": "resume"}
    done = bare(built, ["lambda_handler"], [start, resume])
    started, ended = done["answers"]
    record_property(
        "figures",
        f"zip {built.zipped.stat().st_size / 1e6:.1f} MB, {built.size / 1e6:.1f} MB unzipped; "
        f"cold start to suspended {started['seconds']:.2f} s (goal {GOAL_SECONDS}), imports "
        f"{done['seconds']:.2f} s of it, the process itself busy for {started['busy']:.2f} s; "
        f"boto3, langgraph and ChatBedrock alone {reference['seconds']:.2f} s; "
        f"peak {done['megabytes']:.0f} MB (goal {GOAL_MEGABYTES:.0f})",
    )
    assert done["foreign"] == []
    assert (started["statusCode"], started["body"]["execution_status"]) == (202, "running"), started
    assert (ended["statusCode"], ended["body"]["execution_status"]) == (200, "success"), ended
    assert (ended["body"]["rows_written"], ended["body"]["preflight"]) == (2, "skipped")
    assert done["megabytes"] <= GOAL_MEGABYTES
    # The clock on the wall counts what else the machine does, and a slow machine is slow with the reference as well.
    assert started["busy"] <= max(GOAL_SECONDS, 2.5 * reference["busy"])
