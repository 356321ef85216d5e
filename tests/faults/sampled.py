"""Parameters of which the default suite takes a few, and `make faults` all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], *kept: Any) -> list[Any]:
    """The values as parameters; those that are not kept carry the marker `faults`."""
    return [value if value in kept else _swept(value) for value in values]


def _swept(value: Any) -> Any:
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.faults)
