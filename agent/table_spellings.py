"""Usual spellings of the sources and of the target, in the one form that the request has.

Other tools name the same things in their own words: `sources`, `{"table": …, "as": …}`, `"orders AS o"`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from agent.errors import InvalidRequestError, Problem
from agent.key_names import normal_key, words
from agent.target_spellings import canonical_target

SOURCE_LISTS = (
    "source_tables", "sources", "tables", "inputs", "from", "source", "source_table", "input_tables", "input",
    "datasets", "input_datasets", "source_datasets", "from_tables",
)  # fmt: skip
"""Names of the list of sources at the top of a specification, the first one first."""

_TARGETS = ("target_table", "target", "output_table", "destination", "destination_table", "sink", "output")
_TABLE = ("table_name", "table", "source_table", "table_id", "relation", "entity", "dataset_table")
_ALIAS = ("alias", "as", "table_alias", "alias_name", "short_name", "variable", "dataframe", "df", "df_name")
_SCHEMA = ("schema", "schema_name", "table_schema", "namespace", "db_schema")
OF_STORAGE = words("""
    database catalog connection connection_name connection_type connection_options format file_format location path
    uri url s3_path bucket engine options schema source_type database_name db server host data_format
    table_type description role
    """)
"""Keys that tell where a source is stored."""
_BESIDE = {*OF_STORAGE, "columns", "type", "source", "name"}
"""Further keys of a source; they tell an object that is one source from a mapping of aliases."""
_ALIASED = re.compile(r'("(?:[^"]|"")+"(?:\."(?:[^"]|"")+")?|\S+)\s+(AS\s+)?([^\W\d]\w*)', re.IGNORECASE)
_SHORT = 3
"""Letters of a word that can only be an alias."""


def is_specification(event: dict[str, Any]) -> bool:
    """True for a specification that stands without its event."""
    names = {normal_key(key) for key in event if isinstance(key, str)}
    return "source_tables" in names or bool(names.intersection(SOURCE_LISTS) and names.intersection(_TARGETS))


def canonical_specs(specs: object, schemas: object) -> object:
    """The specification with its sources and its target in the one form. Raises InvalidRequestError.

    Values of other shapes stay as they are: the request's own checks tell them.
    """
    if not isinstance(specs, dict):
        return specs
    specs, problems = dict(specs), list[Problem]()
    for names in (SOURCE_LISTS, _TARGETS):
        if names[0] not in specs:
            others = [key for key in specs if normal_key(key) in names]
            if len(others) == 1:
                specs = {names[0] if key == others[0] else key: value for key, value in specs.items()}
    if "source_tables" in specs:
        known = {name for name in schemas if isinstance(name, str)} if isinstance(schemas, dict) else set()
        specs["source_tables"] = _Sources(specs, known, problems).read()
    if "target_table" in specs:
        specs["target_table"] = canonical_target(specs["target_table"], problems)
    if problems:
        raise InvalidRequestError(problems)
    return specs


class _Sources:
    """Reads the list of sources. What its texts mean may depend on names that the specification uses elsewhere."""

    def __init__(self, specs: dict[str, Any], known: set[str], problems: list[Problem]) -> None:
        self._given, self._known, self._problems = specs["source_tables"], known, problems
        rest = {key: value for key, value in specs.items() if key != "source_tables"}
        self._used = {word.casefold() for word in re.findall(r"\w+", json.dumps(rest, ensure_ascii=False))}

    def read(self) -> object:
        """The list, each source as an object where its form is known."""
        given = self._given
        if isinstance(given, str) and given.strip():
            given = [part.strip() for part in given.split(",")]
        if isinstance(given, dict):
            given = [given] if _is_source(given) else [self._mapped(key, value) for key, value in given.items()]
        if not isinstance(given, list):
            return given
        return [self._source(item, f"specs.source_tables[{index}]") for index, item in enumerate(given)]

    def _mapped(self, key: str, value: object) -> object:
        """An entry of a mapping: alias to table, or table to its description or alias."""
        if isinstance(value, str):
            reverse = key in self._known and value not in self._known or len(value) <= _SHORT < len(key)
            table, alias = (key, value) if reverse else (value, key)
            return {"table_name": table, "alias": alias}
        if isinstance(value, dict):
            named = any(normal_key(name) in (*_TABLE, "name") for name in value)
            return {"alias": key, **value} if named else {"table_name": key, **value}
        return {"table_name": key} if value is None else value

    def _source(self, item: object, path: str) -> object:
        if isinstance(item, str):
            return self._of_text(item)
        if not isinstance(item, dict):
            return item
        given, rest = self._sorted_keys(item)
        table, alias = self._one(given["table"], path, "table_name"), self._one(given["alias"], path, "alias")
        for key in ("name", "source"):
            if isinstance(word := item.get(key), str) and word:
                if table is None:
                    table = word
                    rest.pop(key, None)
                elif key == "name" and alias is None and word.isidentifier():
                    alias = word if word != table else None
                    rest.pop(key, None)
        found: dict[str, Any] = dict(rest)
        if table is not None:
            split = self._of_text(table) if isinstance(table, str) and alias is None else table
            found |= split if isinstance(split, dict) else {"table_name": split}
        if alias is not None and alias != found.get("table_name"):
            found["alias"] = alias
        schema = self._one(given["schema"], path, "schema")
        if isinstance(schema, str) and isinstance(table := found.get("table_name"), str):
            self._qualify(found, schema, table, path)
        return found

    def _sorted_keys(self, item: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """The spellings of table, alias and schema, and all other keys."""
        given: dict[str, dict[str, Any]] = {"table": {}, "alias": {}, "schema": {}}
        rest = {}
        for key, value in item.items():
            name = normal_key(key)
            kind = "table" if name in _TABLE else "alias" if name in _ALIAS else "schema" if name in _SCHEMA else ""
            if kind == "schema" and not isinstance(value, str):
                kind = ""
            if not kind:
                rest[key] = value
            elif value not in (None, "") or key in ("table_name", "alias"):
                given[kind][key] = value
        return given, rest

    def _one(self, given: dict[str, Any], path: str, name: str) -> Any:
        values = list(given.values())
        if any(value != values[0] for value in values[1:]):
            told = " and ".join(f"`{key}`" for key in given)
            self._problems.append(Problem(path, f"{told} give {name} in two ways; leave one of them out"))
        return values[0] if values else None

    def _qualify(self, found: dict[str, Any], schema: str, table: str, path: str) -> None:
        own, dot, name = table.rpartition(".")
        if not dot:
            found["table_name"] = f"{schema}.{table}"
            if "alias" not in found:
                found["alias"] = table
        elif own.casefold() != schema.casefold():
            self._problems.append(Problem(path, f"names {table!r} and the schema {schema!r}; name one schema"))

    def _of_text(self, text: str) -> object:
        """A table, with its alias where the text names one: after AS, or a word that is short or used elsewhere."""
        match = _ALIASED.fullmatch(text.strip())
        if match is None or text in self._known:
            return text
        table, said, alias = match.groups()
        if said or len(alias) <= _SHORT or alias.casefold() in self._used:
            return {"table_name": table, "alias": alias}
        return text


def _is_source(given: dict[str, Any]) -> bool:
    names = {normal_key(key) for key, value in given.items() if isinstance(value, str)}
    return bool(names & {*_TABLE, "name"}) or bool(given) and {*given} <= {*_ALIAS, *_SCHEMA, *_BESIDE}
