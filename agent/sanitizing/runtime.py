"""Glue versions with their Spark and Python versions, which limit the names that a transform may use.

Versions from AWS's "Glue version" page; 5.1's from its release notes.
"""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True)
class Runtime:
    """The Spark and the Python of one Glue version."""

    glue: str
    spark: Version
    python: Version

    @property
    def spark_name(self) -> str:
        """Spark's version as text, as `3.3`."""
        return ".".join(map(str, self.spark))

    @property
    def python_name(self) -> str:
        """Python's version as text, as `3.10`."""
        return ".".join(map(str, self.python))


_RUNTIMES = (
    Runtime("4.0", (3, 3), (3, 10)),
    Runtime("5.0", (3, 5), (3, 11)),
    Runtime("5.1", (3, 5), (3, 11)),
)
OLDEST, NEWEST = _RUNTIMES[0], _RUNTIMES[-1]


def runtime(glue_version: str) -> Runtime:
    """The runtime of a Glue version; for an unknown version, that of the nearest older one."""
    older = [known for known in _RUNTIMES if known.glue <= glue_version]
    return older[-1] if older else OLDEST
