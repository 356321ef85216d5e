"""The zip, built once a test session."""

from __future__ import annotations

import zipfile

import pytest

from infra.lambda_zip import build_zip
from infra.package import ROOT
from tests.infra.scene import Built


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the zip as `make package` does, and unpack it."""
    folder = tmp_path_factory.mktemp("package")
    zipped, unpacked = folder / "datamorph-lambda.zip", folder / "unpacked"
    size, _ = build_zip(ROOT, folder / "work", zipped)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(unpacked)
    return Built(zipped, unpacked, size)
