"""Every right of both roles with its resource, and what the stack hands to the function.

Written out a second time on purpose: a right that is lost, moved or widened is seen here, and not on AWS.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.templates import as_list, load, resources, statements

TEMPLATE = load("template.yaml")
NETWORK = (
    "ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:DeleteNetworkInterface "
    "ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses"
)
DATABASE_SECRET = "if MakesDatabaseSecret: DatabaseSecret else DatabaseSecretArn"
JOBS_SECRET = f"if HasConnectionSecret: ConnectionSecretArn else {DATABASE_SECRET}"
OWN_JOBS_SECRET = "if HasConnectionSecret: ConnectionSecretArn else AWS::NoValue"
CONFIG_SECRET = "if MakesConfigSecret: ConfigSecret else ConfigSecretArn"
CONNECTION = ["glue:catalog", "glue:connection/${ConnectionName}"]

GRANTS: dict[str, dict[str, tuple[str, list[str]]]] = {
    "FunctionRole": {
        "OwnLog": ("logs:CreateLogStream logs:PutLogEvents", ["LogGroup.Arn"]),
        "DeadLetters": ("sqs:SendMessage", ["DeadLetters.Arn"]),
        "Ledger": (
            "dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:Query "
            "dynamodb:ConditionCheckItem",
            ["dynamodb:table/${LedgerTableName}", "dynamodb:table/${LedgerTableName}/index/*"],
        ),
        "Checkpoints": (
            "dynamodb:GetItem dynamodb:BatchGetItem dynamodb:PutItem dynamodb:Query",
            ["dynamodb:table/${CheckpointsTableName}"],
        ),
        "Artifacts": (
            "s3:GetObject s3:PutObject",
            ["s3:::${BucketName}/glue/codes/*", "s3:::${BucketName}/glue/runs/*"],
        ),
        "Reports": (
            "s3:GetObject",
            ["s3:::${BucketName}/glue/temp/*/reports/*", "s3:::${BucketName}/glue/temp/reports/*"],
        ),
        "Listing": ("s3:ListBucket s3:GetLifecycleConfiguration", ["s3:::${BucketName}"]),
        "Secrets": ("secretsmanager:GetSecretValue", [DATABASE_SECRET, CONFIG_SECRET, OWN_JOBS_SECRET]),
        "Jobs": (
            "glue:CreateJob glue:TagResource glue:GetJob glue:StartJobRun glue:GetJobRun glue:GetJobRuns "
            "glue:BatchStopJobRun glue:DeleteJob",
            ["glue:job/datamorph-job-*"],
        ),
        "JobList": ("glue:ListJobs", ["*"]),
        "Connection": ("glue:GetConnection", CONNECTION),
        "RoleOfTheJobs": ("iam:PassRole", ["GlueRole.Arn"]),
        "LogsOfTheJobs": ("logs:DescribeLogStreams logs:GetLogEvents", ["logs:log-group:/aws-glue/*"]),
        "Profile": ("bedrock:InvokeModel", ["bedrock:inference-profile/${InferenceProfile}"]),
        "Model": ("bedrock:InvokeModel", ["bedrock:*::foundation-model/${FoundationModel}"]),
        "Functions": (
            "lambda:InvokeFunction",
            [
                "lambda:function:${FunctionName}",
                "if HasLogger: lambda:function:${LoggerFunctionName} else AWS::NoValue",
            ],
        ),
        "Completion": ("events:PutEvents", ["events:event-bus/${EventBusName}"]),
        "KeyOfTheBucket": ("kms:Decrypt kms:GenerateDataKey", ["BucketKmsKeyArn"]),
        "KeyOfTheTables": (
            "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:ReEncryptFrom kms:ReEncryptTo",
            ["TablesKmsKeyArn"],
        ),
        "KeyOfTheSecrets": ("kms:Decrypt", ["SecretsKmsKeyArn"]),
        "NetworkOfLambda": (NETWORK, ["*"]),
        "NotFromTheCode": (NETWORK, ["*"]),
    },
    "GlueRole": {
        "Scripts": ("s3:GetObject", ["s3:::${BucketName}/glue/codes/*", "s3:::${BucketName}/glue"]),
        "Temp": (
            "s3:GetObject s3:PutObject s3:DeleteObject",
            ["s3:::${BucketName}/glue/temp*", "s3:::${BucketName}/glue_$folder$"],
        ),
        "Listing": ("s3:ListBucket s3:GetBucketLocation", ["s3:::${BucketName}"]),
        "Connection": ("glue:GetConnection", CONNECTION),
        "Database": ("secretsmanager:GetSecretValue", [JOBS_SECRET]),
        "Logs": ("logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents", ["logs:log-group:/aws-glue/*"]),
        "Metrics": ("cloudwatch:PutMetricData", ["*"]),
        "NetworkLook": (
            "ec2:DescribeNetworkInterfaces ec2:DescribeRouteTables ec2:DescribeSecurityGroups ec2:DescribeSubnets "
            "ec2:DescribeVpcAttribute ec2:DescribeVpcEndpoints",
            ["*"],
        ),
        "NetworkInterface": (
            "ec2:CreateNetworkInterface",
            ["ec2:network-interface/*", "ec2:security-group/*", "ec2:subnet/*"],
        ),
        "NetworkInterfaceEnd": ("ec2:DeleteNetworkInterface", ["ec2:network-interface/*"]),
        "NetworkInterfaceTag": ("ec2:CreateTags ec2:DeleteTags", ["ec2:network-interface/*"]),
        "KeyOfTheBucket": ("kms:Decrypt kms:GenerateDataKey", ["BucketKmsKeyArn"]),
        "KeyOfTheSecrets": ("kms:Decrypt", ["SecretsKmsKeyArn"]),
    },
}


def short(value: Any) -> str:
    """A resource in one line; this account and region are left out of an ARN."""
    if isinstance(value, dict):
        [(kind, content)] = value.items()
        if kind == "Fn::If":
            return f"if {content[0]}: {short(content[1])} else {short(content[2])}"
        value = ".".join(content) if kind == "Fn::GetAtt" else content
    text = str(value).removeprefix("arn:${AWS::Partition}:")
    return text.replace(":${AWS::Region}:${AWS::AccountId}:", ":")


@pytest.mark.parametrize("role", GRANTS)
def test_the_rights_of_a_role(role: str) -> None:
    """Actions and resources of each statement, and no other statement."""
    found = {
        one["Sid"]: (" ".join(one["Action"]), [short(resource) for resource in one["Resource"]])
        for one in statements(role)
    }
    assert found == GRANTS[role]
    denied = [one["Sid"] for one in statements(role) if one["Effect"] != "Allow"]
    assert denied == (["NotFromTheCode"] if role == "FunctionRole" else [])


@pytest.mark.parametrize(
    ("role", "service"), [("FunctionRole", "lambda.amazonaws.com"), ("GlueRole", "glue.amazonaws.com")]
)
def test_who_may_take_a_role(role: str, service: str) -> None:
    """One service, and nobody else."""
    [trust] = as_list(resources("template.yaml", "AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"])
    assert (trust["Effect"], trust["Principal"], trust["Action"]) == ("Allow", {"Service": service}, "sts:AssumeRole")


def test_what_the_function_is_told() -> None:
    """Each variable leads to what the stack made or was given."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert {name: short(value) for name, value in variables.items()} == {
        "DATAMORPH_ENGINE": "glue",
        "DATAMORPH_MODEL": "bedrock:${InferenceProfile}",
        "DATAMORPH_HOME": "/tmp/datamorph",
        "DATAMORPH_BUCKET": "BucketName",
        "DATAMORPH_ACCOUNT": "AWS::AccountId",
        "DATAMORPH_RETENTION_DAYS": "RetentionDays",
        "DATAMORPH_ROLE": "GlueRole.Arn",
        "DATAMORPH_CONNECTION": "ConnectionName",
        "DATAMORPH_LEDGER_TABLE": "LedgerTableName",
        "DATAMORPH_CHECKPOINTS_TABLE": "CheckpointsTableName",
        "DATAMORPH_DATABASE_SECRET": DATABASE_SECRET,
        "DATAMORPH_DATABASE_CA_FILE": "if HasDatabaseCa: DatabaseCaFile else AWS::NoValue",
        "DATAMORPH_JOB_DATABASE_SECRET": OWN_JOBS_SECRET,
        "DATAMORPH_CONFIG_SECRET": CONFIG_SECRET,
        "DATAMORPH_LOGGER_FUNCTION": "if HasLogger: LoggerFunctionName else AWS::NoValue",
        "DATAMORPH_EVENT_BUS": "EventBusName",
        "LANGGRAPH_STRICT_MSGPACK": "true",
        "LANGSMITH_TRACING": "false",
    }


