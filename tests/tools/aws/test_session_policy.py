"""The policy that narrows the Glue role for one run."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from agent.errors import UnavailableError
from agent.names import LaunchKey, job_name, temp_prefix
from tools.aws.session_policy import MAX_CHARACTERS, session_policy

USUAL = {"region": "us-east-1", "partition": "aws", "bucket": "dmbckt", "connection": "dmdb-connection"}
LONG = {"region": "ap-southeast-2", "partition": "aws-us-gov", "bucket": "b" * 63, "connection": "dmdb-connection"}


def job(run_id: str = "r1", attempt: int = 1) -> str:
    """A job's name."""
    return job_name(LaunchKey(run_id, 1, attempt, 1), "0" * 64, "2026-01-01")


def granted(policy: str, action: str) -> set[str]:
    """The resources on which an action is allowed."""
    statements = json.loads(policy)["Statement"]
    return {resource for each in statements if action in each["Action"] for resource in each["Resource"]}


def may(policy: str, action: str, key: str) -> bool:
    """Whether an action is allowed on an object of the bucket."""
    return any(fnmatchcase(f"arn:aws:s3:::dmbckt/{key}", resource) for resource in granted(policy, action))


def test_a_run_reads_its_own_scripts_and_uses_its_own_temp_dir() -> None:
    """No other run's scripts or temporary files, no artifacts, nothing of another bucket."""
    policy = session_policy(**USUAL, job_name=job())
    temp = f"glue/temp/{temp_prefix(job())[10:22]}"
    own = {f"{temp}*", "glue/temp_$folder$", "glue_$folder$"}
    read = {"glue/codes/r1/*", "glue", "glue/temp"}
    bucket = "arn:aws:s3:::dmbckt"
    assert granted(policy, "s3:GetObject") == {f"{bucket}/{key}" for key in own | read}
    assert granted(policy, "s3:PutObject") == {f"{bucket}/{key}" for key in own}
    assert granted(policy, "s3:DeleteObject") == granted(policy, "s3:PutObject")
    assert granted(policy, "s3:ListBucket") == {bucket}
    [listing] = [one for one in json.loads(policy)["Statement"] if "s3:ListBucket" in one["Action"]]
    prefixes = listing["Condition"]["StringLikeIfExists"]["s3:prefix"]
    assert prefixes == ["glue", "glue/", "glue/temp", "glue/temp/", f"{temp}*"]


@pytest.mark.parametrize("other", [job("r2"), job(attempt=2)])
def test_no_run_reaches_the_temporary_files_of_another(other: str) -> None:
    """Neither another run's nor an earlier attempt's: its report decides what is published."""
    policy = session_policy(**USUAL, job_name=job())
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert may(policy, action, f"{temp_prefix(job())}reports/jr_1/part-00000")
        assert not may(policy, action, f"{temp_prefix(other)}reports/jr_1/part-00000")
        assert not may(policy, action, "glue/temp/reports/jr_1/part-00000")


def test_a_run_uses_its_connection_only() -> None:
    """And what a connection needs: its secret, its network, keys through services."""
    policy = session_policy(**USUAL, job_name=job())
    glue = "arn:aws:glue:us-east-1:*"
    assert granted(policy, "glue:GetConnection") == {f"{glue}:catalog", f"{glue}:connection/dmdb-connection"}
    for action in ("secretsmanager:GetSecretValue", "ec2:CreateNetworkInterface", "cloudwatch:PutMetricData"):
        assert granted(policy, action) == {"*"}
    keys = next(each for each in json.loads(policy)["Statement"] if "kms:Decrypt" in each["Action"])
    assert keys["Condition"] == {"StringLike": {"kms:ViaService": "*.us-east-1.amazonaws.*"}}


def test_a_run_cannot_start_or_change_jobs() -> None:
    """Nothing that begins another run, passes a role or touches the checkpoints is allowed."""
    statements = json.loads(session_policy(**USUAL, job_name=job()))["Statement"]
    actions = {action for each in statements for action in each["Action"]}
    assert not {action for action in actions if action.startswith(("iam:", "dynamodb:", "lambda:", "sts:"))}
    assert {action for action in actions if action.startswith("glue:")} == {"glue:GetConnection"}


@pytest.mark.parametrize(("names", "run_id"), [(USUAL, "r" * 100), (LONG, "20250113_123456_abc123")])
def test_the_policy_fits(names: dict[str, str], run_id: str) -> None:
    """StartJobRun takes so many characters: enough for the longest run_id, and for the longest bucket anywhere."""
    assert len(session_policy(**names, job_name=job(run_id))) <= MAX_CHARACTERS


def test_names_that_are_too_long_are_refused() -> None:
    """The message says by how much and what to shorten; nothing wider is given instead."""
    with pytest.raises(UnavailableError) as refused:
        session_policy(**{**LONG, "connection": "c" * 255}, job_name=job("r" * 100))
    told = str(refused.value)
    assert "characters longer than the 2048" in told
    for name in ("run_id", "DATAMORPH_CONNECTION", "DATAMORPH_BUCKET", "DATAMORPH_SESSION_POLICY=false"):
        assert name in told


def test_a_job_that_is_none_of_ours_reads_no_runs_scripts() -> None:
    """Its name tells no run."""
    policy = session_policy(**USUAL, job_name="somebodys")
    assert not may(policy, "s3:GetObject", "glue/codes/r1/g1-a1_glue.py")
