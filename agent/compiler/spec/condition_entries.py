"""Filters: comparisons, groups of them and SQL, in any of the usual spellings."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import JsonValue

from agent.compiler.problems import USE_A_MODEL, cannot, refuse, within
from agent.compiler.spec.condition_texts import condition_text, refuse_open_words
from agent.compiler.spec.fields import Details, Fields, normal_key, one_or_many
from agent.compiler.spec.key_spellings import FUNCTIONS, OPERATORS
from agent.compiler.spec.sql_conditions import exact_number, is_condition, is_number, sql_condition
from agent.compiler.spec.sql_texts import bare, is_column, split_at, tokens
from agent.elements import Comparison, Condition, ConditionGroup, SqlCondition
from agent.nearest import did_you_mean

_SHOWN = "=, !=, >, >=, <, <=, IN, NOT IN, BETWEEN, LIKE, IS NULL, IS NOT NULL"
_PATTERNS = {"contains": "%{}%", "starts with": "{}%", "ends with": "%{}"}
_NULL_WORDS: tuple[JsonValue, ...] = (None, True, "", "null", "none", "true", "n/a", [], {})
_NOT_NULL_WORDS = ("not null", "notnull", "not_null", "is not null")


def read_conditions(raw: JsonValue) -> Condition:
    """The one condition that a list of entries, one entry or a SQL text makes."""
    parts = []
    for place, item in one_or_many(raw):
        with within(place):
            parts.append((read_condition(item), _connector(item)))
    return _connected([part for part, _ in parts], [word for _, word in parts])


def read_condition(raw: JsonValue) -> Condition:
    """The condition of one entry."""
    if isinstance(raw, str):
        refuse_open_words(condition_text(raw))
        if is_column(re.sub(r"(?i)^\s*not\s+", "", raw)):
            return SqlCondition(raw.strip())
        if not is_condition(raw):
            cannot(f'"{raw}" is free text; write a condition as SQL, or {USE_A_MODEL}')
        return sql_condition(raw)
    if not isinstance(raw, dict):
        refuse(f"an object with `column` and `operator` is needed, not {raw!r}")
    fields = Fields(raw, "filter")
    parts = [*_groups(fields), *_own(fields)]
    if not parts:
        missing = (
            "`column` is needed" if "operator" in fields or "value" in fields else "`column` and `operator` are needed"
        )
        refuse(f"{missing}{_told_keys(fields.rest)}", ".column" if "operator" in fields else "")
    whole = parts[0] if len(parts) == 1 else ConditionGroup("and", tuple(parts))
    return ConditionGroup("not", (whole,)) if fields.get("not") is True else whole


def _told_keys(rest: Details) -> str:
    return f"; not known here: {', '.join(f'`{key}`' for key in rest)}" if rest else ""


def _connector(item: JsonValue) -> str:
    """The word that connects an entry with its neighbour: `and`, `or`, or empty."""
    fields = Fields(item, "filter") if isinstance(item, dict) else None
    if fields is None or "conditions" in fields:
        return ""
    return str(fields.get("connector") or "").strip().lower()


def _connected(parts: list[Condition], words: list[str]) -> Condition:
    """The parts under the words between them. Words of two kinds leave open what belongs together."""
    said = {word for word in words if word}
    if said - {"and", "or"}:
        refuse(f"{(said - {'and', 'or'}).pop()!r} does not connect conditions; write AND or OR")
    if len(parts) == 1:
        return parts[0]
    if "or" not in said:
        return ConditionGroup("and", tuple(parts))
    # The word of an entry stands before or behind it: one end of the list has none to connect.
    if not (all(word == "or" for word in words[1:]) or all(word == "or" for word in words[:-1])):
        refuse('AND and OR in one list leave open what belongs together; nest {"operator": "OR", "conditions": […]}')
    return ConditionGroup("or", tuple(parts))


def _groups(fields: Fields) -> list[Condition]:
    """The groups of an entry: `conditions` under a connecting word, `or`, `and`, `not`."""
    found = []
    if "conditions" in fields:
        word = str(fields.get("connector") or fields.get("operator") or "and").strip().lower()
        with within(fields.at("conditions")):
            found.append(_grouped(word, fields.get("conditions")))
    names: tuple[Literal["or", "and"], ...] = ("or", "and")
    for name in names:
        if name in fields and not isinstance(fields.get(name), bool):
            with within(fields.at(name)):
                found.append(_grouped(name, fields.get(name)))
    if isinstance(fields.get("not"), dict | list | str):
        with within(fields.at("not")):
            found.append(ConditionGroup("not", (read_conditions(fields.get("not")),)))
    return found


def _grouped(word: str, raw: JsonValue) -> Condition:
    if word in ("not", "none", "nor"):
        parts = [read_conditions(item) for _, item in one_or_many(raw)]
        return ConditionGroup("not", (parts[0] if len(parts) == 1 else ConditionGroup("or", tuple(parts)),))
    if word not in ("and", "or", "all", "any", "&&", "||"):
        refuse(f"{word!r} does not connect conditions; write AND or OR")
    if word in ("and", "all", "&&"):
        return read_conditions(raw)
    parts = []
    for place, item in one_or_many(raw):
        with within(place):
            parts.append(read_condition(item))
    return parts[0] if len(parts) == 1 else ConditionGroup("or", tuple(parts))


def _own(fields: Fields) -> list[Condition]:
    """The comparison and the SQL of an entry itself."""
    condition, found = fields.get("condition"), list[Condition]()
    operator = None if "conditions" in fields else fields.text("operator", "an operator")
    if isinstance(condition, str) and _known_operator(condition) and operator is None:
        operator, condition = condition, None
    column = _column(fields)
    if (
        column is not None
        and operator is None
        and isinstance(condition, str)
        and not is_condition(f"{column} = 1 AND {condition}")
    ):
        condition = None
    if column is not None and (operator is not None or condition is None):
        found.append(_comparison(fields, column, operator))
    if condition is not None:
        with within(fields.at("condition")):
            found.append(read_conditions(condition))
    return found


def _column(fields: Fields) -> str | None:
    """The column with its table, or the aggregate that is compared."""
    column, function = fields.text("column", "a column name"), fields.text("function", "an aggregate")
    if column is None:
        return function if function and "(" in function else None
    table = fields.text("table", "a table's name")
    if table and "." not in column and is_column(column):
        column = f"{table}.{column}"
    word = function and FUNCTIONS.get(normal_key(function))
    if word:
        return f"COUNT(DISTINCT {column})" if word == "count_distinct" else f"{word.upper()}({column})"
    return column


def _known_operator(text: str) -> bool:
    return " ".join(text.lower().replace("_", " ").split()) in OPERATORS


def operator_of(text: str, at: str = "") -> str:
    """The canonical operator. An unknown one may be known to a model."""
    word = " ".join(text.lower().replace("_", " ").split())
    if word not in OPERATORS:
        squeezed = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()
        word = " ".join(squeezed.replace("_", " ").split())
    if word not in OPERATORS:
        near = did_you_mean(text, [*OPERATORS]) or f"; use one of {_SHOWN}"
        cannot(f"unknown operator {text!r}{near}, or {USE_A_MODEL}", at)
    return OPERATORS[word]


def _comparison(fields: Fields, column: str, written: str | None) -> Condition:
    if written is None:
        if not fields.written("value"):
            refuse("`operator` is required", ".operator")
        written = "in" if isinstance(fields.get("value"), list) else "="
    operator = operator_of(written, fields.at("operator"))
    value = fields.raw("value")
    if operator in ("=", "!=") and written.strip().lower() in ("is", "is not", "is_not") and _is_null_word(value):
        operator = "IS NULL" if operator == "=" else "IS NOT NULL"
    if operator in ("=", "!=") and written.strip().lower() == "is" and _folded(value) in _NOT_NULL_WORDS:
        operator = "IS NOT NULL"
    if operator in ("IS NULL", "IS NOT NULL"):
        if not _is_null_word(value) and _folded(value) not in (*_NOT_NULL_WORDS, "is null"):
            refuse(f"{operator} takes no value, and {value!r} is one", fields.at("value"))
        if (_folded(value) in _NOT_NULL_WORDS) and operator == "IS NULL":
            refuse(f"{operator} and the value {value!r} contradict each other", fields.at("value"))
        return Comparison(column, operator)
    if operator in ("true", "false", "~", "!~", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"):
        return _of_own_form(column, operator, value)
    with within(fields.at("value")):
        return _with_value(column, operator, _between(fields, value) if operator.endswith("BETWEEN") else value)


def _of_own_form(column: str, operator: str, value: JsonValue) -> Condition:
    """The condition of an operator that no Comparison has."""
    if operator in ("true", "false"):
        return Comparison(column, "=", operator == "true")
    if operator in ("~", "!~"):
        return SqlCondition(f"{column} {operator} '{str(value).replace(chr(39), chr(39) * 2)}'")
    if value is None:
        return Comparison(column, "IS NULL" if operator.startswith("IS NOT") else "IS NOT NULL")
    if not isinstance(value, bool | int | float):
        cannot(f"{operator} with {value!r}: write SQL, as `{column} {operator} 'x'`, or {USE_A_MODEL}")
    return SqlCondition(f"{column} {operator} {str(value).upper()}")


def _folded(value: JsonValue) -> JsonValue:
    return value.strip().lower() if isinstance(value, str) else value


def _is_null_word(value: JsonValue) -> bool:
    return any(_folded(value) == word and type(value) in (type(word), str) for word in _NULL_WORDS)


def _between(fields: Fields, value: JsonValue) -> JsonValue:
    """The two values of BETWEEN, from one value or from two keys."""
    low, high = fields.raw("low"), fields.raw("high")
    if isinstance(value, dict):
        inner = Fields(value, "filter")
        low, high, value = inner.raw("low"), inner.raw("high"), None
    if value is not None and high is not None and low is None:
        low, value = value, None
    return [low, high] if value is None and low is not None else value


def _with_value(column: str, operator: str, value: JsonValue) -> Condition:
    """The comparison with a value of the operator's form."""
    negated, word = operator.startswith(("not ", "NOT ")), operator.removeprefix("not ")
    if word in _PATTERNS:
        if not isinstance(value, str):
            refuse(f"{operator} takes a text, not {value!r}")
        escaped = re.sub(r"([\\%_])", r"\\\1", value)
        return Comparison(column, "NOT LIKE" if negated else "LIKE", _PATTERNS[word].format(escaped), literal=True)
    if operator.endswith(("IN", "BETWEEN")):
        items, quoted = _items(value, operator.endswith("BETWEEN"))
        return Comparison(column, operator, items, literal=quoted)
    if operator in ("=", "!=") and isinstance(value, list):
        refuse(f"{operator} takes one value, not a list; write {'IN' if operator == '=' else 'NOT IN'}")
    if operator in ("=", "!=") and isinstance(value, str) and value.strip().upper() == "NULL":
        refuse(f"the text {value!r}, or no value? Write IS {'NOT ' if operator == '!=' else ''}NULL for no value")
    if isinstance(value, dict) and len(value) == 1 and isinstance(other := next(iter(value.values())), str):
        if normal_key(next(iter(value))) not in ("column", "field", "col", "column_name"):
            refuse(f"{value!r} is no value")
        return SqlCondition(f"{column} {operator} {other}")
    if isinstance(value, str) and _is_quoted(value):
        return Comparison(column, operator, _item(value), literal=True)
    return Comparison(column, operator, value)


