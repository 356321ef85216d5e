"""Problems: parts of a specification that cannot be carried out with certainty, each with its path.

A check refuses with a message alone. Its callers add their parts of the path, as `.value`, and the collector of the
stage adds the path of the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn, TypeVar

from agent.errors import InvalidRequestError, Problem

USE_A_MODEL = "choose a model with --model"
_Read = TypeVar("_Read")


class _Refusal(Exception):
    def __init__(self, message: str, at: str, beyond: bool = False, absent: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        """The path from where the refusal is caught to the part that is refused."""
        self.beyond = beyond
        self.absent = absent


def refuse(message: str, at: str = "") -> NoReturn:
    """Refuse the part that is being read, or its part `at`, as `.column`."""
    raise _Refusal(message, at)


def cannot(message: str, at: str = "") -> NoReturn:
    """Refuse a part that is well written, and that only the compiler cannot express: a model can be asked."""
    raise _Refusal(message, at, beyond=True)


def absent(message: str, at: str = "") -> NoReturn:
    """Refuse a name that no source has, whatever else the specification holds."""
    raise _Refusal(message, at, absent=True)


@contextmanager
def within(at: str) -> Iterator[None]:
    """Put `at` before the path of a refusal in the block."""
    try:
        yield
    except _Refusal as refusal:
        raise _Refusal(refusal.message, at + refusal.at, refusal.beyond, refusal.absent) from None


def fitting(read: Callable[[], _Read]) -> _Read | None:
    """The value that `read` gives; None where it refuses."""
    try:
        return read()
    except _Refusal:
        return None


class Stages:
    """The stages of one reading: a stage with problems is the last one.

    A part that only the compiler cannot express is left out, and the next stages go on without it. Their problems may
    be consequences, so only names that no source has, and further such parts, are told then.
    """

    def __init__(self) -> None:
        self.beyond: dict[Problem, None] = {}
        """The parts that only the compiler cannot express."""
        self.words_left = False
        """True when words that no field carries may say more: later problems may be consequences of that too."""

    def stage(self) -> Problems:
        """The next stage."""
        return Problems(self)


class Problems:
    """Collects the problems of one stage and stops at its end: later stages would tell only consequences.

    A context manager. Raises InvalidRequestError at the end of the block when there are any.
    """

    def __init__(self, stages: Stages | None = None) -> None:
        self._found: dict[Problem, None] = {}
        self._failed: set[str] = set()
        self._stages = stages
        self.incomplete = stages is not None and (stages.words_left or bool(stages.beyond))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __enter__(self) -> Problems:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            return
        if self._stages is None:
            wrong = list(self._found)
        else:
            wrong = [problem for problem in self._found if not problem.beyond]
            self._stages.beyond |= {problem: None for problem in self._found if problem.beyond}
        if wrong:
            raise InvalidRequestError(wrong)

    def add(self, path: str, message: str, beyond: bool = False, absent: bool = False) -> None:
        """Add a problem; a repetition counts once. `beyond` as in Problem, `absent` for a name that no source has."""
        if beyond or absent or not self.incomplete:
            self._found[Problem(path, message, beyond)] = None

    def found(self) -> list[Problem]:
        """The problems in the order in which they were added."""
        return list(self._found)

    @contextmanager
    def at(self, path: str, name: str = "") -> Iterator[None]:
        """Collect a refusal in the block, and go on after it. The column `name` has failed then."""
        try:
            yield
        except _Refusal as refusal:
            self.add(path + refusal.at, refusal.message, refusal.beyond, refusal.absent)
            self._failed.add(name.casefold())

    def follows(self, name: str, uses: Iterable[str]) -> bool:
        """True when a column in `uses` has failed in this stage: `name` fails with it, without a problem of its own."""
        if any(use.casefold() in self._failed for use in uses):
            self._failed.add(name.casefold())
            return True
        return False
