"""Names made from the keys of a launch."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agent.names import LaunchKey, RunKey, job_name, run_of_job, staging_prefix, staging_table, temp_prefix, thread_id

AT = "2026-01-01T00:00:00.000+00:00"
LATER = AT.replace("000+", "001+")
SHA = "ab" * 32
KEY = LaunchKey("r", 1, 1, 1)


def test_names_are_the_same_the_second_time() -> None:
    """A second attempt finds the job and the table of the first one."""
    names = [job_name(KEY, SHA, AT) for _ in range(2)]
    assert names == ["datamorph-job-r-g1-a1-l1-3fc2e1f5"] * 2
    assert staging_prefix(KEY, AT) == staging_prefix(KEY, AT)
    assert temp_prefix("datamorph-job-r-g1-a1-l1-3fc2e1f5") == "glue/temp/263937f5a289/"
    assert thread_id(RunKey("r", 2)) == "r:g2"


def test_every_key_tells_launches_apart() -> None:
    """The moment of acceptance does so too, for two installations on one database or in one account."""
    others = [replace(KEY, run_id="s"), replace(KEY, generation=2), replace(KEY, attempt=2), replace(KEY, launch=2)]
    prefixes = {*(staging_prefix(key, AT) for key in (KEY, *others)), staging_prefix(KEY, LATER)}
    names = {job_name(key, SHA, AT) for key in (KEY, *others)}
    names |= {job_name(KEY, "cd" * 32, AT), job_name(KEY, SHA, LATER)}
    assert (len(prefixes), len(names)) == (6, 7)
    assert len({temp_prefix(name) for name in names}) == 7


def test_names_fit_glue_and_postgresql() -> None:
    """A job's name has at most 255 characters and a table's 63 bytes, whatever the run_id."""
    key = LaunchKey("r" * 100, 99, 2, 3)
    assert len(job_name(key, SHA, AT)) < 255
    table = staging_table(staging_prefix(key, AT), "jr_" + "a" * 64)
    assert re.fullmatch(r"s_20260101_[0-9a-f]{12}_[0-9a-f]{12}", table)


@pytest.mark.parametrize("run_id", ["r", "20250113_123456_abc123", "a-g1-a1-l1-01234567", "r" * 100])
def test_a_jobs_name_tells_whose_it_is(run_id: str) -> None:
    """It gives run and generation, whatever the run_id holds."""
    name = job_name(LaunchKey(run_id, 12, 1, 1), SHA, AT)
    assert run_of_job(name) == RunKey(run_id, 12)


@pytest.mark.parametrize("run_id", ["", "r" * 101, "\ud800", "a b", "../r", "-r", "größe"])
def test_a_name_that_is_no_runs_tells_nothing(run_id: str) -> None:
    """A name with an impossible run_id, and one with an endless generation, belong to no run."""
    for name in (job_name(LaunchKey(run_id, 1, 1, 1), SHA, AT), f"datamorph-job-r-g{'9' * 5000}-a1-l1-01234567"):
        assert run_of_job(name) is None
