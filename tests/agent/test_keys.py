"""Names made from the keys of a launch."""

from __future__ import annotations

import re

from agent.keys import job_name, staging_prefix, staging_table, thread_id

AT = "2026-01-01T00:00:00.000+00:00"


def test_names_are_the_same_the_second_time() -> None:
    """So that a second try finds what the first one made."""
    assert job_name("r", 1, 1, 1, "ab" * 32) == job_name("r", 1, 1, 1, "ab" * 32) == "datamorph-job-r-g1-a1-l1-abababab"
    assert staging_prefix("r", 1, 1, 1, AT) == staging_prefix("r", 1, 1, 1, AT)
    assert thread_id("r", 2) == "r:g2"


def test_every_key_tells_launches_apart() -> None:
    """And so does the moment of acceptance, for two installations on one database."""
    prefixes = {
        staging_prefix("r", 1, 1, 1, AT),
        staging_prefix("s", 1, 1, 1, AT),
        staging_prefix("r", 2, 1, 1, AT),
        staging_prefix("r", 1, 2, 1, AT),
        staging_prefix("r", 1, 1, 2, AT),
        staging_prefix("r", 1, 1, 1, AT.replace("000+", "001+")),
    }
    assert len(prefixes) == 6


def test_names_fit_glue_and_postgresql() -> None:
    """255 characters for a job, 63 bytes for a table, whatever the run_id."""
    assert len(job_name("r" * 100, 99, 2, 3, "ab" * 32)) < 255
    table = staging_table(staging_prefix("r" * 100, 99, 2, 3, AT), "jr_" + "a" * 64)
    assert re.fullmatch(r"s_[0-9a-f]{12}_[0-9a-f]{12}", table)
