"""Rights of the function and of the Glue jobs: those that they need, and nothing more."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.templates import as_list, load, resources, statements, texts

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("FunctionRole", "GlueRole")

UNBOUNDED = {
    ("FunctionRole", "JobList"): "ListJobs knows no resources; it tells names alone",
    ("FunctionRole", "NetworkOfLambda"): "Lambda asks for these actions on every resource before it joins a VPC",
    ("FunctionRole", "NotFromTheCode"): "a Deny, of the same actions when the function's own code asks",
    ("GlueRole", "Metrics"): "PutMetricData knows no resources; the namespace is bound instead",
    ("GlueRole", "NetworkLook"): "EC2's Describe actions know no resources",
}
"""Statements about every resource, and why."""

OPERATIONS = {
    "create_job": ["glue:CreateJob", "glue:TagResource", "iam:PassRole"],
    "get_job": ["glue:GetJob"],
    "start_job_run": ["glue:StartJobRun"],
    "get_job_run": ["glue:GetJobRun"],
    "list_jobs": ["glue:ListJobs"],
    "get_job_runs": ["glue:GetJobRuns"],
    "batch_stop_job_run": ["glue:BatchStopJobRun"],
    "delete_job": ["glue:DeleteJob"],
    "get_connection": ["glue:GetConnection"],
    "get_object": ["s3:GetObject"],
    "put_object": ["s3:PutObject"],
    "list_objects_v2": ["s3:ListBucket"],
    "get_bucket_lifecycle_configuration": ["s3:GetLifecycleConfiguration"],
    "get_item": ["dynamodb:GetItem"],
    "put_item": ["dynamodb:PutItem"],
    "update_item": ["dynamodb:UpdateItem"],
    "delete_item": ["dynamodb:DeleteItem"],
    "query": ["dynamodb:Query"],
    "transact_write_items": ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"],
    "get_secret_value": ["secretsmanager:GetSecretValue"],
    "describe_log_streams": ["logs:DescribeLogStreams"],
    "get_log_events": ["logs:GetLogEvents"],
    "invoke": ["lambda:InvokeFunction"],
    "put_events": ["events:PutEvents"],
}
"""Rights that boto3's methods need, for those that the code calls."""

SERVICES = {"s3", "dynamodb", "glue", "secretsmanager", "bedrock-runtime", "logs", "lambda", "events"}


def actions(role: str) -> set[str]:
    return {
        action for statement in statements(role) if statement["Effect"] == "Allow" for action in statement["Action"]
    }


def statement_of(role: str, action: str) -> list[dict[str, Any]]:
    return [one for one in statements(role) if action in one["Action"] and one["Effect"] == "Allow"]


@pytest.mark.parametrize("role", ROLES)
def test_every_action_is_named(role: str) -> None:
    """No wildcard stands for actions that nobody thought of."""
    assert [action for action in actions(role) if "*" in action] == []


@pytest.mark.parametrize("role", ROLES)
def test_every_resource_is_bound_or_has_a_reason(role: str) -> None:
    """`*` as a resource only where the list says why."""
    unbounded = {(role, one["Sid"]) for one in statements(role) if "*" in one["Resource"]}
    assert unbounded == {key for key in UNBOUNDED if key[0] == role}


def test_only_the_role_of_the_jobs_is_passed_and_only_to_glue() -> None:
    """PassRole is the way to every other right: it is for one role and one service."""
    [passing] = statement_of("FunctionRole", "iam:PassRole")
    assert passing["Resource"] == [{"Fn::GetAtt": ["GlueRole", "Arn"]}]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}


def test_the_function_touches_only_its_own_jobs() -> None:
    """Every right on Glue is on jobs with our prefix, on the one connection, or tells names alone."""
    for statement in statements("FunctionRole"):
        for action in statement["Action"]:
            if action.startswith("glue:") and action not in ("glue:GetConnection", "glue:ListJobs"):
                [resource] = texts(statement["Resource"])
                assert resource.endswith(":job/datamorph-job-*")


