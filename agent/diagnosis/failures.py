"""Diagnosis of a failure by rules, without a model: class, cause, line, hint and whether code can repair it."""

from __future__ import annotations

from typing import cast, get_args

from agent.diagnosis.error_text import causes_in_log, core_message, is_uninformative, normalised, parse_error
from agent.diagnosis.failure_rules import CODE_RULES
from agent.diagnosis.outside_rules import CONSTRAINT_RULES, OUTSIDE_RULES
from agent.diagnosis.rule import Match, first_match
from agent.findings import Diagnosis, FailureClass, Finding, RepairableBy, Verdict
from agent.redaction import clip, redact

_RULES = (*OUTSIDE_RULES, *CONSTRAINT_RULES, *CODE_RULES)
_PUBLISH_RULES = (*CONSTRAINT_RULES, *CODE_RULES)

_CLASSES_OF_RULES: dict[str, FailureClass] = {
    "name": "python_name",
    "reply_empty": "reply_format",
    "no_transform": "reply_format",
    "signature": "reply_format",
}
_REPAIRABLE_FINDINGS: dict[FailureClass, RepairableBy] = {
    **{rule.failure_class: rule.repairable_by for rule in OUTSIDE_RULES},
    "missing_table": "code",
    "out_of_memory": "code",
    "timeout": "nobody",
    "stopped": "nobody",
    "staging_not_plain": "nobody",
    "target_changed": "nobody",
    "run_id_taken": "nobody",
    "row_count": "retry",
}
"""`repairable_by` of a failed check by class; code for others. On sample rows memory is the transform's fault."""
_MAX_TEXT = 40_000
_CODE_PHASES = {"transform", "cast"}
_FAILS_LATE: set[FailureClass] = {
    "value_does_not_fit", "datetime_parse", "target_type_mismatch", "output_columns", "not_null_violation",
    "value_too_long", "numeric_overflow", "syntax_error",
}  # fmt: skip
"""Classes that the transform causes although the write fails: Spark evaluates lazily."""

_STATES: dict[str, tuple[FailureClass, RepairableBy, str, str]] = {
    "TIMEOUT": ("timeout", "nobody", "the run exceeded its time limit", "raise timeout_minutes, or read fewer rows"),
    "STOPPED": ("stopped", "nobody", "the run was stopped", "start it again with options.restart"),
    "EXPIRED": ("capacity", "retry", "the run waited too long for a place", "wait, or raise the quota"),
}
_PUBLISH: dict[str, tuple[FailureClass, RepairableBy, str]] = {
    "transient": ("network", "retry", "the database could not be reached, was locked or had no disk space"),
    "row_count": ("row_count", "retry", "staging does not have the number of rows that the job reported"),
    "empty_result": ("empty_result", "nobody", "the result has no rows, and the target would be emptied"),
    "staging_not_plain": (
        "staging_not_plain",
        "nobody",
        "the job left something else in staging than a plain table of its own role, and nothing of it was read",
    ),
    "target_changed": ("target_changed", "nobody", "the target is not as it was when the run began"),
    "run_id_taken": ("run_id_taken", "nobody", "another installation published under this run_id"),
    "columns": ("output_columns", "code", "staging does not have the columns that were promised"),
}
_PUBLISH_HINTS = {
    "empty_result": "set options.allow_empty if an empty target is right; otherwise check filters and joins",
    "staging_not_plain": "read the script before it runs again: only the template around `transform` writes to staging",
    "target_changed": "run again with options.restart",
    "run_id_taken": "choose another run_id; nothing of this run was published",
}


def diagnose_findings(verdict: Verdict) -> Diagnosis:
    """The diagnosis of a failed check: its first finding gives the class, all findings are evidence."""
    findings = verdict["findings"]
    if not findings:
        raise ValueError("a verdict without findings has nothing to diagnose")
    first = findings[0]
    failure_class = _class_of_finding(first["rule"])
    lines = [_evidence_line(finding) for finding in findings]
    hints = dict.fromkeys(finding["hint"] for finding in findings if finding["hint"])
    signatures = sorted({_signature_of_finding(finding) for finding in findings})
    return Diagnosis(
        failure_class=failure_class,
        root_cause=clip(redact(first["message"]), 1000),
        line=first["line"],
        hint=clip(redact("; ".join(hints)), 1000),
        repairable_by=_REPAIRABLE_FINDINGS.get(failure_class, "code"),
        evidence=clip(redact("\n".join(lines))),
        signature=clip("; ".join(signatures), 1000),
        phase=verdict["check"],
    )


def _class_of_finding(rule: str) -> FailureClass:
    if rule in get_args(FailureClass):
        return cast(FailureClass, rule)
    return _CLASSES_OF_RULES.get(rule, "policy")


def _signature_of_finding(finding: Finding) -> str:
    message = redact(finding["message"])
    return _signature(_class_of_finding(finding["rule"]), message, first_match(_RULES, message))


