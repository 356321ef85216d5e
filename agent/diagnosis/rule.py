"""A failure rule: patterns of an error message, with the class, cause and hint that they mean."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from agent.findings import FailureClass, RepairableBy
from agent.nearest import most_similar


@dataclass(frozen=True)
class Rule:
    """Class, cause and hint of an error in which one of `patterns` is found.

    `cause` and `hint` are templates over the patterns' named groups: `name` is the subject, `names` a list of
    suggestions, `{nearest}` the suggestion most like the subject.
    """

    failure_class: FailureClass
    patterns: tuple[re.Pattern[str], ...]
    cause: str
    hint: str
    repairable_by: RepairableBy


@dataclass(frozen=True)
class Match:
    """A rule that applies, with the groups of its pattern."""

    rule: Rule
    groups: dict[str, str]
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The subject of the error, as a column's name; empty when it has none."""
        return self.groups.get("name", "")

    @property
    def nearest(self) -> str:
        """The suggestion most like the subject; empty without suggestions."""
        return most_similar(self.name, self.names) or ""

    def fill(self, template: str) -> str:
        """A template filled with this match's groups."""
        known: dict[str, str] = defaultdict(str, self.groups)
        known |= {"names": ", ".join(self.names), "nearest": self.nearest}
        return " ".join(template.format_map(known).split())


def rule(
    failure_class: FailureClass,
    patterns: Iterable[str],
    cause: str,
    hint: str = "",
    by: RepairableBy = "code",
) -> Rule:
    """A rule whose patterns are searched for across lines."""
    return Rule(failure_class, tuple(re.compile(pattern, re.DOTALL) for pattern in patterns), cause, hint, by)


def first_match(rules: Iterable[Rule], text: str) -> Match | None:
    """The first rule of the table that applies to a text."""
    for one in rules:
        for pattern in one.patterns:
            found = pattern.search(text)
            if found:
                groups = {key: value for key, value in found.groupdict().items() if value is not None}
                names = tuple(filter(None, map(plain_name, re.split(r",\s*", groups.pop("names", "")))))
                if "name" in groups:
                    groups["name"] = plain_name(groups["name"])
                return Match(one, groups, names)
    return None


def plain_name(text: str) -> str:
    """A column's name without Spark's quotes: `` `c`.`id` `` is `c.id`."""
    return re.sub(r"[`'\"]", "", text).strip(" .;\n")
