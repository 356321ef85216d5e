"""Keys that have no place in an entry: comments are kept as words, the rest is told."""

from __future__ import annotations

import re

from pydantic import JsonValue

from agent.compiler.notes import Notes
from agent.compiler.problems import USE_A_MODEL, Problems
from agent.compiler.spec.fields import Details, Fields, normal_key, one_or_many
from agent.compiler.spec.key_spellings import KEYS, words
from agent.elements import Entries, Located
from agent.table_spellings import OF_STORAGE

COMMENTS = words("""
    description desc comment comments note notes reason purpose rationale explanation remark remarks label title
    summary business_rule business_logic business_rules justification assumption assumptions info documentation
    doc
    """)
"""Keys whose words are a comment."""

HARMLESS = words("""
    id step step_id step_number step_name sequence seq order index position priority step_order name data_type
    dtype column_type datatype return_type output_type result_type sql_type nullable is_nullable table tables
    source sources source_table source_tables table_name table_alias input inputs input_table input_tables
    output output_table target target_table output_tables depends_on dependencies source_columns source_column
    columns_used tags owner author created_by created_at version required stage phase type kind filter_type
    """)
"""Keys that describe an entry and change no row."""
_PROSE = re.compile(r"[^=<>(){}\[\]]*\w\s+\w[^=<>(){}\[\]]*\s+\w[^=<>(){}\[\]]*")
"""Three words or more without a sign of SQL."""
_NESTED = {
    "aggregate": ("aggregations",),
    "derive": ("columns",),
    "filter": ("conditions", "or", "and", "not"),
    "join": ("joins",),
    "window": ("windows",),
}
"""Keys whose lists hold entries of the same kind."""
_SWITCHES = ("enabled", "active", "is_active", "is_enabled")


class FurtherKeys:
    """Tells the keys that the reader does not take in."""

    def __init__(self, entries: Entries, problems: Problems, notes: Notes) -> None:
        self._entries, self._problems, self._notes = entries, problems, notes

    def of_entry(self, path: str, given: Details, kind: str) -> None:
        """Tell the keys of an entry that its kind does not know."""
        if kind not in KEYS:
            self.tell(path, given)
            return
        fields = Fields(given, kind)
        self.tell(path, fields.rest)
        for name in _NESTED.get(kind, ()):
            value = fields.raw(name)
            for place, item in one_or_many(value) if isinstance(value, list) or kind == "filter" else ():
                if isinstance(item, dict):
                    self.of_entry(path + fields.at(name) + place, item, kind)

    def of_source(self, path: str, rest: Details) -> None:
        """Tell the further keys of a source: those that say where it is stored change no row."""
        stored = {key for key in rest if normal_key(key) in OF_STORAGE}
        for key in stored:
            self._notes.add(f"{path}.{key}", "is not looked at")
        self.tell(path, {key: value for key, value in rest.items() if key not in stored})

    def tell(self, path: str, rest: Details) -> None:
        """Keep comments as words; a key that may carry a meaning is for a model."""
        for key, value in rest.items():
            name = normal_key(key)
            if name in KEYS["derive"]["data_type"] or name == "data_type":
                self._notes.add(f"{path}.{key}", "is not looked at; declare types in target_table.columns")
            if value in (None, "", [], {}) or name in HARMLESS or (name in _SWITCHES and value is True):
                continue
            texts = _texts(value)
            if name in COMMENTS and texts:
                self._entries.texts += [Located(f"{path}.{key}", text) for text in texts]
            elif texts and all(_PROSE.fullmatch(text) for text in texts):
                self._notes.add(f"{path}.{key}", "is no known key; its words are read as a comment")
                self._entries.texts += [Located(f"{path}.{key}", text) for text in texts]
            else:
                message = f"unknown key, so its meaning is not certain; remove it or {USE_A_MODEL}"
                self._problems.add(f"{path}.{key}", message, beyond=True)

    def only_words(self, path: str, details: Details) -> bool:
        """True for details that hold comments alone; they are kept."""
        for key, value in details.items():
            texts = _texts(value)
            plain = normal_key(key) in COMMENTS | HARMLESS or all(_PROSE.fullmatch(text) for text in texts)
            if not texts or not plain:
                return False
        self.tell(path, details)
        return True


def _texts(value: JsonValue) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [str(item) for item in items] if all(isinstance(item, str) for item in items) else []
