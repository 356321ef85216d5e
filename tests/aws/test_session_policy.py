"""The policy that narrows the Glue role for one run."""

from __future__ import annotations

import json

import pytest

from tools.aws.session_policy import MAX_CHARACTERS, session_policy

USUAL = {"region": "us-east-1", "partition": "aws", "bucket": "dmbckt", "connection": "dmdb-connection"}
LONG = {"region": "ap-southeast-2", "partition": "aws-us-gov", "bucket": "b" * 63, "connection": "c" * 255}


def granted(policy: str, action: str) -> set[str]:
    """The resources on which an action is allowed."""
    statements = json.loads(policy)["Statement"]
    return {resource for each in statements if action in each["Action"] for resource in each["Resource"]}


def test_a_run_reads_its_own_scripts_and_uses_the_temp_dir() -> None:
    """No other run's scripts, no artifacts, nothing of another bucket."""
    policy = session_policy(**USUAL, run_id="r1")
    temp = {"arn:aws:s3:::dmbckt/glue/temp*", "arn:aws:s3:::dmbckt/glue_$folder$"}
    own = {"arn:aws:s3:::dmbckt/glue/codes/r1/*", "arn:aws:s3:::dmbckt/glue"}
    assert granted(policy, "s3:GetObject") == own | temp
    assert granted(policy, "s3:PutObject") == granted(policy, "s3:DeleteObject") == temp
    assert granted(policy, "s3:ListBucket") == {"arn:aws:s3:::dmbckt"}


def test_a_run_uses_its_connection_only() -> None:
    """And what a connection needs: its secret, its network, keys through services."""
    policy = session_policy(**USUAL, run_id="r1")
    glue = "arn:aws:glue:us-east-1:*"
    assert granted(policy, "glue:GetConnection") == {f"{glue}:catalog", f"{glue}:connection/dmdb-connection"}
    for action in ("secretsmanager:GetSecretValue", "ec2:CreateNetworkInterface", "cloudwatch:PutMetricData"):
        assert granted(policy, action) == {"*"}
    keys = next(each for each in json.loads(policy)["Statement"] if "kms:Decrypt" in each["Action"])
    assert keys["Condition"] == {"StringLike": {"kms:ViaService": "*.us-east-1.amazonaws.*"}}


def test_a_run_cannot_start_or_change_jobs() -> None:
    """Nothing that begins another run, passes a role or touches the checkpoints is allowed."""
    actions = {
        action for each in json.loads(session_policy(**USUAL, run_id="r1"))["Statement"] for action in each["Action"]
    }
    assert not {action for action in actions if action.startswith(("iam:", "dynamodb:", "lambda:", "sts:"))}
    assert {action for action in actions if action.startswith("glue:")} == {"glue:GetConnection"}


@pytest.mark.parametrize("names", [USUAL, LONG])
@pytest.mark.parametrize("run_id", ["20250113_123456_abc123", "r" * 100, None])
def test_the_policy_fits(names: dict[str, str], run_id: str | None) -> None:
    """StartJobRun takes so many characters; names that are too long cost the narrowing to one run, not the run."""
    assert len(session_policy(**names, run_id=run_id)) <= MAX_CHARACTERS


def test_the_usual_run_is_narrowed() -> None:
    """The longest run_id leaves the policy as it is."""
    assert f"glue/codes/{'r' * 100}/*" in session_policy(**USUAL, run_id="r" * 100)
