"""The two places where the stores of a contract's tests lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.scene import Place


@pytest.fixture(params=["local", "aws"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Choose this machine or AWS."""
    return Place(tmp_path, request.getfixturevalue("aws") if request.param == "aws" else None)
