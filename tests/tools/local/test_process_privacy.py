"""A process that holds credentials, and its children."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import subprocess, sys
from tools.local.process_privacy import become_unreadable, is_readable
assert is_readable()
become_unreadable()
assert not is_readable()
child = "from tools.local.process_privacy import is_readable; print(is_readable())"
sys.stdout.write(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True).stdout)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_can_become_unreadable_and_its_children_are_not() -> None:
    """The kernel says so for both."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
