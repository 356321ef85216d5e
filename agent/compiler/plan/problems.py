"""Refusing by name: a part of the specification that cannot be carried out with certainty is a Problem."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
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


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the known name nearest to `name`, else with all the known names (at most twelve)."""
    names = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), list(names), n=1)
    if near:
        return f"did you mean {names[near[0]]!r}?"
    shown = sorted(names.values())
    more = ", ..." if len(shown) > 12 else ""
    return f"known are {', '.join(shown[:12])}{more}" if shown else "no name is known here"
