"""The build context of the container image: Dockerfile, pinned requirements, and the project's own wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from infra.certificates import NAME as CA_NAME
from infra.requirements import pins, project_requirements

EXTRAS = ("preflight", "image")


def build_context(root: Path, target: Path, ca: bytes | None = None) -> None:
    """Write the context into `target`, which is emptied; `ca`: certificates of the database's CA, to be copied too.

    Raises NotInstalledError, CalledProcessError.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copyfile(root / "infra" / "Dockerfile", target / "Dockerfile")
    pinned = pins(project_requirements(root, EXTRAS))
    (target / "requirements.txt").write_text("\n".join(pinned) + "\n", encoding="utf-8")
    if ca is not None:
        (target / CA_NAME).write_bytes(ca)
    build_wheel(root, target)


def build_wheel(root: Path, target: Path) -> None:
    """Build the project's wheel."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, f"--wheel-dir={target}", str(root)], check=True)