def test_only_the_chosen_model_is_asked() -> None:
    """The inference profile, and its foundation model through that profile alone."""
    profile, model = statement_of("FunctionRole", "bedrock:InvokeModel")
    [profile_arn], [model_arn] = texts(profile["Resource"]), texts(model["Resource"])
    assert profile_arn.endswith(":inference-profile/${InferenceProfile}")
    assert model_arn.endswith("::foundation-model/${FoundationModel}")
    assert list(texts(model["Condition"])) == [profile_arn]


def test_the_function_writes_scripts_and_artifacts_and_reads_reports() -> None:
    """Three prefixes of the bucket, and no right to delete."""
    written = [
        resource.partition("${BucketName}")[2]
        for one in statement_of("FunctionRole", "s3:PutObject")
        for resource in texts(one["Resource"])
    ]
    read = [
        resource.partition("${BucketName}")[2]
        for one in statement_of("FunctionRole", "s3:GetObject")
        for resource in texts(one["Resource"])
    ]
    assert written == ["/glue/codes/*", "/glue/runs/*"]
    assert read == ["/glue/codes/*", "/glue/runs/*", "/glue/temp/*/reports/*", "/glue/temp/reports/*"]
    assert not [action for action in actions("FunctionRole") if action.startswith("s3:Delete")]


@pytest.mark.parametrize("role", ROLES)
def test_the_bucket_is_one_of_this_account(role: str) -> None:
    """Bucket names are the world's: whoever has made one of this name elsewhere gets and gives nothing."""
    of_s3 = [one for one in statements(role) if one["Action"][0].startswith("s3:")]
    assert len(of_s3) == 3
    for one in of_s3:
        assert one["Condition"]["StringEquals"] == {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}, one["Sid"]


@pytest.mark.parametrize("role", ROLES)
def test_a_key_is_used_through_its_service_and_only_where_it_is_given(role: str) -> None:
    """No statement about keys is there by default, and none lets the code itself decrypt anything."""
    policies = resources("template.yaml", "AWS::IAM::Role")[role]["Policies"]
    given = [one["Fn::If"] for one in policies[0]["PolicyDocument"]["Statement"] if "Fn::If" in one]
    of_keys = {one["Sid"]: one for one in statements(role) if one["Action"][0].startswith("kms:")}
    assert [statement for _, statement, _ in given] == [
        {**one, "Action": one["Action"] if len(one["Action"]) > 1 else one["Action"][0], "Resource": one["Resource"][0]}
        for one in of_keys.values()
    ]
    for condition, statement, otherwise in given:
        kind = condition.removeprefix("Has").removesuffix("Key")
        service = {"Bucket": "s3", "Tables": "dynamodb", "Secrets": "secretsmanager"}[kind]
        via = {"Fn::Sub": service + ".${AWS::Region}.${AWS::URLSuffix}"}
        assert statement["Resource"] == {"Ref": f"{kind}KmsKeyArn"}
        assert (statement["Condition"], otherwise) == (
            {"StringEquals": {"kms:ViaService": via}},
            {"Ref": "AWS::NoValue"},
        )


