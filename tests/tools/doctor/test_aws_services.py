"""The doctor looks whether the bucket forgets what the runs forget."""

from __future__ import annotations

from typing import Any

import pytest

from agent.settings import load_settings
from tests.fakes.moto_server import DEFAULTS, Aws
from tests.fakes.wire import refused
from tools.aws.artifacts import S3Artifacts
from tools.doctor.aws_services import check_bucket
from tools.doctor.check import Check

RUNS = {"Prefix": "glue/runs/"}


def rule(days: int = 90, status: str = "Enabled", **more: Any) -> dict[str, Any]:
    """A rule that lets objects expire; by default those under `glue/runs/`."""
    return {"ID": f"r{days}", "Status": status, "Expiration": {"Days": days}, "Filter": RUNS, **more}


def looked(aws: Aws, *rules: dict[str, Any], **settings: Any) -> Check:
    """The doctor's finding on a bucket with these rules."""
    s3 = aws.clients.get("s3")
    s3.delete_bucket_lifecycle(Bucket=DEFAULTS.bucket)
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=DEFAULTS.bucket, LifecycleConfiguration={"Rules": list(rules)})
    return check_bucket(aws.clients, S3Artifacts(aws.clients, DEFAULTS.bucket), load_settings(settings, {}))


@pytest.mark.parametrize("found", [rule(), rule(Filter={"Prefix": "glue/"}), rule(Filter={"Prefix": ""}), rule(100)])
def test_a_bucket_that_forgets_is_fine(aws: Aws, found: dict[str, Any]) -> None:
    """By a rule for these objects, or for more than these, not before the runs are forgotten."""
    told = looked(aws, rule(7, Filter={"Prefix": "glue/temp/"}), found)
    assert told.status == "ok", told
    assert told.detail.startswith("dmbckt of account 123456789012, written and read; ")
    assert told.detail.endswith(f"glue/runs/ expire after {found['Expiration']['Days']} days")


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(status="Disabled")],
        [rule(Filter={"Prefix": "glue/temp/"})],
        [rule(Filter={"Tag": {"Key": "a", "Value": "b"}})],
        [rule(Filter={"And": {"Prefix": "glue/", "Tags": [{"Key": "a", "Value": "b"}]}})],
    ],
)
def test_a_bucket_that_keeps_prompts_for_ever_is_warned_of(aws: Aws, rules: list[dict[str, Any]]) -> None:
    """No rule, or one that does not reach them; it is no failure."""
    told = looked(aws, *rules)
    assert told.status == "warning", told
    assert "never expire" in told.detail and "put-bucket-lifecycle-configuration" in told.detail


def test_a_bucket_that_forgets_too_early_is_warned_of(aws: Aws) -> None:
    """A run that is still open would miss its request; of several rules the shortest counts."""
    told = looked(aws, rule(90), rule(30, Filter={"Prefix": "glue/"}), retention_days=60)
    assert told.status == "warning", told
    assert "after 30 days" in told.detail and "60 days (DATAMORPH_RETENTION_DAYS)" in told.detail


def test_rules_that_may_not_be_seen_are_warned_of(aws: Aws) -> None:
    """The bucket can be used all the same."""
    with refused(aws.clients.get("s3"), "GetBucketLifecycleConfiguration", 403, "AccessDenied"):
        told = looked(aws, rule())
    assert told.status == "warning", told
    assert "grant s3:GetLifecycleConfiguration" in told.detail


def test_a_bucket_that_is_missing_is_missing(aws: Aws) -> None:
    """Its rules are not asked for."""
    told = check_bucket(aws.clients, S3Artifacts(aws.clients, "gone"), load_settings({"bucket": "gone"}, {}))
    assert (told.status, "DATAMORPH_BUCKET" in told.detail) == ("missing", True)
