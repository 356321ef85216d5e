"""A few cases of each sweep, for the default run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.aws_world import EVENT, aws_world
from tests.faults.paths import PATHS, SWEPT, WOKEN_BY_EVENT
from tests.faults.struck_runs import course
from tests.faults.sweeps import FAULTS, OF_OTHERS, OPERATIONS, sweep_calls, sweep_errors, sweep_saver
from tests.faults.tally import Tally
from tests.faults.terminal_world import terminal_world

pytestmark = pytest.mark.postgres

SPOTS = {
    "killed before": ("dynamodb.TransactWriteItems", 20),
    "killed after": ("glue.StartJobRun", 1),
    "applied, the answer lost, sent again": ("dynamodb.UpdateItem", 1),
    "applied, every answer lost": ("glue.StartJobRun", 1),
    "refused": ("s3.GetObject", 9),
    "throttled": ("events.PutEvents", 1),
    "answered in half": ("s3.GetObject", 9),
}
"""Where each fault hurts: a checkpoint, a start, the end's record, the job's report, the end's news."""


def test_a_sample_in_the_deployed_function(
    tmp_path: Path, moto_endpoint: str, boto_session: Any, postgres_url: str, tally: Tally
) -> None:
    """Kills, lost answers and refusals; and a run asks of AWS what is swept, and nothing else."""
    with aws_world(tmp_path, moto_endpoint, postgres_url, boto_session) as world:
        world.begin(PATHS["right at once"])
        assert sorted(set(world.calls(EVENT, cold=True))) == sorted(OPERATIONS)
        way = course(world, "right at once")
        for fault in FAULTS:
            sweep_calls(way, [SPOTS[fault]], fault, tally)
        sweep_errors(way, "glue.StartJobRun", tally, 10)
        sweep_saver(world, "right at once", tally, 34)
        longer = replace(way, calls=[*way.calls, "s3.GetObject"])
        # A call that never comes proves nothing.
        assert longer.struck(FAULTS["refused"].at(*longer.spots()[-1])) == ["nothing was struck"]
        sweep_calls(course(world, WOKEN_BY_EVENT), [("events.PutEvents", 1)], "killed after", tally)
        swept = course(world, SWEPT)
        assert set(swept.calls) <= {*OPERATIONS, *OF_OTHERS}
        sweep_calls(swept, [("glue.DeleteJob", 1)], "answered in half", tally)
    tally.check()


def test_a_sample_at_the_terminal(tmp_path: Path, postgres_url: str, tally: Tally) -> None:
    """Kills at the checkpointer of a run that is repaired."""
    with terminal_world(tmp_path, postgres_url) as world:
        sweep_saver(world, "repaired", tally, 39)
