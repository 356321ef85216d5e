"""The examination of a request: the beginning of a run, without the run."""

from __future__ import annotations

from typing import Any

import pytest

from agent.request import parse_request
from agent.settings import load_settings
from agent.snapshot import event_snapshot
from runs.examination import Examination, examine_request
from tools.fakes import FakeDryRun
from tools.records import DryRunResult

SPECS: dict[str, Any] = {
    "source_tables": ["orders"],
    "target_table": {"name": "t"},
    "filters": [{"column": "amount", "operator": ">", "value": 2}],
}


def examined(dry_run: FakeDryRun | None = None, *, model: str = "compiler", **changes: Any) -> Examination:
    columns = [{"name": "id", "type": "integer"}, {"name": "amount", "type": "numeric(10,2)"}]
    event = {
        "run_id": "r1", "specs": {**SPECS, **changes.pop("specs", {})},
        "source_schemas": {"orders": {"columns": columns}},
    }  # fmt: skip
    request = parse_request(event)
    settings = load_settings({"model": model}, {})
    return examine_request(request, event_snapshot(request), settings, dry_run, **changes)


def test_a_good_request_is_compiled_and_tried() -> None:
    """The dry run is the one that runs use."""
    dry_run = FakeDryRun(DryRunResult(columns=(("id", "int"),), rows=3))
    found = examined(dry_run)
    assert (found.problems, found.findings, found.preflight) == ((), (), "ok")
    assert found.words["filters"] == ["keep rows where orders.amount > 2"]
    assert found.transform.startswith("def transform(")
    assert found.tried.columns == (("id", "int"),)
    assert len(dry_run.scripts) == 1


def test_without_spark_the_dry_run_is_skipped() -> None:
    """With a word."""
    found = examined()
    assert found.preflight == "skipped"
    assert found.warnings == ("preflight skipped: Spark is not installed here",)


def test_a_dry_run_that_is_not_wanted_is_left_out() -> None:
    """The transform is there all the same."""
    found = examined(with_dry_run=False)
    assert (found.preflight, bool(found.transform)) == (None, True)


def test_a_failing_dry_run_is_a_finding() -> None:
    """As a run would have it."""
    found = examined(FakeDryRun(DryRunResult(error="AnalysisException: no column `x`", phase="transform")))
    assert found.preflight == "failed"
    assert "no column" in found.findings[0]["message"]


@pytest.mark.parametrize("model", ["compiler", "bedrock"])
def test_a_name_that_does_not_exist_is_a_problem_for_every_model(model: str) -> None:
    """Nothing is compiled or tried then."""
    found = examined(model=model, specs={"filters": [{"column": "amnt", "operator": ">", "value": 2}]})
    assert [problem.path for problem in found.problems] == ["specs.filters[0].column"]
    assert (found.transform, found.words) == ("", {})


def test_a_model_is_not_asked() -> None:
    """Its transform would cost; the reading is told."""
    found = examined(FakeDryRun(), model="bedrock")
    assert (found.transform, found.preflight) == ("", None)
    assert found.words["sources"] == ["orders"]
