"""The cost of importing the handler, in a fresh process with byte-code present."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable

import pytest

from infra.package import ROOT

HANDLER = "import lambda_handler"
REFERENCE = "import boto3, langgraph.graph; from langchain_aws import ChatBedrock"
TIMES = 5
LAZY = ["langchain_aws", "psycopg", "sqlglot", "pyspark", "pyarrow", "numpy"]


def child(code: str) -> str:
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def seconds(code: str) -> float:
    """The processor time of a process: the clock on the wall would count what else the machine does."""
    before = os.times()
    child(code)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


@pytest.mark.slow
def test_it_costs_little_more_than_what_it_cannot_do_without(record_property: Callable[[str, object], None]) -> None:
    """At most 1.25 times boto3, langgraph.graph and ChatBedrock; the median of processes that take turns."""
    child(f"{HANDLER}; {REFERENCE}")
    pairs = [(seconds(HANDLER), seconds(REFERENCE)) for _ in range(TIMES)]
    handler, reference = (statistics.median(times) for times in zip(*pairs, strict=True))
    told = f"import lambda_handler {handler:.2f} s, {handler / reference:.2f} times the reference (limit 1.25)"
    record_property("figures", told)
    assert handler <= 1.25 * reference


@pytest.mark.slow
def test_what_a_tick_does_not_need_is_imported_later() -> None:
    """Model, database, SQL parser and Spark are loaded by the step that needs them."""
    found = child(f"import sys, lambda_handler; print([name for name in {LAZY} if name in sys.modules])")
    assert found.strip() == "[]"
