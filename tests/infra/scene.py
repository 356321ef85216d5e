"""The zip and what it unpacks to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Built:
    """The zip and what it unpacks to."""

    zipped: Path
    unpacked: Path
    size: int
    """Bytes, unzipped."""