def test_the_keys_are_those_of_what_the_stack_makes() -> None:
    """Bucket, secrets and log group; the tables have theirs compared with the code's definition."""
    template = load("template.yaml")
    made = template["Resources"]

    def chosen(kind: str) -> dict[str, Any]:
        return {"Fn::If": [f"Has{kind}Key", {"Ref": f"{kind}KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}

    assert made["LogGroup"]["Properties"]["KmsKeyId"] == chosen("Logs")
    for secret in ("DatabaseSecret", "ConfigSecret"):
        assert made[secret]["Properties"]["KmsKeyId"] == chosen("Secrets")
    [encryption] = made["Bucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    condition, keyed, plain = encryption["Fn::If"]
    assert (condition, plain) == ("HasBucketKey", {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}})
    assert keyed["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Ref": "BucketKmsKeyArn"}
    for kind in ("Bucket", "Tables", "Secrets", "Logs"):
        assert template["Parameters"][f"{kind}KmsKeyArn"]["Default"] == ""


def test_the_jobs_cannot_reach_what_runs_them() -> None:
    """Model-written code runs there: no tables, no functions, no roles, no jobs, no other secret."""
    services = {action.partition(":")[0] for action in actions("GlueRole")}
    assert services == {"s3", "glue", "secretsmanager", "logs", "cloudwatch", "ec2", "kms"}
    assert {action for action in actions("GlueRole") if action.startswith("glue:")} == {"glue:GetConnection"}
    [secret] = statement_of("GlueRole", "secretsmanager:GetSecretValue")
    assert "ConfigSecret" not in list(texts(secret["Resource"]))
    writing = [resource for one in statement_of("GlueRole", "s3:PutObject") for resource in texts(one["Resource"])]
    assert not [resource for resource in writing if "codes" in resource or "runs" in resource]


def test_the_function_may_do_what_its_code_calls() -> None:
    """Every boto3 operation in tools/aws, in the doctor and in the saver is granted."""
    called = set().union(*map(_operations, _aws_modules()))
    needed = {action for operation in called for action in OPERATIONS[operation]}
    # What the stock saver, below ours, reads with.
    needed |= {"dynamodb:BatchGetItem", "bedrock:InvokeModel"}
    assert needed <= actions("FunctionRole")
    assert called == set(OPERATIONS), "OPERATIONS lists what is not called any more"


def test_a_checkpoint_may_look_at_its_lease() -> None:
    """The transaction is on both tables; the look at the lease is on the ledger's."""
    [statement] = statement_of("FunctionRole", "dynamodb:ConditionCheckItem")
    assert statement["Sid"] == "Ledger"


def _aws_modules() -> list[Path]:
    """The modules that call boto3."""
    return [*sorted((ROOT / "tools" / "aws").glob("*.py")), ROOT / "tools" / "doctor" / "aws_services.py"]


def _operations(path: Path) -> set[str]:
    """The boto3 methods that a file calls, or names in a text."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(node.func.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names & set(OPERATIONS)


def test_the_function_calls_itself_by_name() -> None:
    """The sweep wakes runs so; a reference from the role to the function would be a circle."""
    [calling] = statement_of("FunctionRole", "lambda:InvokeFunction")
    assert any(text.endswith(":function:${FunctionName}") for text in texts(calling["Resource"]))


def test_a_private_subnet_reaches_every_service_that_is_called() -> None:
    """Gateways for S3 and DynamoDB, interfaces for the rest, closed to other accounts."""
    endpoints = resources("endpoints.yaml", "AWS::EC2::VPCEndpoint").values()
    names = {
        next(texts(endpoint["ServiceName"])).removeprefix("com.amazonaws.${AWS::Region}."): endpoint
        for endpoint in endpoints
    }
    assert names.keys() == SERVICES
    assert {name for name, endpoint in names.items() if endpoint["VpcEndpointType"] == "Gateway"} == {"s3", "dynamodb"}
    for endpoint in names.values():
        assert endpoint["VpcEndpointType"] == "Gateway" or endpoint["PrivateDnsEnabled"] is True
        first = as_list(endpoint["PolicyDocument"]["Statement"])[0]
        assert first["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}


def test_the_endpoints_are_those_of_the_clients_in_the_code() -> None:
    """A service that the code begins to use needs an endpoint too."""
    used = {"bedrock-runtime"}
    for path in _aws_modules():
        used |= set(re.findall(r"""clients\.get\("([a-z0-9-]+)\"""", path.read_text(encoding="utf-8")))
    assert used == SERVICES


def test_the_endpoints_are_made_on_request() -> None:
    """Only in a VPC, and only when asked for: they cost by the hour."""
    stack = load("template.yaml")["Resources"]["Endpoints"]
    assert (stack["Condition"], stack["Properties"]["TemplateURL"]) == ("MakesEndpoints", "endpoints.yaml")
    assert load("template.yaml")["Parameters"]["CreateEndpoints"]["Default"] == "false"
