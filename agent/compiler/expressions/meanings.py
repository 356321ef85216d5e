"""Meanings: what a function does, whatever a dialect calls it, with its text in Spark SQL and in PostgreSQL.

A test runs both texts of each meaning over generated values, and compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["spark", "postgres"]
DIALECTS: tuple[Dialect, ...] = ("spark", "postgres")
Nulls = Literal["strict", "never", "any"]
"""`strict`: NULL exactly where an argument is NULL. `never`: no NULL. `any`: also by the values."""

GROUPS: dict[str, frozenset[str]] = {
    "number": frozenset({"integer", "decimal", "float"}),
    "exact": frozenset({"integer", "decimal"}),
    "moment": frozenset({"date", "timestamp"}),
    "any": frozenset({"integer", "decimal", "float", "boolean", "date", "timestamp", "string", "array"}),
    "scalar": frozenset({"integer", "decimal", "float", "boolean", "date", "timestamp", "string"}),
    "natural": frozenset({"integer"}),
    "positive": frozenset({"integer"}),
    "zone": frozenset({"string"}),
}
"""Words for several families of types, in `Meaning.takes`."""

_LEAST = {"natural!": 0, "positive!": 1}


@dataclass(frozen=True)
class Parameter:
    """An argument's place in a function: the types that it takes."""

    families: frozenset[str]
    constant: bool = False
    """True where only a constant is certain."""
    repeated: bool = False
    """True for the last parameter of a function that takes any number of them."""
    least: int | None = None
    """The least value of a constant; None for any."""
    zone: bool = False
    """True for a time zone's name that both engines read alike: a region, or UTC."""


@dataclass(frozen=True)
class Meaning:
    """A function of which Spark and PostgreSQL give the same value for the same arguments.

    In the texts, `{0}` is the first argument, and `{*}` are all of them with commas between, and
    `{|}` with `||`. An argument that is an
    operator's result stands in parentheses.
    """

    name: str
    takes: str
    """Families or groups, as `string integer`. `!` marks a constant, `...` the last one repeated, `|` a choice."""
    gives: str
    """Family of the result, or `bigint`; `first`: that of the first argument; `common`: of all of them together."""
    nulls: Nulls
    spark: str
    postgres: str
    alike: bool = False
    """True where the arguments must be of one type: NULLIF, COALESCE, GREATEST."""
    outside: str = ""
    """Values for which an engine raises an error. Where PostgreSQL raises it, Spark may give NULL, and no value."""
    note: str = ""
    """A fact about the values, for the page of functions."""

    def text(self, dialect: Dialect, arguments: Sequence[str]) -> str:
        """The call in that dialect, over the texts of its arguments in the meaning's order."""
        template = self.spark if dialect == "spark" else self.postgres
        return _PLACE.sub(lambda found: _filled(found[1], arguments), template)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The function's parameters, in their order."""
        return tuple(_parameter(word) for word in self.takes.split())


@dataclass(frozen=True)
class Spelling:
    """A dialect's way to write a meaning."""

    dialect: Dialect
    name: str
    """In small letters; `extract year`, `cast date` and operators such as `||` stand here as well."""
    least: int
    """Arguments that a call has at least."""
    most: int
    """Arguments that a call has at most."""
    meaning: str
    order: tuple[int | str, ...] = ()
    """For each argument of the meaning: the place in the call, or the text of a constant. Empty: as they stand."""
    gives: str = ""
    """The family of the result in this dialect where the meaning gives another one, as `extract` gives numeric."""
    maker: Maker | None = None
    """Makes the meaning from the call's constants: the pattern of a date, a unit, a regular expression."""


@dataclass(frozen=True)
class FunctionArgument:
    """An argument of a call: its family, `null` for NULL, empty when it is not known; and a constant's value."""

    family: str
    value: object = None


Maker = Callable[[Dialect, Sequence[FunctionArgument]], Meaning]
"""Refuses, with a reason, constants that the closed tables do not have."""


@dataclass(frozen=True)
class Difference:
    """A name that both dialects have, with different meanings."""

    name: str
    counts: tuple[int, ...]
    """Numbers of arguments."""
    spark_call: str
    """An example."""
    spark: str
    """Its value in Spark, as text; `NULL` or `an error` too."""
    postgres: str
    """Its value in PostgreSQL."""
    shows: Literal["always", "null", "half", "fraction", "values"] = "always"
    """The values differ where the arguments hold a NULL, a half, a fraction, some values, or anything."""
    auto: Literal["postgres", "spark", "refuse"] = "refuse"
    """The reading without a dialect."""
    postgres_call: str = ""
    """The example in PostgreSQL, where it is written otherwise; empty where it is the same text."""


@dataclass(frozen=True)
class FunctionCall:
    """A call that was read: its meaning, and its arguments in the meaning's order."""

    meaning: Meaning
    order: tuple[int | str, ...]
    """For each argument of the meaning: the place in the call, or the text of a constant."""
    gives: str
    """As `Meaning.gives`, in the dialect that was read."""


# `{0}`, `{*}` or `{|}`; other braces, as in a regular expression, stay.
_PLACE = re.compile(r"\{(\d+|\*|\|)\}")


def _filled(place: str, arguments: Sequence[str]) -> str:
    if place == "*":
        return ", ".join(arguments)
    return " || ".join(arguments) if place == "|" else arguments[int(place)]


TableEntry = tuple[Meaning, tuple[Spelling, ...]]
FunctionTable = tuple[TableEntry, ...]
MANY = 255
"""Arguments that a call has at most."""


@dataclass(frozen=True)
class Form:
    """A spelling in some dialects, before it stands in the table."""

    dialects: tuple[Dialect, ...]
    names: str
    order: tuple[int | str, ...] = ()
    gives: str = ""


def both(names: str, *order: int | str, gives: str = "") -> Form:
    """Names that both dialects have."""
    return Form(DIALECTS, names, order, gives)


def spark(names: str, *order: int | str, gives: str = "") -> Form:
    """Names that mean this in Spark."""
    return Form(("spark",), names, order, gives)


def postgres(names: str, *order: int | str, gives: str = "") -> Form:
    """Names that mean this in PostgreSQL."""
    return Form(("postgres",), names, order, gives)


def entry(meaning: Meaning, *forms: Form) -> TableEntry:
    """A meaning and its spellings."""
    return meaning, tuple(_spellings(meaning, forms))


def _spellings(meaning: Meaning, forms: Sequence[Form]) -> Iterator[Spelling]:
    parameters = meaning.parameters
    repeated = bool(parameters) and parameters[-1].repeated
    for form in forms:
        taken = [place for place in form.order if isinstance(place, int)]
        least = max(taken, default=-1) + 1 if form.order else len(parameters)
        most = MANY if repeated and not form.order else least
        for dialect in form.dialects:
            for name in form.names.split(", "):
                yield Spelling(dialect, name, least, most, meaning.name, form.order, form.gives)


def _parameter(word: str) -> Parameter:
    repeated, word = word.endswith("..."), word.removesuffix("...")
    least = _LEAST.get(word)
    constant, word = word.endswith("!"), word.removesuffix("!")
    families = frozenset[str]().union(*(GROUPS.get(part, frozenset({part})) for part in word.split("|")))
    return Parameter(families, constant, repeated, least, zone=word == "zone")
