"""New columns in any of the usual spellings: expressions, casts, replaced NULLs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import JsonValue

from agent.compiler.problems import USE_A_MODEL, cannot, refuse, within
from agent.compiler.spec.fields import Details, Fields, one_or_many
from agent.compiler.spec.sql_texts import aliased, bare, column_parts, is_column
from agent.elements import DerivedColumn

_ASSIGNED = re.compile(r"\s*(\w+)\s*:?=(?![=>])\s*(.+)", re.DOTALL)
_SQL_SIGN = re.compile(r"[-+*/%|()<>=']|\bcase\b|\bnull\b", re.IGNORECASE)


@dataclass(frozen=True)
class DerivedParts:
    """A new column as an entry says it; what it does not say is None."""

    name: str | None = None
    expression: str | None = None
    data_type: str = ""


def read_derived(given: Details) -> list[tuple[str, DerivedParts]]:
    """The new columns of one entry, each with its place in it."""
    fields = Fields(given, "derive")
    found: list[tuple[str, DerivedParts]] = []
    listed = fields.get("columns")
    own = _own(fields)
    if isinstance(listed, dict):
        found += [
            (f"{fields.at('columns')}.{name}", DerivedParts(name, _expression(value))) for name, value in listed.items()
        ]
    else:
        for place, item in one_or_many(listed):
            at = fields.at("columns") + place
            with within(at):
                found.append((at, _item(item)))
    return ([("", own)] if own.name or own.expression else []) + found


def _own(fields: Fields) -> DerivedParts:
    name = fields.text("name", "the new column's name") or fields.text("weak_name", "the new column's name")
    expression = fields.get("expression")
    if isinstance(expression, str):
        text, own = aliased(expression)
        if own and name and own.casefold() != bare(name).casefold():
            refuse(f"names the column {own!r}, and the entry {name!r}; write one name", fields.at("expression"))
        expression, name = text, name or own
    with within(fields.at("expression")):
        read = None if expression is None else _expression(expression)
    declared = fields.get("data_type")
    return DerivedParts(bare(name) if name else None, read, declared if isinstance(declared, str) else "")


def _item(item: JsonValue) -> DerivedParts:
    if not isinstance(item, dict | str):
        refuse(f"an object with `name` and `expression` is needed, not {item!r}")
    return of_text(item) if isinstance(item, str) else _own(Fields(item, "derive"))


def of_text(text: str) -> DerivedParts:
    """A new column in a text: `expression AS name`, `name = expression`, or a name alone."""
    if is_column(text):
        return DerivedParts(name=bare(text))
    expression, name = aliased(text)
    if name is not None:
        return DerivedParts(name, expression)
    match = _ASSIGNED.fullmatch(text)
    if match is None or not (_SQL_SIGN.search(match[2]) or is_column(match[2])):
        cannot(f'"{text}" is free text; write an object with `name` and `expression`, or {USE_A_MODEL}')
    return DerivedParts(match[1], match[2].strip())


def _expression(value: JsonValue) -> str:
    """The expression as SQL; a number or a truth value is a constant."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str) or not value.strip():
        refuse(f"an expression as SQL is needed, not {value!r}")
    return value.strip()


def read_casts(given: Details) -> list[tuple[str, DerivedColumn]]:
    """Columns with another type, each under its own name."""
    fields = Fields(given, "cast")
    found = [(place, _cast(item)) for place, item in _each(fields, "to")]
    if not found:
        refuse('a cast is {"column": name, "data_type": type}')
    return found


def _cast(fields: Fields) -> DerivedColumn:
    column, type_ = fields.text("column", "a column name"), fields.text("to", "a type")
    if not column or not type_:
        refuse('a cast is {"column": name, "data_type": type}')
    name = fields.text("name", "a column name") or column_parts(column)[1]
    return DerivedColumn(name, f"CAST({column} AS {type_})")


def read_fills(given: Details) -> list[tuple[str, DerivedColumn]]:
    """Columns whose NULLs are replaced, each under its own name."""
    fields = Fields(given, "fill")
    found = []
    for place, item in _each(fields, "value"):
        with within(place):
            column, value = item.text("column", "a column name"), item.raw("value")
            if not column or isinstance(value, list | dict) or value is None:
                refuse('a replacement of NULLs is {"column": name, "value": constant}')
            constant = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else _expression(value)
            name = item.text("name", "a column name") or column_parts(column)[1]
            found.append((place, DerivedColumn(name, f"COALESCE({column}, {constant})")))
    return found


def _each(fields: Fields, of_column: str) -> list[tuple[str, Fields]]:
    """The columns of an entry: listed objects, a mapping from column to value, several names with one value, or one."""
    kind = "cast" if of_column == "to" else "fill"
    listed, at, value = fields.get("columns"), fields.at("columns"), fields.raw(of_column)
    if isinstance(value, dict) and listed is None:
        listed, at = value, fields.at(of_column)
    if isinstance(listed, dict):
        return [(f"{at}.{name}", Fields({"column": name, of_column: one}, kind)) for name, one in listed.items()]
    found = []
    for place, item in one_or_many(listed):
        own: Details = item if isinstance(item, dict) else {"column": item, of_column: value}
        found.append((at + place, Fields(own, kind)))
    column = fields.get("column")
    if isinstance(column, list):
        place = fields.at("column")
        return found + [
            (f"{place}[{i}]", Fields({"column": one, of_column: value}, kind)) for i, one in enumerate(column)
        ]
    return [("", fields), *found] if column is not None else found
