"""The zip and the image's build context: their content, and one zip from the same sources."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import lambda_zip
from infra.image import build_context
from infra.lambda_zip import (
    NOT_OURS_TO_SHIP,
    SOURCES,
    TooLargeError,
    build_zip,
    compile_all,
    copy_sources,
    prune,
    write_zip,
)
from infra.package import ROOT


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_sources_are_those_that_the_function_runs(tmp_path: Path) -> None:
    """The code with its template and prompts, without the embedded engine, the fakes and Studio."""
    copy_sources(ROOT, tmp_path, NOT_OURS_TO_SHIP)
    copied = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"lambda_handler.py", "agent/job_template.txt", "prompts/system.md", "tools/aws_toolbox.py"} <= copied
    left_out = ("tools/spark", "tools/local/postgres", "tools/fakes", "studio", "evals")
    assert not [name for name in copied if name.startswith(left_out)]
    assert {name.partition("/")[0] for name in copied} == set(SOURCES)


def test_the_handler_imports_only_sources_of_the_zip(tmp_path: Path) -> None:
    """A cold start loads modules of the zip and of the libraries alone."""
    copy_sources(ROOT, tmp_path, NOT_OURS_TO_SHIP)
    program = "import sys, lambda_handler; print(*(getattr(module, '__file__', '') for module in sys.modules.values()))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    names = [Path(file).relative_to(ROOT).parts[0] for file in done.stdout.split() if file.startswith(f"{ROOT}/")]
    assert {name for name in names if not name.startswith(".venv")} == set()


def test_the_same_sources_give_the_same_zip(tmp_path: Path) -> None:
    """Byte by byte, wherever and whenever it is built: a deployment shows no change where there is none."""
    made = []
    for number, folder in enumerate((tmp_path / "a", tmp_path / "somewhere" / "else")):
        copy_sources(ROOT, folder, NOT_OURS_TO_SHIP)
        compile_all(folder)
        for path in folder.rglob("*.py"):
            os.utime(path, (number, number))
        write_zip(folder, tmp_path / f"{number}.zip")
        made.append(digest(tmp_path / f"{number}.zip"))
    assert made[0] == made[1]


def test_byte_code_is_never_compared_with_its_source(tmp_path: Path) -> None:
    """Flags 1: by hash, unchecked; and a traceback names the path in Lambda."""
    (tmp_path / "module.py").write_text("def place():\n    return place.__code__.co_filename\n", encoding="utf-8")
    compile_all(tmp_path)
    [compiled] = tmp_path.rglob("*.pyc")
    assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"
    assert b"/var/task/module.py" in compiled.read_bytes()


def test_dead_weight_is_removed(tmp_path: Path) -> None:
    """Tests, scripts and the second build of zstandard go; what is loaded stays."""
    kept = ["a/module.py", "zstandard/backend_c.cpython-311-x86_64-linux-gnu.so", "a/bin/needed.py"]
    dead = ["bin/script", "a/tests/test_a.py", "zstandard/_cffi.cpython-311-x86_64-linux-gnu.so"]
    for name in (*kept, *dead):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    prune(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(kept)


def test_a_zip_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives the size and says where to look; no zip is written."""
    monkeypatch.setattr(lambda_zip, "install", lambda pinned, target: None)
    monkeypatch.setattr(lambda_zip, "LIMIT_BYTES", 1000)
    with pytest.raises(TooLargeError, match="du -s build/lambda"):
        build_zip(ROOT, tmp_path / "work", tmp_path / "package.zip")
    assert not (tmp_path / "package.zip").exists()


def test_the_build_context_is_complete(tmp_path: Path) -> None:
    """Every COPY finds its source, and the sources hold the handler, its template and Spark's side."""
    build_context(ROOT, tmp_path, b"ca")
    lines = (tmp_path / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY")]
    assert copied == [["build.txt", "image.txt"], ["app", "*.pem"]]
    assert all(list(tmp_path.glob(source)) for sources in copied for source in sources)
    assert (tmp_path / "database-ca.pem").read_bytes() == b"ca"
    held = {path.relative_to(tmp_path / "app").as_posix() for path in (tmp_path / "app").rglob("*")}
    needed = {"lambda_handler.py", "agent/job_template.txt", "prompts/system.md", "tools/spark/child.py"}
    assert needed | {"tools/spark/log4j2.properties", "tools/spark/standin/awsglue/context.py"} <= held


def test_the_image_is_one_that_spark_starts_in() -> None:
    """A Debian with the Python of the byte-code, a name for Lambda's user, and the handler as its command."""
    text = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
    assert "FROM public.ecr.aws/docker/library/python:3.11-slim-bookworm\n" in text
    assert "sbx_user1051:x:993:990:" in text
    assert "pip install --no-cache-dir --no-deps --no-build-isolation -r $file" in text
    assert "\nUSER 993:990\n" in text
    assert 'ENTRYPOINT ["python", "-m", "awslambdaric"]\nCMD ["lambda_handler.handler"]\n' in text
