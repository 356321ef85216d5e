"""The releases that go into the packages: exactly those that are installed here, where the tests ran."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUNTIME = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""Lambda's Python, whatever machine the package is built on."""


class NotInstalledError(Exception):
    """A release that cannot be pinned, as it is not installed here."""

    def __init__(self, name: str, wanted_by: str) -> None:
        """`wanted_by`: the distribution that requires it."""
        self.name, self.wanted_by = name, wanted_by
        super().__init__(
            f"{name}, which {wanted_by} requires, is not installed; run `make package` on Linux, in Python 3.11"
        )


def project_requirements(root: Path, extras: Iterable[str] = ()) -> list[Requirement]:
    """What pyproject.toml names: the dependencies and those of the extras."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    names = [*project["dependencies"], *(name for extra in extras for name in optional[extra])]
    return [Requirement(name) for name in names]


def pins(requirements: Iterable[Requirement], without: frozenset[str] = frozenset()) -> list[str]:
    """`name==version` of everything that is needed, sorted; `without` is left out with what only it needs.

    Raises NotInstalledError.
    """
    found: dict[str, str] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    waiting = [(requirement, "this project", frozenset[str]()) for requirement in requirements]
    while waiting:
        requirement, wanted_by, extras = waiting.pop()
        name = canonicalize_name(requirement.name)
        asked = (name, frozenset(requirement.extras))
        if name in without or asked in done or not _applies(requirement, extras):
            continue
        done.add(asked)
        installed = _installed(name, wanted_by)
        found[name] = installed.version
        waiting += [(Requirement(text), name, asked[1]) for text in installed.requires or ()]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether the requirement holds on Lambda, for one of the extras with which its distribution was asked for."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**RUNTIME, "extra": extra}) for extra in extras or {""})


def _installed(name: str, wanted_by: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise NotInstalledError(name, wanted_by) from None
