"""`python -m infra.package`: build both packages of the function under `dist/`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from infra.certificates import NAME as CA_NAME
from infra.certificates import CertificatesError, certificates
from infra.image import build_context
from infra.lambda_zip import TooLargeError, build_zip

ROOT = Path(__file__).resolve().parent.parent
PYTHON = (3, 11)


def main(arguments: list[str] | None = None) -> int:
    """Build both packages and print their paths and sizes."""
    options = _options(arguments)
    if sys.version_info[:2] != PYTHON:
        return _refused(
            "the zip needs the byte-code of Python 3.11: remove .venv, then `make package PYTHON=python3.11`"
        )
    try:
        ca = certificates(options.ca, options.ca_sha256) if options.ca else None
        size, zipped = build_zip(ROOT, ROOT / "build" / "lambda", ROOT / "dist" / "datamorph-lambda.zip", ca)
        build_context(ROOT, ROOT / "dist" / "image", ca)
    except (TooLargeError, CertificatesError) as error:
        return _refused(str(error))
    except subprocess.CalledProcessError as error:
        return _refused(f"`{' '.join(error.cmd[1:4])} …` failed; its output stands above")
    sys.stdout.write(f"dist/datamorph-lambda.zip  {zipped / 1e6:.1f} MB, {size / 1e6:.1f} MB unzipped\n")
    sys.stdout.write("dist/image                 build context: docker build --platform linux/amd64 dist/image\n")
    if ca is not None:
        sys.stdout.write(f"/var/task/{CA_NAME}  in both, for DatabaseCaFile\n")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="package", description=__doc__)
    parser.add_argument("--ca", metavar="FILE_OR_URL", help="CA certificates by which the database is verified")
    parser.add_argument("--ca-sha256", metavar="HEX", help="the hash that they must have")
    return parser.parse_args(arguments)


def _refused(message: str) -> int:
    sys.stderr.write(f"package: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
