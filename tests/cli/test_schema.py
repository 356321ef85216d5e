"""`datamorph schema`: what a program or an editor needs to write events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.event_schema import event_schema, specification_prompt, specification_schema
from cli import main as cli


@pytest.mark.parametrize(
    ("options", "schema"), [([], event_schema()), (["--specs"], specification_schema())], ids=["event", "specs"]
)
def test_the_schema_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], schema: dict[str, object]
) -> None:
    """As JSON; no folder is made."""
    assert cli.main(["schema", *options, "--home", str(tmp_path / "home")]) == 0
    assert json.loads(capsys.readouterr().out) == schema
    assert not (tmp_path / "home").exists()


def test_the_prompt_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Filled in from the schema, and short."""
    assert cli.main(["schema", "--prompt"]) == 0
    out = capsys.readouterr().out
    assert out == specification_prompt()
    assert "`join_type`: Type of the join. One of `inner`, `left`, `right`, `outer`" in out
    assert len(out) < 9_000
