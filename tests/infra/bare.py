"""Run by a Python that has nothing but its standard library: `bare.py PACKAGE MODULES EVENTS`.

Imports the modules and gives the events to `lambda_handler.handler`, the last one until its run has ended; prints
answers, seconds and megabytes as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PATIENCE_SECONDS = 90


def main(package: str, modules: str, events: str) -> dict[str, Any]:
    """The result of the call."""
    began = time.perf_counter()
    sys.path.insert(0, package)
    for name in json.loads(modules):
        importlib.import_module(name)
    imported, busy = time.perf_counter() - began, time.process_time()
    answers = [_answer(event, began) for event in json.loads(events)]
    while answers and answers[-1]["statusCode"] == 202 and time.perf_counter() < began + PATIENCE_SECONDS:
        time.sleep(0.5)
        answers[-1] = _answer(json.loads(events)[-1], began)
    used = {"seconds": imported, "busy": busy, "megabytes": _peak() / 1e6}
    return {**used, "foreign": _foreign(package), "answers": answers}


def _answer(event: object, began: float) -> dict[str, Any]:
    answer = importlib.import_module("lambda_handler").handler(event, _context())
    return {**answer, "seconds": time.perf_counter() - began, "busy": time.process_time()}


def _context() -> SimpleNamespace:
    return SimpleNamespace(
        function_name="datamorph",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:datamorph",
        aws_request_id="7a4c0f0e-0000-4000-8000-000000000000",
        get_remaining_time_in_millis=lambda: 900_000,
    )


def _peak() -> int:
    """The largest resident size so far, in bytes; getrusage would count the parent's, from before the exec."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _foreign(package: str) -> list[str]:
    """Modules that came neither from the package nor from the standard library."""
    homes = (package, str(Path(json.__file__).parent.parent), __file__)
    files = [getattr(module, "__file__", None) for module in sys.modules.values()]
    return [file for file in files if file and not file.startswith(homes)]


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main(*sys.argv[1:]), default=str))
