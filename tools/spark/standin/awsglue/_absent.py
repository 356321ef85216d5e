"""Errors for parts of Glue that the stand-in lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


def refuse(name: str) -> NoReturn:
    """Raise NotImplementedError for the dotted name of a part of Glue."""
    raise NotImplementedError(f"{name} is not available on the local engine; it exists on AWS Glue only")


def absent(owner: str) -> Callable[[str], NoReturn]:
    """A `__getattr__` for the module `owner`; private names raise AttributeError, as Python's protocols expect."""

    def look_up(name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        refuse(f"{owner}.{name}")

    return look_up


class Partial:
    """A class of Glue that the stand-in implements in part."""

    def __getattr__(self, name: str) -> NoReturn:
        absent(f"{type(self).__module__}.{type(self).__name__}")(name)
