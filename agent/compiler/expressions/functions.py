"""The closed table of functions: a call of either dialect, read as a meaning."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from agent.compiler.expressions.function_tables import (
    date_functions,
    date_parts,
    math_functions,
    number_functions,
    text_functions,
    text_parts,
)
from agent.compiler.expressions.function_tables.differences import DIFFERENCES
from agent.compiler.expressions.function_tables.time_units import UNIT_PLACES, unit_of
from agent.compiler.expressions.meanings import (
    Dialect,
    Difference,
    FunctionArgument,
    FunctionCall,
    Meaning,
    Parameter,
    Spelling,
)

TABLES = {
    "Texts": text_functions.TABLE,
    "Parts of texts": text_parts.TABLE,
    "Numbers": number_functions.TABLE,
    "Logarithms, powers and angles": math_functions.TABLE,
    "Dates": date_functions.TABLE,
    "Parts of dates": date_parts.TABLE,
}
"""Topic to its part of the table."""

MEANINGS: dict[str, Meaning] = {meaning.name: meaning for table in TABLES.values() for meaning, _ in table}
"""Every meaning by its name."""

SPELLINGS: tuple[Spelling, ...] = tuple(one for table in TABLES.values() for _, forms in table for one in forms)
"""Every spelling. Where several fit a call, the first one is read."""

# Offsets and abbreviations are left out: `+02` lies west of Greenwich in PostgreSQL, and east of it in Java.
_ZONE = re.compile(r"UTC|[A-Z][A-Za-z_]+(/[A-Za-z_]+)+")

_BY_NAME: dict[tuple[Dialect, str], list[Spelling]] = defaultdict(list)
for _spelling in SPELLINGS:
    _BY_NAME[_spelling.dialect, _spelling.name].append(_spelling)


def spellings_of(dialect: Dialect, name: str) -> list[Spelling]:
    """The spellings with this name, in small letters; empty for a name that the dialect does not have."""
    return _BY_NAME.get((dialect, name), [])


def read_call(dialect: Dialect, name: str, arguments: Sequence[FunctionArgument]) -> FunctionCall | None:
    """The meaning of a call; None when the table has none for these arguments. A maker may refuse its constants."""
    name, places = _with_its_unit(dialect, name, arguments)
    given = [arguments[place] for place in places]
    for spelling in spellings_of(dialect, name):
        if not spelling.least <= len(given) <= spelling.most:
            continue
        meaning = spelling.maker(dialect, given) if spelling.maker else MEANINGS[spelling.meaning]
        order = spelling.order or tuple(range(len(meaning.parameters) if spelling.maker else len(given)))
        if _fit(meaning, order, given):
            from_call = tuple(places[place] if isinstance(place, int) else place for place in order)
            return FunctionCall(meaning, from_call, spelling.gives or meaning.gives)
    return None


def _with_its_unit(dialect: Dialect, name: str, arguments: Sequence[FunctionArgument]) -> tuple[str, list[int]]:
    """The name with its unit of time, as `extract year`, and the places of the other arguments."""
    places = list(range(len(arguments)))
    place = UNIT_PLACES.get((dialect, name))
    if place is None or len(arguments) != 2:
        return name, places
    unit = arguments[place].value
    return (f"{name} {unit_of(unit)}", [1 - place]) if isinstance(unit, str) else (name, places)


def difference(name: str, count: int) -> Difference | None:
    """The example of a name that the dialects read differently with that number of arguments, or of `extract dow`."""
    return next((one for one in DIFFERENCES if one.name == name and count in one.counts), None)


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
    if parameter.least is not None and not (isinstance(argument.value, int) and argument.value >= parameter.least):
        return False
    if parameter.zone and not (isinstance(argument.value, str) and _ZONE.fullmatch(argument.value)):
        return False
    return argument.family in ("", "null") or argument.family in parameter.families
