"""The function's world looks at what is left when one sweep has followed the run's end, and no second one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runs.janitor
from tests.faults.aws_world import EVENT, aws_world
from tests.faults.invariants import nothing_left
from tests.faults.paths import SUCCEEDS
from tests.faults.strikes import Strike
from tools.toolbox import Toolbox

pytestmark = pytest.mark.postgres


def test_what_a_second_sweep_would_put_away_is_left(
    tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run had ended when its process died, and the first of the sweeps does nothing."""
    clean = runs.janitor.clean

    def late(tools: Toolbox) -> tuple[list[str], list[str]]:
        if (tmp_path / "swept").exists():
            return clean(tools)
        (tmp_path / "swept").touch()
        return [], []

    with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as world:
        for swept, told in ((clean, 0), (late, 3)):
            world.begin([SUCCEEDS])
            world.invoke(EVENT, Strike("killed before", operation="dynamodb.DeleteItem", call=1))
            world.leave()
            monkeypatch.setattr("runs.actions.clean", swept)
            assert len(nothing_left(world.recovered())) == told
