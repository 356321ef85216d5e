"""Events from files: every usual encoding, JSON and YAML, and what is told of a file that cannot be read."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InvalidRequestError, UnavailableError
from cli.event_files import read_event

EVENT = {"run_id": "r1", "specs": {"source_tables": ["orders"], "target_table": {"name": "größe"}}}
TEXT = json.dumps(EVENT, ensure_ascii=False)


def told(path: Path) -> str:
    with pytest.raises(InvalidRequestError) as raised:
        read_event(str(path))
    [problem] = raised.value.problems
    assert problem.path == str(path)
    return problem.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_taken(tmp_path: Path, encoding: str) -> None:
    """As editors of Windows and PowerShell write it; Python's utf-16 begins with a mark."""
    path = tmp_path / "event.json"
    path.write_bytes(TEXT.encode(encoding))
    assert read_event(str(path)) == EVENT


def test_a_big_endian_mark_is_taken(tmp_path: Path) -> None:
    """Of UTF-16."""
    path = tmp_path / "event.json"
    path.write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert read_event(str(path)) == EVENT


YAML = """\
# a comment
source_tables:
  - {table_name: orders, alias: o}
filters:
  - {column: placed, operator: '>=', value: 2024-01-31}
  - {column: seen, operator: <, value: 2024-01-31 10:00:00}
  - column: code
    operator: =
    value: 012
  - {column: start, operator: =, value: 12:30}
  - {column: agreed, operator: =, value: yes}
  - {column: amount, operator: BETWEEN, value: [1, 2.50]}
  - {column: big, operator: "=", value: 1_000}
  - {column: paid, operator: =, value: true}
  - {column: note, operator: IS NULL, value: }
  - {column: text, operator: =, value: "5"}
on: [~, null, 0x1F, .5, +3, 1e3, No]
target_table:
  name: t
  description: >
    two
    lines
"""


def test_yaml_has_the_values_that_json_would_have(tmp_path: Path) -> None:
    """Dates, codes with zeros and times of day stay texts; only JSON's numbers are numbers."""
    path = tmp_path / "event.yml"
    path.write_text(YAML)
    event = read_event(str(path))
    values = [one.get("value") for one in event["filters"]]
    assert values == [
        "2024-01-31", "2024-01-31 10:00:00", "012", "12:30", "yes", [1, 2.5], "1_000", True, None, "5",
    ]  # fmt: skip
    assert event["on"] == [None, None, "0x1F", ".5", "+3", 1000.0, "No"]
    assert event["target_table"]["description"] == "two lines\n"
    assert event["filters"][2]["operator"] == "="
    assert event["run_id"]


def test_yaml_may_repeat_by_alias(tmp_path: Path) -> None:
    """As editors of YAML know it."""
    path = tmp_path / "event.yaml"
    path.write_text("a: &columns [x, y]\nb: *columns\n")
    assert read_event(str(path))["b"] == ["x", "y"]


BAD_YAML = [
    ("a: 1\nb: 2\na: 3\n", "the key `a` a second time at line 3, column 1; keep one of them"),
    ("a: b: c\n", "mapping values are not allowed here at line 1, column 5; put a text that holds `: ` in quotes"),
    ("a:\n\t- 1\n", "at line 2, column 1; indent with blanks"),
    ("column: *\n", "put a text that begins with * in quotes"),
    ("value: %abc\n", "at line 1, column 8; put the text in quotes"),
    ("a: !!python/object:os.system 1\n", "the tag 'tag:yaml.org,2002:python/object:os.system' at line 1, column 4"),
    ("a: 1\n---\nb: 2\n", "a file holds one event"),
    ("a: [1, 2\n", "at line 2, column 1"),
    ("? [a]\n: 1\n", "a key that is no text at line 1, column 3"),
    ("a: \x07\n", "remove the character"),
    ("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ), "its aliases stand for more than 1,000,000 values"),
    ("[" * 5000, "nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD_YAML, ids=[words[:40] for _, words in BAD_YAML])
def test_bad_yaml_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    """And with the right form."""
    path = tmp_path / "event.yaml"
    path.write_text(text)
    message = told(path)
    assert message.startswith("is not YAML: ")
    assert words in message


BAD_JSON = [
    ('{"a": 1,}', "column 9; remove the comma before it"),
    ('{"a": [1, 2,]}', "remove the comma before it"),
    ("{'a': 1}", "at line 1, column 2; write texts and names in double quotes"),
    ('{"a": True}', "at line 1, column 7; write true"),
    ('{"a": None}', "write null"),
    ('{\n  // a comment\n  "a": 1}', "at line 2, column 3; JSON has no comments"),
    ('{"a": {"b": 1}', "the text ends before the last { or [ is closed"),
    ("{“a”: 1}", "write straight quotes"),
    ('{"filters": [1], "filters": [2]}', "has the key `filters` twice in the object of `filters`; keep one"),
    ("source_tables: [a]", "is not JSON"),
    ("", "is empty; an event is needed"),
    ("[" * 100_000, "is nested too deeply"),
]


@pytest.mark.parametrize(("text", "words"), BAD_JSON, ids=[words[:40] for _, words in BAD_JSON])
def test_bad_json_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    """And with the right form."""
    path = tmp_path / "event.json"
    path.write_text(text, encoding="utf-8")
    message = told(path)
    if "column 9" in words and sys.version_info >= (3, 13):
        words = words.replace("column 9", "column 8")
    assert words in message


@pytest.mark.parametrize("text", [TEXT, "source_tables: [orders]\nrun_id: r1\n"], ids=["json", "yaml"])
def test_standard_input_takes_both(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """JSON begins with a bracket."""

    class Stdin:
        buffer = io.BytesIO(text.encode())

    monkeypatch.setattr(sys, "stdin", Stdin())
    event: dict[str, Any] = read_event("-")
    assert event["run_id"] == "r1"


def test_yaml_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON needs none."""
    path = tmp_path / "event.yaml"
    path.write_text("a: 1")
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "cli.yaml_text", raising=False)
    with pytest.raises(UnavailableError, match="a YAML file needs yaml: pip install"):
        read_event(str(path))
