"""The wheel in an environment of its own: one name in site-packages, and commands that work without the extras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from agent.errors import INSTALL_LOCAL
from infra.package import ROOT
from tests.infra.test_requirements import versions

pytestmark = pytest.mark.slow

NAME = "datamorph_glue_executor"
EVENT = {
    "run_id": "20261125_100000_abc123",
    "specs": {"source_tables": ["orders"], "target_table": {"name": "copied_orders"}},
    "source_schemas": {"orders": {"columns": [{"name": "amount", "type": "numeric(10,2)"}]}},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, f"--wheel-dir={folder}", str(ROOT)], check=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment of the wheel and the requirements without extras, linked from this one, file by file."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    for name in versions("lambda"):
        for file in metadata.files(name) or []:
            if ".." not in file.parts:
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                (packages / file).symlink_to(file.locate())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    return environment / "bin" / "python"


def datamorph(python: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", NAME, *arguments, "--home", str(home)]
    (home / "event.json").write_text(json.dumps(EVENT), encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)


def test_it_puts_one_name_into_site_packages(wheel: Path) -> None:
    """The application lies below the project's own name, complete, without byte-code; the command finds it there."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [entries] = [name for name in names if name.endswith("entry_points.txt")]
        assert f"datamorph = {NAME}.__main__:main" in archive.read(entries).decode()
    assert {name.partition("/")[0] for name in names} == {NAME, f"{NAME}-{metadata.version(NAME)}.dist-info"}
    needed = ["lambda_handler.py", "agent/job_template.txt", "prompts/system.md", "tools/spark/log4j2.properties"]
    assert {f"{NAME}/app/{name}" for name in needed} <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--help"], "usage: datamorph run"),
        (["prompt", "event.json"], "copied_orders"),
        (["status"], "[]"),
        (["eval", "--list"], "\n"),
    ],
)
def test_commands_that_need_no_extra(python: Path, tmp_path: Path, arguments: list[str], told: str) -> None:
    """They work without any extra."""
    done = datamorph(python, tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout


@pytest.mark.parametrize("arguments", [["run", "event.json"], ["eval"], ["doctor"]])
def test_the_others_name_the_extra(python: Path, tmp_path: Path, arguments: list[str]) -> None:
    """They end with the exit code of what is unavailable, and say how to install it."""
    done = datamorph(python, tmp_path, *arguments)
    assert done.returncode == 4
    assert INSTALL_LOCAL in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_child_processes_find_the_application(python: Path, tmp_path: Path) -> None:
    """A job's process has the wheel's folder `app` on its path."""
    program = (
        "import pathlib, subprocess, sys, datamorph_glue_executor as here\n"
        "app = pathlib.Path(here.__file__).with_name('app')\n"
        "sys.path.insert(0, str(app))\n"
        "from tools.spark.environment import base_environment\n"
        "code = 'import importlib.util as util; print(util.find_spec(\"tools.spark.child\").origin)'\n"
        "environment = base_environment(pathlib.Path(sys.argv[1]))\n"
        "subprocess.run([sys.executable, '-P', '-c', code], env=environment, check=True)\n"
    )
    done = subprocess.run([str(python), "-c", program, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.endswith(f"/{NAME}/app/tools/spark/child.py\n"), done.stderr
