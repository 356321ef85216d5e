"""The zip: the code, its dependencies and their byte-code, for Lambda's own Python 3.11."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.certificates import NAME as CA_NAME

LIMIT_BYTES = 145_000_000
"""Limit of the unzipped package. Lambda accepts 250 MB; a larger package slows down the cold start."""

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
"""Lambda's Python 3.11 runs on Amazon Linux 2, with glibc 2.26."""

SOURCES = ("agent", "bootstrap.py", "graph", "lambda_handler.py", "prompts", "runs", "tools")
NOT_OURS_TO_SHIP = ("tools/spark", "tools/local_toolbox.py", "tools/local/postgres.py", "tools/fakes.py")
"""The embedded engine and its database need Spark and PostgreSQL, which the zip lacks; the fakes serve tests."""

_SUFFIXES = (".py", ".md", ".txt", ".properties")
_DEAD = (
    *("bin", "**/tests", "**/__pycache__"),
    *("zstandard/_cffi.*.so", "zstandard/backend_cffi.py"),  # 12 MB: CPython loads the other build, `backend_c`
)

_TASK_ROOT = "/var/task"
_EPOCH = (1980, 1, 1, 0, 0, 0)


class TooLargeError(Exception):
    """The zip is larger than the limit."""

    def __init__(self, size: int) -> None:
        """`size` in bytes, unzipped."""
        self.size = size
        super().__init__(
            f"the zip holds {size / 1e6:.1f} MB, and at most {LIMIT_BYTES / 1e6:.0f} MB are allowed; look for what "
            f"has grown with `du -s build/lambda/* | sort -n`, and leave it out in infra/lambda_zip.py"
        )


def build_zip(root: Path, work: Path, target: Path, ca: bytes | None = None) -> tuple[int, int]:
    """Build `target` in the directory `work`, which is emptied; return its sizes in bytes, unzipped and zipped.

    `ca`: the certificates of the database's CA, which go into the zip too.
    Raises TooLargeError, and CalledProcessError where pip finds no wheel or a wheel has another hash.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    install(root / "requirements" / "lambda.txt", work)
    copy_sources(root, work, NOT_OURS_TO_SHIP)
    prune(work)
    compile_all(work)
    if ca is not None:
        (work / CA_NAME).write_bytes(ca)
    size = sum(path.stat().st_size for path in files(work))
    if size > LIMIT_BYTES:
        raise TooLargeError(size)
    write_zip(work, target)
    return size, target.stat().st_size


def install(requirements: Path, target: Path) -> None:
    """Install the wheels of a requirements file for Lambda's machine, whatever this one is."""
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp", *platforms]
    subprocess.run([*command, "--require-hashes", f"--target={target}", f"--requirement={requirements}"], check=True)


def copy_sources(root: Path, target: Path, left_out: Sequence[str]) -> None:
    """Copy the function's sources, except the files and folders `left_out`."""
    for name in SOURCES:
        source = root / name
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            relative = path.relative_to(root)
            if path.suffix in _SUFFIXES and not any(relative.is_relative_to(left) for left in left_out):
                (target / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / relative)


def prune(target: Path) -> None:
    """Remove tests, console scripts and libraries that the function never loads."""
    for path in [path for pattern in _DEAD for path in target.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def compile_all(target: Path) -> None:
    """Write byte-code that Python never compares with its source: the zip holds no modification times."""
    command = [sys.executable, "-m", "compileall", "-q", "-o", "0", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(target), "-p", _TASK_ROOT, str(target)]
    # The seed fixes the order in which sets are written, so that the same sources give the same zip.
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})


def write_zip(source: Path, target: Path) -> None:
    """Zip a directory so that the same content always gives the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files(source):
            entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), _EPOCH)
            entry.external_attr = (0o755 if ".so" in path.suffixes else 0o644) << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def files(directory: Path) -> Iterator[Path]:
    """All files below a directory, sorted."""
    return (path for path in sorted(directory.rglob("*")) if path.is_file())
