"""Protection of this process's memory and environment from processes that run model-written code."""

from __future__ import annotations

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def become_unreadable() -> None:
    """Let no other process of this user read `/proc/PID/environ` or memory (Linux; elsewhere nothing is done).

    Source: prctl(2), PR_SET_DUMPABLE. Root reads all the same: do not run model-written code as root.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
