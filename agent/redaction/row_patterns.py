"""Patterns for row values that Spark, PostgreSQL, their drivers and Python quote in errors, by the words around them.

Collected from the error classes of Spark 3.5, the wordings of Spark 3.3, and the messages of PostgreSQL 15 to 18.
"""

from __future__ import annotations

import re

from agent.redaction.pattern import MASK, NEXT, Pattern, pattern

_TYPE = re.compile(
    r"(?:type )?[\"`]?(?:boolean|tinyint|smallint|int|integer|bigint|byte|short|long|float|double|real|decimal|numeric"
    r"|char|character|varchar|string|text|bytea|binary|date|time|timestamp|timestamptz|interval|void|null|array|map|struct"
    r"|uuid|jsonb?|\w+Type)(?![A-Za-z])[\w<>(), :]*[\"`]?(?:\[\])*",
    re.IGNORECASE,
)
"""The name of a Spark or PostgreSQL type: phrases like `cannot cast X to Y` hold types as well as values."""
_VALUES = re.compile(r"\bVALUES\s*\(", re.IGNORECASE)
_LIST = re.compile(r"\s*,?\s*\((?:[^'()]|'(?:[^']|'')*+'|\((?:[^'()]|'(?:[^']|'')*+')*+\))*+\)")
"""A row `(…)` of an INSERT, with quoted texts and one level of calls inside."""

_LABEL = re.compile(r"\n[A-Z]{4,12}: ")
"""PostgreSQL's next field: CONTEXT, HINT, STATEMENT …"""
_ROW_END = re.compile(r"\)\.(?=[ \t]{0,8}+(?:\n|\Z))")
"""`).` at a line's end closes a failing row; the row's own texts may hold `).` within a line."""


def _between(name: str, before: str, after: str, *, sure: bool = False, shape: bool = False) -> Pattern:
    """A value between two phrases; `sure`: it is masked without the second phrase too, as in a message that was cut.

    A quoted value keeps its quotes; with `shape`, letters become `a` and digits 9. Names of types stay.
    """

    def replacement(match: re.Match[str]) -> str:
        head, value, tail = match.groups()
        # An opening quote shows a value even where the message was cut before the second phrase.
        if (tail is None and not sure and value[:1] not in ("'", '"')) or _TYPE.fullmatch(value):
            return match[0]
        return f"{head}{_shaped(value) if shape else _masked(value)}{tail or ''}"

    # The possessive repeat stops before `after` or NEXT, so the optional last group cannot cause backtracking.
    return pattern(name, rf"({before})((?:(?!{after}|{NEXT}).)*+)({after})?", replacement)


def _masked(value: str) -> str:
    quote = value[:1]
    return f"{quote}{MASK}{quote}" if quote and quote in "'\"`" else MASK


def _shaped(value: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value))


def _quoted(name: str, before: str) -> Pattern:
    """A value up to the last quote on its line if it begins with a quote, else up to the line's end."""
    return pattern(name, rf"({before})((?:(?!{NEXT}).)*+)", lambda match: match[1] + _without_quoted(match[2]))


def _without_quoted(rest: str) -> str:
    line = rest.partition("\n")[0]
    if not rest.startswith('"'):
        return f"{MASK}{rest[len(line) :]}" if line else rest
    end = line.rfind('"', 1)
    if end < 0:
        end = rest.find('"', 1)
    return f'"{MASK}"{rest[end + 1 :] if end > 0 else ""}'


def _failing_row(match: re.Match[str]) -> str:
    """Mask a failing row up to the last `).` at a line's end, else up to the last one on the first line, else wholly.

    The row's values may hold `).` themselves; PostgreSQL's next field ends the search.
    """
    rest = match[2]
    label = _LABEL.search(rest)
    ends = [end.start() for end in _ROW_END.finditer(rest, 0, label.start() if label else len(rest))]
    end = ends[-1] if ends else rest.partition("\n")[0].rfind(").")
    end = end if end >= 0 else rest.find(").")
    return f"{match[1]}({MASK}).{rest[end + 2 :] if end >= 0 else ''}"


def _key(match: re.Match[str]) -> str:
    """Mask the value of `Key (id)=(…)`; without the words that follow a key, up to the line's end."""
    head, value, tail = match.groups()
    if value.startswith(f"{MASK})"):
        return match[0]
    line = value.partition("\n")[0]
    return f"{head}({MASK}){value[len(line) :] if tail is None else ''}"


