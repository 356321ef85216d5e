"""A name means one thing in the whole product."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "cli", "evals", "graph", "infra", "prompts", "runs", "studio", "tools")
OF_ONE_PORT = {Path("tools/aws"), Path("tools/local")}
"""Folders whose modules implement the same ports and may share names."""


def modules() -> Iterator[Path]:
    """Give the product's modules, relative to the root."""
    files = [*ROOT.glob("*.py"), *(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))]
    return (file.relative_to(ROOT) for file in files if file.name != "__init__.py")


def public_types(module: Path) -> Iterator[str]:
    """Give the names of a module's public classes and type aliases."""
    for node in ast.parse((ROOT / module).read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                if name[0].isupper() and not name.isupper():
                    yield name


def test_no_two_modules_of_one_name() -> None:
    """Two modules share a name only where they implement one port."""
    found: dict[str, set[Path]] = defaultdict(set)
    for module in modules():
        found[module.stem].add(module.parent)
    assert {name: folders for name, folders in found.items() if len(folders) > 1 and folders != OF_ONE_PORT} == {}


def test_no_two_public_types_of_one_name() -> None:
    """A class or type alias can be searched for by its name alone."""
    found: dict[str, list[Path]] = defaultdict(list)
    for module in modules():
        for name in public_types(module):
            found[name].append(module)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
