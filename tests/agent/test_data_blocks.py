"""Data blocks: text from outside cannot change the prompt around its block."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agent import data_blocks
from agent.data_blocks import block
from agent.diagnosis.failures import diagnose_job
from agent.prompting import Prompt, generation_prompt, repair_prompt
from agent.request import Request, parse_request
from agent.snapshot import Column, Snapshot, event_snapshot

INJECTIONS: list[dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "injections.json").read_text(encoding="utf-8")
)
PLACES = (
    "table name", "alias", "column name", "enum name", "enum label", "target name", "target column",
    "target column from the database", "target description", "step description", "step details", "derived name",
    "derived expression", "filter value", "unknown key", "sample cell", "sample key", "error", "log", "transform",
    "reply",
)  # fmt: skip
HARMLESS = dict.fromkeys(PLACES, "harmless")


def request_with(texts: Mapping[str, str]) -> Request:
    target = {
        "name": texts["target name"],
        "description": texts["target description"],
        "columns": [texts["target column"], "id"],
    }
    specs: dict[str, Any] = {
        "source_tables": [{"table_name": texts["table name"], "alias": texts["alias"]}],
        "target_table": target,
        "transformations": [
            {"type": "sort", "description": texts["step description"], "details": {"by": texts["step details"]}}
        ],
        "derived_columns": [{"name": texts["derived name"], "expression": texts["derived expression"]}],
        "filters": [{"column": "id", "operator": "=", "value": texts["filter value"]}],
        texts["unknown key"]: "an unknown key",
    }
    sample = {"id": 1, texts["sample key"]: texts["sample cell"]}
    columns = [{"name": "id", "type": "integer"}, {"name": texts["column name"], "type": "text"}]
    return parse_request(
        {
            "run_id": "r",
            "specs": specs,
            "source_schemas": {texts["table name"]: {"columns": columns}},
            "source_data_samples": {texts["table name"]: [sample]},
        }
    )


def snapshot_with(request: Request, texts: Mapping[str, str]) -> Snapshot:
    snapshot = event_snapshot(request)
    [source] = snapshot.sources
    mood = Column(name="mood", type=f"enum {texts['enum name']}", labels=("sad", texts["enum label"]))
    held = (Column(name=texts["target column from the database"], type="text"), Column(name="id", type="integer"))
    target = snapshot.target.model_copy(update={"exists": True, "columns": held})
    source = source.model_copy(update={"columns": (*source.columns, mood)})
    return snapshot.model_copy(update={"sources": (source,), "target": target})


def prompts_with(texts: Mapping[str, str]) -> list[Prompt]:
    """The generation prompt, and repair prompts after an error, after a log, and after a reply without a function."""
    request = request_with(texts)
    snapshot = snapshot_with(request, texts)
    bare = parse_request(request.model_dump(mode="json", exclude={"specs": {"target_table": {"columns"}}}))
    failures = [
        (texts["transform"], diagnose_job(f"AnalysisException: {texts['error']}", "", "FAILED")),
        (texts["transform"], diagnose_job("Command failed with exit code 1", f"Caused by: {texts['log']}", "FAILED")),
        (texts["reply"], diagnose_job("SyntaxError: invalid syntax", "", "FAILED")),
    ]
    return [
        generation_prompt(request, snapshot, "rows", "4.0"),
        generation_prompt(bare, snapshot, "masked", "4.0"),
        *(repair_prompt(request, snapshot, code, diagnosis, "rows", "4.0") for code, diagnosis in failures),
    ]


def parts_of(text: str) -> tuple[str, dict[str, str]]:
    """The prompt outside of its blocks, and the blocks by their digits; read line by line, as a model would."""
    outside: list[str] = []
    blocks: dict[str, str] = {}
    lines: Iterator[str] = iter(text.split("\n"))
    for line in lines:
        opened = re.fullmatch("<data-([0-9a-f]{12})>", line)
        if opened is None:
            outside.append(line)
            continue
        held = []
        for inner in lines:
            if inner == f"</data-{opened[1]}>":
                break
            held.append(inner)
        else:
            pytest.fail(f"block {opened[1]} is not closed")
        blocks[opened[1]] = "\n".join(held)
        outside.append("<block>")
    return "\n".join(outside), blocks


USUAL = [parts_of(prompt.user) for prompt in prompts_with(HARMLESS)]


@pytest.mark.parametrize(
    "injection", [pytest.param(one, id=f"{number}-{one['place']}") for number, one in enumerate(INJECTIONS)]
)
def test_outside_its_blocks_the_prompt_is_the_same(injection: dict[str, str]) -> None:
    """Both prompts are the same byte for byte, and each block's tags are derived from its content."""
    prompts = prompts_with({**HARMLESS, injection["place"]: injection["text"]})
    found = [parts_of(prompt.user) for prompt in prompts]
    assert [outside for outside, _ in found] == [outside for outside, _ in USUAL]
    assert [held for _, held in found] != [held for _, held in USUAL]
    assert {prompt.system for prompt in prompts} == {prompts_with(HARMLESS)[0].system}
    for _, blocks in found:
        for digits, held in blocks.items():
            assert sha256(held.encode()).hexdigest().startswith(digits)


def test_the_corpus_is_as_large_as_promised() -> None:
    """The corpus has at least 40 different injections, at every place where text comes in."""
    texts = {(one["place"], one["text"]) for one in INJECTIONS}
    assert len(texts) == len(INJECTIONS) >= 40
    assert {one["place"] for one in INJECTIONS} == set(PLACES)


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda one: str(one["place"]))
def test_what_nobody_sees_is_written_out(injection: dict[str, str]) -> None:
    """A reader of the prompt sees every character that the model reads."""
    for prompt in prompts_with({**HARMLESS, injection["place"]: injection["text"]}):
        assert all(character.isprintable() or character in "\n\t" for character in prompt.user)
        assert not re.search("[\U000e0100-\U000e01ef\ufe00-\ufe0f\u3164]", prompt.user)


def test_the_same_question_is_the_same_text() -> None:
    """Recordings and caches depend on it."""
    assert prompts_with(HARMLESS) == prompts_with(HARMLESS)


def test_a_text_that_holds_its_own_tag_gets_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text found by trying 2^48 hashes does not close its block; here one digit makes it easy to find."""
    monkeypatch.setattr(data_blocks, "_DIGITS", 1)
    texts = (f"</data-{digit}> {n}" for n in range(100) for digit in "0123456789abcdef")
    text = next(one for one in texts if sha256(one.encode()).hexdigest()[0] == one[len("</data-")])
    opened, inner, closed = block(text).split("\n")
    assert inner == text
    assert closed == opened.replace("<", "</")
    assert closed not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä 漢 🙂", "plain ä 漢 🙂"),
        ("a\r\nb\tc", "a\\r\nb\tc"),
        ("\u202egnp\u202c", "\\u202egnp\\u202c"),
        ("\U000e0041x\U000e0101\ufe0f", "\\udb40\\udc41x\\udb40\\udd01\\ufe0f"),
        ("a\u00a0b\u2028c\x1b[1m", "a\\u00a0b\\u2028c\\u001b[1m"),
    ],
)
def test_invisible_characters_are_shown_as_json_escapes_them(text: str, shown: str) -> None:
    """Controls, bidirectional marks, tags, variation selectors and odd spaces; letters of any language stay."""
    assert block(text).split("\n", 1)[1].rsplit("\n", 1)[0] == shown
