"""How much memory a dry run may take, so that a hungry script kills its own process and not the Lambda function."""

from __future__ import annotations

import os

FUNCTION_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""Lambda's own variable: megabytes of the function with all processes in it; elsewhere there is none."""

_FUNCTION_MB = 512
"""For the function's own process: it takes some 250 with its clients."""
_JVM_MB = 512
"""For what the JVM takes beside its heap: classes, compiled code, buffers, threads; jvm.py bounds the large ones."""
_HEAP_MB = 1024
_PYTHON_MB = 4096


def heap() -> str:
    """The heap of the dry run's JVM, as `-Xmx` takes it: a gigabyte, in a small function half of what is left."""
    left = _left()
    return f"{_HEAP_MB if left is None else min(_HEAP_MB, left // 2)}m"


def python_bytes() -> int:
    """How much data the Python process of a script may hold: 4 GB, in a function what JVM and function leave."""
    left = _left()
    megabytes = _PYTHON_MB if left is None else min(_PYTHON_MB, left - min(_HEAP_MB, left // 2))
    return megabytes * 1024**2


def _left() -> int | None:
    """Megabytes for heap and script together; None where no function bounds them."""
    given = os.environ.get(FUNCTION_MEMORY)
    return int(given) - _FUNCTION_MB - _JVM_MB if given else None
