"""Checkpoints are data only at every door, in a fresh process: a forged row stays inert, or the door stays shut."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FORGE = """
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
import ormsgpack, sys
call = ormsgpack.packb(("os", "system", f"touch {sys.argv[1]}/owned"))
JsonPlusSerializer().loads_typed(("msgpack", ormsgpack.packb(ormsgpack.Ext(0, call))))
"""


def fresh(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process whose environment says nothing of checkpoints but what is given."""
    inherited = {name: value for name, value in os.environ.items() if name != "LANGGRAPH_STRICT_MSGPACK"}
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.run(
        command, cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "door", ["import lambda_handler", "from cli.main import main; main(['status', '--home', sys.argv[1]])"]
)
def test_a_door_makes_checkpoints_data_only(door: str, tmp_path: Path) -> None:
    """Whatever the environment says, and before langgraph is imported."""
    done = fresh(f"import sys\n{door}\n{FORGE}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "owned").exists()


def test_the_forged_row_is_a_real_one(tmp_path: Path) -> None:
    """With langgraph's own default it runs: else the tests here would show nothing."""
    fresh(FORGE, tmp_path)
    assert (tmp_path / "owned").exists()


@pytest.mark.slow
def test_studio_s_door_is_shut_by_default_and_opened_by_its_configuration(tmp_path: Path) -> None:
    """`langgraph dev` imports langgraph before ours: the variable comes from langgraph.json."""
    assert "LANGGRAPH_STRICT_MSGPACK=true must be set" in fresh("import studio.server", tmp_path).stderr
    given = json.loads((ROOT / "langgraph.json").read_text())["env"]
    done = fresh(f"import studio.server\n{FORGE}", tmp_path, **given)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "owned").exists()
