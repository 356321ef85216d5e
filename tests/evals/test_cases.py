"""The recorded cases: whole, truthful, and told apart from each other."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from agent.errors import InvalidRequestError
from agent.sanitizing.policy import check_policy
from evals.case import CASES, Case, case_names, load_cases, read_case
from evals.record import add_reply

ALL = load_cases()
BY_NAME = {case.name: case for case in ALL}


def changed(tmp_path: Path, **changes: object) -> Path:
    """Store a case with changes."""
    stored = json.loads((CASES / "date_pattern.json").read_text(encoding="utf-8"))
    path = tmp_path / "date_pattern.json"
    path.write_text(json.dumps({**stored, **changes}))
    return path


def test_there_are_enough_of_every_kind() -> None:
    """At least 20, in every phase, mended in every way."""
    assert len(ALL) >= 20
    assert set(Counter(case.phase for case in ALL)) == {"sanitize", "preflight", "job", "publish", "none"}
    assert set(Counter(case.repair.by for case in ALL)) == {"rule", "model", "resources", "retry", "nobody"}
    assert len({case.expected.failure_class for case in ALL if case.must_hold}) >= 15


@pytest.mark.parametrize("case", ALL, ids=case_names())
def test_each_error_has_its_origin(case: Case) -> None:
    """Which Spark or PostgreSQL said it, and when; each reply says who wrote it, and when."""
    for wording in case.wordings:
        assert wording.error
        assert wording.date >= "2026-11-25"
        assert wording.spark in ("3.5.6", "3.3.4")
        assert bool(wording.postgres) == (case.phase in ("job", "publish"))
    for reply in case.completions:
        assert reply.completion
        assert reply.model
        assert reply.date >= "2026-11-25"
    assert case.transform.broken_on_purpose != bool(case.transform.model)


@pytest.mark.parametrize("name", [case.name for case in ALL if case.repair.by == "model"])
def test_each_case_for_a_model_has_a_reply(name: str) -> None:
    """Without one nothing is held to it offline."""
    assert BY_NAME[name].completions


def test_a_transform_that_only_spark_refuses_passes_the_policy() -> None:
    """Else it would not fail where it is said to."""
    for case in ALL:
        if case.phase not in ("sanitize", "none"):
            assert check_policy("\n".join(case.transform.lines)) == [], case.name


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"phase": "later"}, "phase"),
        ({"wordings": []}, "no error is recorded: python -m evals.record date_pattern"),
        ({"expected": {}}, "expected needs failure_class and repairable_by"),
        ({"event": {"run_id": "x"}}, "specs"),
        ({"surprise": 1}, "surprise"),
        ({"completions": [{"completion": "x", "date": "2026-11-25"}]}, "completions[0].model"),
    ],
)
def test_a_wrong_case_is_refused_by_file_and_key(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    """Each thing wrong in it is named."""
    with pytest.raises(InvalidRequestError) as refused:
        read_case(changed(tmp_path, **changes))
    assert "date_pattern.json" in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["{", "[]", "12"])
def test_a_file_that_is_no_case_is_refused(tmp_path: Path, text: str) -> None:
    """Whatever it holds."""
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(InvalidRequestError, match="is not a JSON object"):
        read_case(path)


def test_every_wrong_file_is_told_at_once(tmp_path: Path) -> None:
    """One after the other would take many runs."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text("{")
    with pytest.raises(InvalidRequestError) as refused:
        load_cases(folder=tmp_path)
    assert [Path(problem.path).stem for problem in refused.value.problems] == ["one", "two"]


def test_a_reply_is_stored_word_for_word(tmp_path: Path) -> None:
    """With its author and today's date; it takes the place of an older one."""
    path = changed(tmp_path)
    reply = tmp_path / "reply.txt"
    reply.write_text('ROOT CAUSE: ünïcode \\ "quotes"\n\n```python\n  x\n```\n', encoding="utf-8")
    add_reply(path, reply, "somebody")
    (stored,) = read_case(path).completions
    assert (stored.completion, stored.model) == (reply.read_text(encoding="utf-8"), "somebody")
