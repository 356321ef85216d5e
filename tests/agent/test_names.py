"""Names made from the keys of a launch."""

from __future__ import annotations

import re

import pytest

from agent.names import (
    generation_of_job,
    job_name,
    job_name_before,
    run_id_of_job,
    staging_prefix,
    staging_table,
    temp_prefix,
    thread_id,
)

AT = "2026-01-01T00:00:00.000+00:00"
LATER = AT.replace("000+", "001+")
SHA = "ab" * 32


def test_names_are_the_same_the_second_time() -> None:
    """So that a second try finds what the first one made."""
    assert job_name("r", 1, 1, 1, SHA, AT) == job_name("r", 1, 1, 1, SHA, AT) == "datamorph-job-r-g1-a1-l1-3fc2e1f5"
    assert job_name_before("r", 1, 1, 1, SHA) == "datamorph-job-r-g1-a1-l1-abababab"
    assert staging_prefix("r", 1, 1, 1, AT) == staging_prefix("r", 1, 1, 1, AT)
    assert temp_prefix("datamorph-job-r-g1-a1-l1-3fc2e1f5") == "glue/temp/263937f5a289/"
    assert thread_id("r", 2) == "r:g2"


def test_every_key_tells_launches_apart() -> None:
    """And so does the moment of acceptance, for two installations on one database or in one account."""
    prefixes = {
        staging_prefix("r", 1, 1, 1, AT),
        staging_prefix("s", 1, 1, 1, AT),
        staging_prefix("r", 2, 1, 1, AT),
        staging_prefix("r", 1, 2, 1, AT),
        staging_prefix("r", 1, 1, 2, AT),
        staging_prefix("r", 1, 1, 1, LATER),
    }
    names = {
        job_name("r", 1, 1, 1, SHA, AT),
        job_name("s", 1, 1, 1, SHA, AT),
        job_name("r", 2, 1, 1, SHA, AT),
        job_name("r", 1, 2, 1, SHA, AT),
        job_name("r", 1, 1, 2, SHA, AT),
        job_name("r", 1, 1, 1, "cd" * 32, AT),
        job_name("r", 1, 1, 1, SHA, LATER),
    }
    assert (len(prefixes), len(names)) == (6, 7)
    assert len({temp_prefix(name) for name in names}) == 7


def test_names_fit_glue_and_postgresql() -> None:
    """255 characters for a job, 63 bytes for a table, whatever the run_id."""
    assert len(job_name("r" * 100, 99, 2, 3, SHA, AT)) < 255
    table = staging_table(staging_prefix("r" * 100, 99, 2, 3, AT), "jr_" + "a" * 64)
    assert re.fullmatch(r"s_[0-9a-f]{12}_[0-9a-f]{12}", table)


@pytest.mark.parametrize("run_id", ["r", "20250113_123456_abc123", "a-g1-a1-l1-01234567", "r" * 100])
def test_a_jobs_name_tells_whose_it_is(run_id: str) -> None:
    """Run and generation, whatever the run_id holds."""
    name = job_name(run_id, 12, 1, 1, SHA, AT)
    assert (run_id_of_job(name), generation_of_job(name)) == (run_id, 12)


@pytest.mark.parametrize("run_id", ["", "r" * 101, "\ud800", "a b", "../r", "-r", "größe"])
def test_a_name_that_is_no_runs_tells_nothing(run_id: str) -> None:
    """Also where only the run_id, or an endless generation, gives it away."""
    for name in (job_name(run_id, 1, 1, 1, SHA, AT), f"datamorph-job-r-g{'9' * 5000}-a1-l1-01234567"):
        assert (run_id_of_job(name), generation_of_job(name)) == (None, None)
