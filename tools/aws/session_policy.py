"""The policy that narrows the Glue role for one job run, as StartJobRun's ExecutionRoleSessionPolicy.

It grants nothing by itself: a run may do what both the role and this policy allow.
"""

from __future__ import annotations

import json

from agent.errors import UnavailableError
from agent.names import run_of_job, temp_prefix

MAX_CHARACTERS = 2048
"""Limit of StartJobRun's ExecutionRoleSessionPolicy."""


def session_policy(*, region: str, partition: str, bucket: str, connection: str, job_name: str) -> str:
    """The policy of a job's run as JSON: its own scripts, its own TempDir, its connection, logs and metrics.

    Raises UnavailableError where names are too long for it: no run is started with more rights instead.
    """
    s3, glue = f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:glue:{region}:*"
    temp = temp_prefix(job_name).rstrip("/")
    # A job name of another form belongs to no run and has no scripts to read.
    run = run_of_job(job_name)
    codes = f"glue/codes/{run.run_id if run else job_name}/*"
    # Spark's S3 file system reads each parent folder and marks folders by objects beside them: glue_$folder$.
    own = [f"{s3}/{temp}*", f"{s3}/glue/temp_$folder$", f"{s3}/glue_$folder$"]
    statements = [
        _allow(["s3:GetObject"], [f"{s3}/{codes}", f"{s3}/glue", f"{s3}/glue/temp"]),
        _allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], own),
        # IfExists: HeadObject has no prefix, and without ListBucket a missing object gives 403 in place of 404.
        _allow(
            ["s3:ListBucket", "s3:GetBucketLocation"],
            [s3],
            StringLikeIfExists={"s3:prefix": ["glue", "glue/", "glue/temp", "glue/temp/", f"{temp}*"]},
        ),
        _allow(["glue:GetConnection"], [f"{glue}:catalog", f"{glue}:connection/{connection}"]),
        # The connection names its secret, which is unknown here; the role limits which secrets are possible.
        _allow(["secretsmanager:GetSecretValue", *(f"ec2:{action}" for action in _NETWORK)], ["*"]),
        _allow(["kms:Decrypt", "kms:GenerateDataKey"], ["*"], StringLike={"kms:ViaService": f"*.{region}.amazonaws.*"}),
        _allow(["logs:CreateLog*", "logs:PutLogEvents"], [f"arn:{partition}:logs:*:*:*:/aws-glue/*"]),
        _allow(["cloudwatch:PutMetricData"], ["*"], StringEquals={"cloudwatch:namespace": "Glue"}),
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(text) > MAX_CHARACTERS:
        raise UnavailableError("glue", _too_long(len(text) - MAX_CHARACTERS, bucket, connection, job_name))
    return text


def _too_long(excess: int, bucket: str, connection: str, job_name: str) -> str:
    return (
        f"job {job_name} was not started: the policy that narrows its role to this run is {excess} characters longer "
        f"than the {MAX_CHARACTERS} that Glue takes; shorten the run_id, the Glue connection's name ({connection}, "
        f"DATAMORPH_CONNECTION) or the bucket's ({bucket}, DATAMORPH_BUCKET), or give up the narrowing of all runs "
        "with DATAMORPH_SESSION_POLICY=false"
    )


_NETWORK = (
    "CreateNetworkInterface", "DeleteNetworkInterface", "CreateTags", "DeleteTags", "DescribeNetworkInterfaces",
    "DescribeVpc*", "DescribeRouteTables", "DescribeSubnets", "DescribeSecurityGroups",
)  # fmt: skip
"""EC2 actions that Glue takes with the job's role to reach the connection's subnet."""


def _allow(actions: list[str], resources: list[str], **condition: object) -> dict[str, object]:
    statement: dict[str, object] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})