def test_the_function_stands_in_the_given_subnets() -> None:
    """With the given group; outside a VPC when none is given."""
    condition, inside, outside = TEMPLATE["Globals"]["Function"]["VpcConfig"]["Fn::If"]
    assert (condition, outside) == ("HasVpc", {"Ref": "AWS::NoValue"})
    assert inside == {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": [{"Ref": "SecurityGroupId"}]}


def test_the_glue_connection_is_the_given_one() -> None:
    """Its secret is the jobs' own or, without one, the function's; its place is the first subnet."""
    given = resources("template.yaml", "AWS::Glue::Connection")["Connection"]["ConnectionInput"]
    properties = {name: short(value) for name, value in given["ConnectionProperties"].items()}
    assert properties == {
        "JDBC_CONNECTION_URL": "ConnectionUrl",
        "JDBC_ENFORCE_SSL": "ConnectionSsl",
        "SECRET_ID": JOBS_SECRET,
    }
    place = given["PhysicalConnectionRequirements"]
    assert place["SubnetId"] == {"Fn::Select": [0, {"Ref": "SubnetIds"}]}
    assert place["SecurityGroupIdList"] == [{"Ref": "SecurityGroupId"}]


def test_only_eventbridge_fills_the_dead_letter_queue() -> None:
    """Beside the function itself, by its role."""
    policy = resources("template.yaml", "AWS::SQS::QueuePolicy")["DeadLettersPolicy"]["PolicyDocument"]
    [statement] = policy["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert (statement["Action"], short(statement["Resource"])) == ("sqs:SendMessage", "DeadLetters.Arn")


def test_all_of_the_vpc_reaches_the_endpoints() -> None:
    """Their private names hold for all of it: whoever could not reach them would lose the services."""
    [ingress] = resources("endpoints.yaml", "AWS::EC2::SecurityGroup")["SecurityGroup"]["SecurityGroupIngress"]
    assert (ingress["FromPort"], ingress["ToPort"], ingress["CidrIp"]) == (443, 443, {"Ref": "VpcCidr"})
    for endpoint in resources("endpoints.yaml", "AWS::EC2::VPCEndpoint").values():
        if endpoint["VpcEndpointType"] == "Interface":
            assert endpoint["SubnetIds"] == {"Ref": "SubnetIds"}
            assert endpoint["SecurityGroupIds"] == [{"Ref": "SecurityGroup"}]
        else:
            assert endpoint["RouteTableIds"] == {"Ref": "RouteTableIds"}
