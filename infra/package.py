"""`python -m infra.package`: build both packages of the function under `dist/`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.image import build_context
from infra.lambda_zip import TooLargeError, build_zip
from infra.requirements import NotInstalledError

ROOT = Path(__file__).resolve().parent.parent
PYTHON = (3, 11)


def main() -> int:
    """Build, and print what was built."""
    if sys.version_info[:2] != PYTHON:
        return _refused("byte-code for Lambda's Python 3.11 is written by Python 3.11: run `make package`")
    try:
        size, zipped = build_zip(ROOT, ROOT / "build" / "lambda", ROOT / "dist" / "datamorph-lambda.zip")
        build_context(ROOT, ROOT / "dist" / "image")
    except (NotInstalledError, TooLargeError) as error:
        return _refused(str(error))
    except subprocess.CalledProcessError as error:
        return _refused(f"`{' '.join(error.cmd[1:4])} …` failed; its own words stand above")
    sys.stdout.write(f"dist/datamorph-lambda.zip  {zipped / 1e6:.1f} MB, {size / 1e6:.1f} MB unzipped\n")
    sys.stdout.write("dist/image                 build context: docker build --platform linux/amd64 dist/image\n")
    return 0


def _refused(message: str) -> int:
    sys.stderr.write(f"package: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
