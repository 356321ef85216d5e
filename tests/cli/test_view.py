"""The view at the terminal: what it shows of an answer."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cli.view import View
from graph.response import Response
from tools.toolbox import Toolbox

NOTE = {"path": "specs.filters[0].value", "message": "read as the number 5", "other": "the text '5'"}


def shown(capsys: pytest.CaptureFixture[str], **body: Any) -> str:
    whole = {"run_id": "r1", "execution_status": "running", "target_table": "t", "warnings": [], **body}
    with View() as view:
        view.response(cast(Response, {"statusCode": 202, "body": whole}), cast(Toolbox, None))
    return capsys.readouterr().out


def test_notes_are_shown_with_path_and_other_reading(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the warnings."""
    out = shown(capsys, notes=[NOTE], warnings=["late"])
    assert "  read as specs.filters[0].value: read as the number 5 (another reading: the text '5')\n" in out
    assert out.index("read as") < out.index("warning late")


def test_an_answer_of_an_older_version_has_no_notes(capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown all the same."""
    assert "202 running" in shown(capsys)
