"""Commands in processes that are forked from one which has imported everything.

A new interpreter imports for two seconds before it begins, as long as a command takes that is killed at a node. Where a
command is left by its reader, interrupted or killed in mid-job, the tests start one all the same.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

_SECONDS = 180
"""Seconds that a command may take."""
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.cli.imported"])
_STREAMS = (("in", os.O_RDONLY), ("out", os.O_WRONLY | os.O_CREAT), ("err", os.O_WRONLY | os.O_CREAT))
"""The files that stand for a command's standard streams, in the order of their descriptors."""


def run(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], cwd: Path, *, stdin: str = ""
) -> CompletedProcess[str]:
    """Call a module's `main` as `python -m` would, and wait for its end. Raises TimeoutExpired, as subprocess.run."""
    with tempfile.TemporaryDirectory(prefix="datamorph-command-") as name:
        folder = Path(name)
        (folder / "in").write_text(stdin)
        process = _FORKS.Process(target=_become, args=(module, tuple(arguments), dict(environment), cwd, folder))
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired([module, *arguments], _SECONDS, stderr=(folder / "err").read_bytes())
        out, err = (folder / "out").read_text(), (folder / "err").read_text()
        return CompletedProcess([module, *arguments], process.exitcode, out, err)


def _become(module: str, arguments: tuple[str, ...], environment: dict[str, str], cwd: Path, folder: Path) -> None:
    """Run the command in a forked process, until it ends."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    for number, (name, how) in enumerate(_STREAMS):
        os.dup2(os.open(folder / name, how, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - multiprocessing has closed it
    sys.argv = [module, *arguments]
    sys.exit(importlib.import_module(module).main())