def _evidence_line(finding: Finding) -> str:
    place = f"line {finding['line']}: " if finding["line"] else ""
    return f"{place}{finding['rule']}: {finding['message']}"


def diagnose_job(error: str, log: str, state: str) -> Diagnosis:
    """The diagnosis of an engine's failure, from the job run's error, its log's tail and its state.

    `line` is within the script. An uninformative error is replaced by a cause from the log.
    """
    error, log = clip(redact(error), _MAX_TEXT), clip(redact(log), _MAX_TEXT)
    parts = parse_error(error, log)
    phase = parts.phase or "engine"
    if state in _STATES:
        failure_class, by, cause, hint = _STATES[state]
        return _diagnosis(failure_class, cause, hint, by, parts.message or state, phase)
    match, words = _find_rule(parts.message, log)
    if match is None:
        by = "code" if phase in _CODE_PHASES else "nobody"
        diagnosis = _diagnosis("unknown", words or "the engine gave no reason", "", by, words, phase)
    else:
        diagnosis = _diagnosis_by_rule(match, _repairable_by(match, phase), words, phase)
    return {**diagnosis, "line": parts.line}


def _find_rule(message: str, log: str) -> tuple[Match | None, str]:
    """The first rule that matches, with the words it matched: the error first or, if it is uninformative, the log."""
    own = core_message(message)
    weak = is_uninformative(own)
    candidates = [*([] if weak else [own, message]), *causes_in_log(log), *([own, message] if weak else [])]
    for words in candidates:
        match = first_match(_RULES, words)
        if match is not None:
            return match, words
    return None, next((words for words in candidates if words), "")


def _repairable_by(match: Match, phase: str) -> RepairableBy:
    """The rule's `repairable_by`, but no code repair for a phase that the transform hardly influences."""
    by, failure_class = match.rule.repairable_by, match.rule.failure_class
    if by != "code" or phase in _CODE_PHASES or phase == "engine":
        return by
    return "code" if phase == "write" and failure_class in _FAILS_LATE else "nobody"


def diagnose_publish(kind: str, message: str) -> Diagnosis:
    """The diagnosis of a publish that was refused; `kind` is that of PublishError."""
    message = clip(redact(message), _MAX_TEXT)
    if kind in _PUBLISH:
        failure_class, by, cause = _PUBLISH[kind]
        return _diagnosis(failure_class, cause, _PUBLISH_HINTS.get(kind, ""), by, message, "publish")
    match = first_match(_PUBLISH_RULES, message)
    if match is None:
        return _diagnosis("unknown", message, "", "code", message, "publish")
    return _diagnosis_by_rule(match, "code", message, "publish")


def finding_from_error(error: str, line: int | None) -> Finding:
    """A dry run's error as a finding: the rule is the failure class, the message Spark's own words."""
    parts = parse_error(clip(redact(error), _MAX_TEXT))
    words = core_message(parts.message) or parts.message
    match = first_match(_RULES, words) or first_match(_RULES, parts.message)
    message = clip(words, 1000)
    if match is None:
        return Finding(rule="unknown", message=message, line=line, hint="")
    return Finding(rule=_failure_class(match), message=message, line=line, hint=_hint(match))


def _failure_class(match: Match) -> FailureClass:
    """The rule's class; `lost_alias` for an unknown `alias.column` whose bare name is among Spark's suggestions."""
    qualifier, _, bare = match.name.rpartition(".")
    if match.rule.failure_class == "unknown_column" and qualifier and bare in match.names:
        return "lost_alias"
    return match.rule.failure_class


def _hint(match: Match) -> str:
    if _failure_class(match) == "lost_alias":
        bare = match.name.rpartition(".")[2]
        return f"after a grouping or a select that renames, the alias is gone: write F.col('{bare}')"
    return match.fill(match.rule.hint)


def _diagnosis_by_rule(match: Match, by: RepairableBy, words: str, phase: str) -> Diagnosis:
    diagnosis = _diagnosis(_failure_class(match), match.fill(match.rule.cause), _hint(match), by, words, phase)
    return {**diagnosis, "signature": _signature(_failure_class(match), words, match)}


def _diagnosis(
    failure_class: FailureClass, cause: str, hint: str, by: RepairableBy, words: str, phase: str
) -> Diagnosis:
    return Diagnosis(
        failure_class=failure_class,
        root_cause=clip(cause, 1000),
        line=None,
        hint=clip(hint, 1000),
        repairable_by=by,
        evidence=clip(words),
        signature=_signature(failure_class, words, None),
        phase=phase,
    )


def _signature(failure_class: FailureClass, words: str, match: Match | None) -> str:
    """The failure signature: class and subject, alike in every Spark version; else class and normalised message."""
    if match is not None and match.name and failure_class != "datetime_parse":
        return f"{failure_class}: {match.name.lower()}"
    return f"{failure_class}: {normalised(words)}"
