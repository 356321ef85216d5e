"""Scores of a case: its trial compared with the recorded expectations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from agent.findings import Diagnosis
from evals.case import Case, Wording
from evals.target import Trial
from tools.records import DryRunResult

ScoreValue = Literal["holds", "fails", "not run"]

_SHOWN = 3
"""Limit of rows in an explanation."""


@dataclass(frozen=True)
class Score:
    """The outcome of one check of a case."""

    check: str
    value: ScoreValue
    explanation: str
    """The found value; with a difference, the expected value too."""


def scores_of(case: Case, trial: Trial) -> list[Score]:
    """All checks of a case, in the order of the workflow."""
    if case.phase == "none":
        return [_noticed(case, trial), _rows_of_accepted(case, trial)]
    return [*_diagnosis(case, trial), *_repair(case, trial)]


def _score(check: str, holds: bool, explanation: str) -> Score:
    return Score(check, "holds" if holds else "fails", explanation)


def _diagnosis(case: Case, trial: Trial) -> Iterator[Score]:
    """Scores of class, repairable_by, line and words; each covers all wordings, and one wrong wording fails it."""
    wanted = case.expected
    told = list(zip(_sources(case, trial), trial.diagnoses, strict=True))
    yield _same("class", told, "failure_class", wanted.failure_class)
    yield _same("repairable", told, "repairable_by", wanted.repairable_by)
    yield _same("line", told, "line", wanted.line)
    for sayer, diagnosis in told:
        text = f"{diagnosis['root_cause']} {diagnosis['hint']}".replace("`", "")
        if lacking := [word for word in wanted.names if word not in text]:
            yield Score("words", "fails", f"{sayer}: cause and hint do not name {', '.join(lacking)}: {text}")
            return
    yield Score("words", "holds", trial.diagnoses[0]["root_cause"])


def _sources(case: Case, trial: Trial) -> list[str]:
    """Names of the sources of the diagnosed errors: sanitize, and the engines with recorded wordings."""
    recorded = [_version(wording) for wording in case.wordings]
    return ["sanitize", *recorded] if len(trial.diagnoses) > len(recorded) else recorded


def _version(wording: Wording) -> str:
    return f"PostgreSQL {wording.postgres}" if wording.kind else f"Spark {wording.spark}"


def _same(check: str, told: list[tuple[str, Diagnosis]], key: str, wanted: object) -> Score:
    for sayer, diagnosis in told:
        found = dict(diagnosis)[key]
        if found != wanted:
            cause = diagnosis["root_cause"]
            return Score(check, "fails", f"{sayer}: {found} where {wanted} is right ({cause})")
    return Score(check, "holds", str(wanted))


def _repair(case: Case, trial: Trial) -> Iterator[Score]:
    """Scores of the repair: its means, and whether the result keeps the clauses, runs, and gives the right rows."""
    yield _score("way", trial.way == case.repair.by, _way(case, trial))
    if case.repair.by not in ("rule", "model"):
        return
    if not trial.asked:
        told = "no reply is recorded for this case"
        yield from (Score(check, "not run", told) for check in ("clean", "runs", "rows"))
        return
    findings = trial.verdict["findings"] if trial.verdict else []
    told = "; ".join(f"{one['rule']}: {one['message']}" for one in findings)
    clean = trial.verdict is not None and trial.verdict["passed"]
    yield _score("clean", clean, told or ("policy and clauses are kept" if clean else "nothing was repaired"))
    result = trial.result
    if result is None:
        yield from (Score(check, "fails", "the repaired function was not run") for check in ("runs", "rows"))
        return
    yield _score("runs", not result.error, result.error.split("\n")[0] or f"{result.rows} rows")
    yield _score("rows", *compared(case, result))


def _way(case: Case, trial: Trial) -> str:
    return trial.way if trial.way == case.repair.by else f"{trial.way} where {case.repair.by} is right"


def _noticed(case: Case, trial: Trial) -> Score:
    found = "; ".join(f"{one['failure_class']}: {one['root_cause']}" for one in trial.diagnoses)
    if case.expected.noticed:
        return _score("noticed", bool(found), found or "sanitize and preflight find nothing wrong")
    return _score("noticed", not found, found or "nothing to notice")


def _rows_of_accepted(case: Case, trial: Trial) -> Score:
    """The score of an accepted transform's rows: right, or wrong if a check should have noticed it."""
    if trial.result is None or trial.result.error:
        return Score("rows", "fails", trial.result.error if trial.result else "sanitize refused it")
    right, told = compared(case, trial.result)
    if case.expected.noticed:
        return _score("rows", not right, "right: nothing to notice" if right else f"wrong, as it should be: {told}")
    return _score("rows", right, told)


def compared(case: Case, result: DryRunResult) -> tuple[bool, str]:
    """True when a result has the case's columns and exactly its rows; and the difference in words."""
    if result.error:
        return False, "it did not run"
    names = tuple(name for name, _ in result.columns)
    if names != case.repair.columns:
        return False, f"columns {', '.join(names)} where {', '.join(case.repair.columns)} are right"
    found = [json.dumps([row[name] for name in names]) for row in result.sample]
    wanted = [json.dumps(list(row)) for row in case.repair.rows]
    same = found == wanted if case.repair.ordered else Counter(found) == Counter(wanted)
    if same and result.rows == len(wanted):
        return True, f"exactly the {len(wanted)} rows that PostgreSQL computes"
    extra, lacking = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
    parts = [_listed("lacking", lacking), _listed("wrong", extra)]
    return False, "; ".join(filter(None, parts)) or f"{result.rows} rows in another order or number"


def _listed(word: str, rows: Counter[str]) -> str:
    shown = list(rows.elements())[:_SHOWN]
    more = f" and {rows.total() - len(shown)} more" if rows.total() > len(shown) else ""
    return f"{word} {', '.join(shown)}{more}" if shown else ""