def _insert(match: re.Match[str]) -> str:
    """Mask the values of an INSERT, up to the driver's words, else up to the end of the rows and of their line."""
    body, aborted = match[2], match[3]
    values = _VALUES.search(body)
    if values is None:
        return match[0]
    start, end = values.end() - 1, len(body)
    if aborted is None and (listed := _LIST.match(body, start)):
        while more := _LIST.match(body, listed.end()):
            listed = more
        line = body.find("\n", listed.end())
        end = line if line >= 0 else end
    return f"{match[1]}{body[:start]}({MASK}){body[end:]}{aborted or ''}"


_SPARK: tuple[Pattern, ...] = (
    # The value 'Ann' of the type "STRING" cannot be cast to "INT"; … cannot be converted to, … cannot be interpreted as
    _between(
        "cast",
        r"\bThe value (?!of (?:the|parameter))",
        r" of the type |(?: \([^)\n]{1,80}+\))? cannot be (?:converted|interpreted) ",
    ),
    # The value of the typed literal "DATE" is invalid: '2024-13-01'
    _between("typed literal", r"\bThe value of the typed literal [^:\n]{1,40}+: ", r"\.(?=\s|\Z)", sure=True),
    # The value of parameter(s) `regexp` in `regexp_replace` is invalid: 'a['
    _between(
        "parameter",
        r"\bThe value of parameter\(s\) [^:\n]{1,200}+: (?!expects |detail |must )",
        r"\.(?=\s|\Z)",
        sure=True,
    ),
    # Cannot cast 2024-13-01 to DateType; `cannot cast "STRING" to "INT"` names types, and stays
    _between("cannot cast", r"\b[Cc]annot cast ", r" to (?=[\"A-Za-z])"),
    # Duplicate map key 7 was found
    _between("duplicate map key", r"\bDuplicate map key ", r" was found"),
    # Key 'x' does not exist
    _between("missing map key", r"\bKey (?!\()", r" does not exist"),
    # Malformed records are detected in record parsing: {"a":. Parse Mode: FAILFAST
    _between("malformed record", r"\bMalformed records are detected in record parsing: ", r"\. Parse Mode", sure=True),
    # Malformed CSV record: 1,2,"x
    _between("malformed csv record", r"\bMalformed CSV record: ", r"\. Parse Mode", sure=True),
    # Jackson's [Source: (String)"{"a": x"; line: 1, column: 7]
    _between("json source", r"\[Source: \(String\)", r"(?:\[truncated [^\]\n]{1,40}+\])?; line: ", sure=True),
    # Jackson's Unrecognized token 'Ann': was expecting …
    _between("json token", r"\bUnrecognized token ", r": was expecting"),
    # Jackson's Unexpected character ('x' (code 120)): …
    _between("json character", r"\bUnexpected character \(", r"\):", sure=True),
    # Cannot parse the field name `a` and the value Ann of the JSON token type …; 3.3: …, field value Ann, [STRING]
    _between(
        "json field",
        r"\bCannot parse (?:the )?field name (?:(?! and the value |, field value )[^\n]){0,200}+"
        r"(?: and the value |, field value )",
        r" of the JSON token type |, \[",
        sure=True,
    ),
    # Cannot parse field value Ann for pattern yyyy as target spark data type
    _between("csv field", r"\bCannot parse field value ", r" for pattern "),
    # Fail to parse '2024-1-2' in the new parser: the shape tells which pattern is right
    _between("datetime", r"\bFail to parse ", r" in the new parser", shape=True),
    # Text '2024-1-2' could not be parsed at index 5
    _between("datetime text", r"\bText (?=')", r" could not be parsed", shape=True),
    # Invalid date 'FEBRUARY 30'
    pattern("invalid date", r"(\bInvalid date )'[^'\n]{1,80}+'", rf"\1'{MASK}'"),
    # Invalid value for MonthOfYear (valid values 1 - 12): 13
    pattern("datetime field", r"(\bInvalid value for \w{1,40}+ \(valid values [^)\n]{1,60}+\): )-?\d++", rf"\1{MASK}"),
    # Datetime operation overflow: add 1 YEAR to DATE '9999-12-31'
    _between("datetime overflow", r"\bDatetime operation overflow: ", r"\.(?=\s|\Z)", sure=True),
    # Unable to parse '1 fortnight'. Please ensure that …
    _between("interval", r"\bUnable to parse (?!file)", r"\. Please ensure"),
    # The input "STRING" 'x' does not match the format; 3.3: The input string '…' does not match the given number format
    _between("number format", r"\bThe input (?:string |\"STRING\" )", r" does not match the "),
    # 999999.5 cannot be represented as Decimal(5, 2); 3.3: Decimal(expanded, 999999.5, 7, 1) cannot be …
    pattern(
        "decimal",
        r"(?<![\w.+-])[+-]?\d[\d.]{0,80}+(?:[eE][+-]?\d{1,5}+)?"
        r"(?=(?:, ?\d{1,5}+, ?-?\d{1,5}+\))? cannot be represented as )",
        lambda match: _shaped(match[0]),
    ),
    # 127S + 1S caused overflow
    pattern(
        "arithmetic", r"(?<![\w.])-?\d[\w.]{0,60}+( [+*/-] )-?\d[\w.]{0,60}+(?= caused overflow)", rf"{MASK}\1{MASK}"
    ),
    # - -128S caused overflow
    pattern("negation", r"(?<![\w.])(- )-?\d[\w.]{0,60}+(?= caused overflow)", rf"\1{MASK}"),
    # Invalid pivot value 'Ann': value data type …; Pivoting by the value 'Ann' of the column data type …
    _between(
        "pivot value",
        r"\b(?:Invalid pivot value|Pivoting by the value) ",
        r": value data type|'? of the column data type",
    ),
    # Literal for 'Ann' of class …
    _between("literal", r"\bLiteral for (?=')", r" of (?=class|\")"),
    # The comparator has returned a NULL for a comparison between Ann and Bob. It should …
    _between("comparison", r"\bfor a comparison between ", r"\. It should "),
    # The url is invalid: http://x y. If necessary …; The provided URL cannot be decoded: %zz. Please ensure …
    _between("url", r"\b(?:The url is invalid|The provided URL cannot be decoded): ", r"\. (?=If |Please )", sure=True),
    # URISyntaxException: Illegal character in authority at index 7: http://x y
    pattern("uri", r"(\bURISyntaxException: [^:\n]{1,120}+: )[^\n]*+", rf"\1{MASK}"),
    # Illegal input for day of week: Ann. If necessary …
    _between("day of week", r"\bIllegal input for day of week: ", r"\. If ", sure=True),
    # Interval string does not match … when cast to interval day: Ann, set spark.sql.legacy…
    _between("interval cast", r"\bwhen cast to interval [\w ]{1,40}+: ", r", set spark", sure=True),
    # For input string: "12a"
    _quoted("number", r"\bFor input string: (?=\")"),
    # PatternSyntaxException: Unclosed character class near index 3, and on the next line the expression
    pattern("regular expression", r"(\bnear index \d{1,9}+\r?\n)[^\n]++", rf"\1{MASK}"),
    # Illegal sequence boundaries: 5 to 1 by 1
    pattern("sequence", r"(\bIllegal sequence boundaries: )[^\n]++", rf"\1{MASK}"),
    # Unknown time-zone ID: Ann; Invalid ID for region-based ZoneId, invalid format: Ann x
    pattern("zone", r"(\b(?:Unknown time-zone ID|Invalid ID for [\w -]{1,40}+, [\w ]{1,40}+): )[^\n]++", rf"\1{MASK}"),
    # Failed to cast value `x` to `int` for partition column `p`; Failed to convert value x (class of y) …
    _between("partition value", r"\bFailed to (?:cast|convert) value ", r" to `| \(class of "),
    # SQL <column> to Protobuf … because x is not in defined values for enum
    _between("enum value", r"(?<= )because ", r" is not in defined values for enum"),
)
_POSTGRES: tuple[Pattern, ...] = (
    # Failing row contains (1, Ann, null).
    pattern("failing row", rf"(\bFailing row contains )\(((?:(?!\bFailing row contains \(|{NEXT}).)*+)", _failing_row),
    # Key (email)=(ann@x.org) already exists.
    pattern(
        "key",
        r"(?i)(\bkey \((?:(?!\)=\()[^\n]){0,300}+\)=)"
        r"\(((?:(?!\) (?:already exists|conflicts|is not present|is still referenced|is duplicated)"
        rf"|{NEXT}).)*+)"
        r"(?:\)(?= (?:already exists|conflicts|is not present|is still referenced|is duplicated))())?",
        _key,
    ),
    # Partition key of the failing row contains (day) = (2024-01-02).
    _between(
        "partition key",
        r"\bPartition key of the failing row contains \((?:(?!\) = \()[^\n]){0,300}+\) = (?=\()",
        r"\)\.",
        sure=True,
    ),
    # INSERT INTO t ("id") VALUES (1, 'Ann'), also in pgjdbc's `Batch entry 0 … was aborted`
    pattern(
        "insert",
        rf"(?i)(\bINSERT INTO )((?:(?!\s{{1,20}}+was aborted|\bINSERT INTO |{NEXT}).)*+)(\s{{1,20}}+was aborted)?",
        _insert,
    ),
    # invalid input syntax for type integer: "12a"; invalid input value for enum mood: "x"; Spark: …: 12a
    _quoted("input syntax", r"\binvalid input (?:syntax|value) for (?:type|enum) [^:\n]{1,140}+: "),
    # date/time field value out of range: "2024-13-01"
    _quoted(
        "datetime range",
        r"\b(?:(?:date/time|interval) field value|time zone displacement|interval|timestamp|date|time) out of range: "
        r"(?=\")",
    ),
    # value "99999999999" is out of range for type integer
    _between("range", r"\bvalue (?=\")", r" is out of range"),
    # "1e999" is out of range for type double precision
    pattern("range of a float", r"\"[^\"\n]{1,400}+\"(?= is out of range for type )", f'"{MASK}"'),
    # time zone "Mars/Base" not recognized
    _between("time zone", r"\btime zone (?=\")", r" not recognized"),
    # malformed array literal: "{1,"
    _quoted("malformed literal", r"\bmalformed (?:array|record|range|multirange) literal: "),
    # invalid value "13" for "MM"
    _between("template", r"\binvalid value (?=\")", r" for \""),
    # COPY people, line 3, column age: "12a"
    _quoted("copy", r"\bCOPY [^\n,]{1,130}+, line \d{1,12}+(?:, column [^:\n]{1,130}+)?: (?=\")"),
    # Token "Ann" is invalid. / JSON data, line 1: {"a": Ann
    _between("json input token", r"\bToken (?=\")", r" is invalid"),
    _quoted("json input", r"\bJSON data, line \d{1,12}+: "),
    # Expected JSON value, but found "Ann".
    _between("json input found", r"\bbut found (?=\")", r"\.(?=\s|\Z)"),
    # duplicate JSON object key value: "Ann"
    _quoted("json key", r"\bduplicate JSON (?:object )?key(?: value)?: (?=\")"),
    # argument "12a" of jsonpath item method .integer() is invalid
    _between("jsonpath", r"\bargument (?=\")", r" of jsonpath item method"),
    # CONTEXT: unnamed portal with parameters: $1 = 'Ann', $2 = '4'
    pattern("parameters", r"(?i)(\bparameters: )\$1 = [^\n]*+", rf"\1{MASK}"),
    # invalid byte sequence for encoding "UTF8": 0xe9 0x20
    pattern(
        "bytes",
        r"(\bbyte sequence (?:for encoding \"[^\"\n]{1,40}+\": )?)0x[\da-fA-F]{2}(?: 0x[\da-fA-F]{2}){0,8}+",
        rf"\1{MASK}",
    ),
)
_PYTHON: tuple[Pattern, ...] = (
    # invalid literal for int() with base 10: '12a'; could not convert string to float: 'x'; Invalid isoformat string: …
    _between(
        "python value",
        r"\b(?:invalid literal for int\(\) with base \d\d?|could not convert string to float|Invalid isoformat string)"
        r": ",
        r"(?<=['\"])(?=\n|\Z)",
        sure=True,
    ),
    # time data 'x' does not match format '%Y'
    _between("python time", r"\btime data ", r" does not match format "),
    # Arrow: Could not convert 'x' with type str; Failed to parse string: 'x' as a scalar; Integer value 300 not in …
    _between("arrow conversion", r"\bCould not convert ", r" with type "),
    _between("arrow parse", r"\bFailed to parse string: ", r" as a scalar", sure=True),
    _between("arrow range", r"\b(?:Integer|Float|Decimal) value ", r" (?:not in range|was truncated|would cause)"),
)
ROW_VALUES: tuple[Pattern, ...] = (*_SPARK, *_POSTGRES, *_PYTHON)
"""All patterns in the order of their application; a later one sees the masks of earlier ones."""