def _items(value: JsonValue, between: bool) -> tuple[JsonValue, bool]:
    """The list in a value that may be written as SQL writes it; True where its texts are quoted."""
    if not isinstance(value, str):
        items: list[JsonValue] = value if isinstance(value, list) else [value]
        texts = [item for item in items if isinstance(item, str) and _is_quoted(item)]
        if texts and len(texts) == len(items):
            return [_item(item) for item in texts], True
        return items, False
    text = value.strip()
    if text[:1] + text[-1:] in ("()", "[]") and len(tokens(text)) > 1:
        text = text[1:-1]
    parts = split_at(text, ",")
    if between and len(parts) == 1:
        parts = split_at(text, "AND")
        parts = split_at(text, "TO") if len(parts) == 1 else parts
    if not between and value.strip() == text and len(parts) == 1 and text[:1] not in ("'", '"'):
        return [value], False
    return [_item(part) for part in parts], all(_is_quoted(part) for part in parts)


def _is_quoted(text: str) -> bool:
    """True for a text that is one text of SQL."""
    return len(text) > 1 and text[0] == text[-1] == "'" and len(tokens(text)) == 1


def _item(part: str) -> JsonValue:
    if _is_quoted(part):
        return part[1:-1].replace("''", "'")
    if is_number(part):
        return exact_number(part)  # type: ignore[return-value]  # a number, as `is_number` says
    return bare(part)
