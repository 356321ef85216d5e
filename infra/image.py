"""The build context of the container image: Dockerfile, requirements and sources."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.certificates import NAME as CA_NAME
from infra.lambda_zip import copy_sources

LEFT_OUT = ("tools/local_toolbox.py", "tools/local/postgres.py", "tools/fakes.py")
"""The embedded database, which the image lacks, and the fakes for tests."""


def build_context(root: Path, target: Path, ca: bytes | None = None) -> None:
    """Write the context into `target`, which is emptied; `ca`: the certificates of the database's CA, to copy too."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("infra/Dockerfile", "requirements/build.txt", "requirements/image.txt"):
        shutil.copy(root / name, target)
    if ca is not None:
        (target / CA_NAME).write_bytes(ca)
    copy_sources(root, target / "app", LEFT_OUT)
