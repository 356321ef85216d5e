"""The policy that narrows the Glue role for one job run, as StartJobRun's ExecutionRoleSessionPolicy.

It grants nothing by itself: a run may do what both the role and this policy allow.
"""

from __future__ import annotations

import json

MAX_CHARACTERS = 2048
"""What StartJobRun takes."""


def session_policy(*, region: str, partition: str, bucket: str, connection: str, run_id: str | None) -> str:
    """The policy of a run as JSON: its own scripts, the TempDir, its connection, logs and metrics.

    `run_id` None: the scripts of all runs; so is one with names too long for the limit.
    """
    s3, glue = f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:glue:{region}:*"
    codes = f"glue/codes/{run_id}/*" if run_id else "glue/codes/*"
    # Spark's file system on S3 marks folders by objects beside them: glue_$folder$, glue/temp_$folder$.
    temp, marks = "glue/temp*", "glue_$folder$"
    statements = [
        _allow(["s3:GetObject"], [f"{s3}/{codes}", f"{s3}/glue"]),
        _allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{s3}/{temp}", f"{s3}/{marks}"]),
        # IfExists: a look at an object that is not there has no prefix, and without ListBucket it is a 403, not a 404.
        _allow(
            ["s3:ListBucket", "s3:GetBucketLocation"],
            [s3],
            StringLikeIfExists={"s3:prefix": [codes, temp, "glue", "glue/"]},
        ),
        _allow(["glue:GetConnection"], [f"{glue}:catalog", f"{glue}:connection/{connection}"]),
        # Which secret the connection reads is written in the connection; the role says which it may be.
        _allow(["secretsmanager:GetSecretValue"], ["*"]),
        _allow(["kms:Decrypt", "kms:GenerateDataKey"], ["*"], StringLike={"kms:ViaService": f"*.{region}.amazonaws.*"}),
        _allow(["logs:CreateLog*", "logs:PutLogEvents"], [f"arn:{partition}:logs:*:*:*:/aws-glue/*"]),
        _allow(["cloudwatch:PutMetricData"], ["*"], StringEquals={"cloudwatch:namespace": "Glue"}),
        _allow([f"ec2:{action}" for action in _NETWORK], ["*"]),
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(text) > MAX_CHARACTERS and run_id:
        return session_policy(region=region, partition=partition, bucket=bucket, connection=connection, run_id=None)
    return text


_NETWORK = (
    "CreateNetworkInterface", "DeleteNetworkInterface", "CreateTags", "DeleteTags", "DescribeNetworkInterfaces",
    "DescribeVpc*", "DescribeRouteTables", "DescribeSubnets", "DescribeSecurityGroups",
)  # fmt: skip
"""What Glue does in the name of the role to reach a connection's subnet."""


def _allow(actions: list[str], resources: list[str], **condition: object) -> dict[str, object]:
    statement: dict[str, object] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})
