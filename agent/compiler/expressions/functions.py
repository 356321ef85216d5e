"""The closed table of functions: a call of either dialect, read as a meaning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from agent.compiler.expressions.function_tables import number_functions, text_functions
from agent.compiler.expressions.meanings import (
    Dialect,
    FunctionArgument,
    FunctionCall,
    Meaning,
    Parameter,
    Spelling,
)

TABLES = {
    "Texts": text_functions.TABLE,
    "Numbers": number_functions.TABLE,
}
"""Topic to its part of the table."""

MEANINGS: dict[str, Meaning] = {meaning.name: meaning for table in TABLES.values() for meaning, _ in table}
"""Every meaning by its name."""

SPELLINGS: tuple[Spelling, ...] = tuple(one for table in TABLES.values() for _, forms in table for one in forms)
"""Every spelling. Where several fit a call, the first one is read."""

_BY_NAME: dict[tuple[Dialect, str], list[Spelling]] = defaultdict(list)
for _spelling in SPELLINGS:
    _BY_NAME[_spelling.dialect, _spelling.name].append(_spelling)


def spellings_of(dialect: Dialect, name: str) -> list[Spelling]:
    """The spellings with this name, in small letters; empty for a name that the dialect does not have."""
    return _BY_NAME.get((dialect, name), [])


def read_call(dialect: Dialect, name: str, arguments: Sequence[FunctionArgument]) -> FunctionCall | None:
    """The meaning of a call; None when the table has none for these arguments. A maker may refuse its constants."""
    for spelling in spellings_of(dialect, name):
        if not spelling.least <= len(arguments) <= spelling.most:
            continue
        meaning = spelling.maker(dialect, arguments) if spelling.maker else MEANINGS[spelling.meaning]
        order = spelling.order or tuple(range(len(arguments)))
        if _fit(meaning, order, arguments):
            return FunctionCall(meaning, order, spelling.gives or meaning.gives)
    return None


def arities(dialect: Dialect, name: str) -> list[tuple[int, int]]:
    """How many arguments the name takes, least and most, for messages."""
    return sorted({(one.least, one.most) for one in spellings_of(dialect, name)})


def _fit(meaning: Meaning, order: Sequence[int | str], arguments: Sequence[FunctionArgument]) -> bool:
    parameters = list(meaning.parameters)
    if parameters and parameters[-1].repeated:
        parameters += [parameters[-1]] * (len(order) - len(parameters))
    return len(parameters) == len(order) and all(
        isinstance(place, str) or _takes(parameter, arguments[place])
        for parameter, place in zip(parameters, order, strict=True)
    )


def _takes(parameter: Parameter, argument: FunctionArgument) -> bool:
    """A NULL fits everything but a constant; so does an argument of a family that is not known."""
    if parameter.constant and argument.value is None:
        return False
    return argument.family in ("", "null") or argument.family in parameter.families
