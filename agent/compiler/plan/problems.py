"""Refusing by name: a part of the specification that cannot be carried out with certainty is a Problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from agent.errors import InvalidRequestError, Problem

USE_A_MODEL = "choose a model with --model"


def refuse(path: str, message: str) -> NoReturn:
    """Raise InvalidRequestError with one problem."""
    raise InvalidRequestError([Problem(path, message)])


def entry_of(path: str) -> str:
    """The entry that a path leads into: `specs.filters[0].value` is in `specs.filters[0]`."""
    return path[: path.find("]") + 1] or path


@contextmanager
def collecting(problems: list[Problem]) -> Iterator[None]:
    """Add the problems of a refusal inside the block to `problems` and go on after the block."""
    try:
        yield
    except InvalidRequestError as error:
        problems.extend(error.problems)
