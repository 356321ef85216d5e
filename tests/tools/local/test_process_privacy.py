"""A process that holds credentials, and its children."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, subprocess, sys
from tools.local.process_privacy import become_unreadable
dumpable = "ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)"  # prctl(2), PR_GET_DUMPABLE
assert eval(dumpable) == 1
become_unreadable()
assert eval(dumpable) == 0
child = f"import ctypes; print({dumpable})"
sys.stdout.write(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_can_become_unreadable_and_its_children_are_not() -> None:
    """The kernel says so for both."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
