"""The template's promises beyond its form, and its agreement with the code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.names import LaunchKey, job_name
from agent.settings import PREFIX, Settings, load_settings
from graph.checkpoints.dynamodb import checkpoints_table
from tests.infra.templates import load, resources
from tools.aws.ledger_items import TTL_ATTRIBUTE, table_definition
from tools.models.bedrock import DEFAULT_MODEL_ID
from tools.records import TERMINAL_STATES

TEMPLATE = load("template.yaml")
GLOBALS = TEMPLATE["Globals"]["Function"]
FUNCTIONS = resources("template.yaml", "AWS::Serverless::Function")
DEFAULTS = load_settings({}, {})


def default(parameter: str) -> str:
    return str(TEMPLATE["Parameters"][parameter]["Default"])


def test_the_image_is_the_default_package() -> None:
    """3,008 MB with Spark; the zip is the small variant, on Lambda's Python 3.11 with 512 MB."""
    assert default("Package") == "image"
    image, small = FUNCTIONS["ImageFunction"], FUNCTIONS["ZipFunction"]
    assert (image["PackageType"], image["MemorySize"]) == ("Image", 3008)
    assert image["EphemeralStorage"]["Size"] >= 2048
    assert (small["PackageType"], small["MemorySize"], small["Runtime"]) == ("Zip", 512, "python3.11")
    assert small["CodeUri"] == "../dist/datamorph-lambda.zip"
    assert small["Handler"] == "lambda_handler.handler"
    assert GLOBALS["Timeout"] == 900


def test_every_variable_is_a_setting() -> None:
    """A variable that the code does not know would be set in vain."""
    variables = GLOBALS["Environment"]["Variables"]
    ours = {name for name in variables if name.startswith(PREFIX)}
    assert {name.removeprefix(PREFIX).lower() for name in ours} <= set(Settings.model_fields)
    assert variables["DATAMORPH_ENGINE"] == "glue"
    assert variables["DATAMORPH_HOME"].startswith("/tmp/")
    assert (variables["LANGGRAPH_STRICT_MSGPACK"], variables["LANGSMITH_TRACING"]) == ("true", "false")


def test_the_defaults_are_those_of_the_settings() -> None:
    """So an engineer's terminal finds what the stack made, without a word of configuration."""
    assert default("BucketName") == DEFAULTS.bucket
    assert default("ConnectionName") == DEFAULTS.connection
    assert default("LedgerTableName") == DEFAULTS.ledger_table
    assert default("CheckpointsTableName") == DEFAULTS.checkpoints_table
    assert default("EventBusName") == DEFAULTS.event_bus
    assert int(default("RetentionDays")) == DEFAULTS.retention_days
    assert default("InferenceProfile") == DEFAULT_MODEL_ID
    assert DEFAULT_MODEL_ID.endswith(default("FoundationModel"))
    secrets = resources("template.yaml", "AWS::SecretsManager::Secret")
    assert secrets["ConfigSecret"]["Name"] == DEFAULTS.config_secret
    assert json.loads(secrets["ConfigSecret"]["SecretString"]) == {}


@pytest.mark.parametrize(
    ("resource", "definition", "ttl"),
    [("Ledger", table_definition("t"), TTL_ATTRIBUTE), ("Checkpoints", checkpoints_table("t"), "ttl")],
)
def test_the_tables_are_those_of_the_code(resource: str, definition: dict[str, Any], ttl: str) -> None:
    """Keys, indexes and billing as the code defines them; old items go, and the table outlives the stack, encrypted."""
    table = TEMPLATE["Resources"][resource]
    properties = table["Properties"]
    for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"):
        assert properties.get(name) == definition.get(name), name
    assert properties["TimeToLiveSpecification"] == {"AttributeName": ttl, "Enabled": True}
    key = {"Fn::If": ["HasTablesKey", {"Ref": "TablesKmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    assert properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_rule_catches_our_jobs_when_they_have_ended() -> None:
    """The prefix is that of the names that the code makes, the states are those that the code calls terminal."""
    pattern = resources("template.yaml", "AWS::Events::Rule")["JobRule"]["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.glue"], ["Glue Job State Change"])
    assert set(pattern["detail"]["state"]) == TERMINAL_STATES
    [prefix] = [one["prefix"] for one in pattern["detail"]["jobName"]]
    assert prefix == "datamorph-job-"
    assert job_name(LaunchKey("run", 1, 1, 1), "0" * 64, "2026-01-01").startswith(f"{prefix}run-g1-a1-l1-")


def test_the_sweep_comes_every_five_minutes() -> None:
    """It is what wakes a run whose event never came."""
    rule = resources("template.yaml", "AWS::Events::Rule")["SweepRule"]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert json.loads(rule["Targets"][0]["Input"]) == {"action": "sweep"}


@pytest.mark.parametrize("name", ["JobRule", "SweepRule"])
def test_an_event_that_cannot_be_delivered_is_kept(name: str) -> None:
    """Each rule retries, keeps what it cannot deliver, and may call the function."""
    rule = resources("template.yaml", "AWS::Events::Rule")[name]
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    [target] = rule["Targets"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert target["DeadLetterConfig"] == {"Arn": queue}
    permissions = resources("template.yaml", "AWS::Lambda::Permission").values()
    assert {"Fn::GetAtt": [name, "Arn"]} in [permission["SourceArn"] for permission in permissions]
    [statement] = resources("template.yaml", "AWS::SQS::QueuePolicy")["DeadLettersPolicy"]["PolicyDocument"][
        "Statement"
    ]
    assert {"Fn::GetAtt": [name, "Arn"]} in statement["Condition"]["ArnEquals"]["aws:SourceArn"]


def test_lambda_does_not_retry_by_itself() -> None:
    """An invocation that died is kept in the queue, encrypted; the sweep is the retry."""
    invoke = GLOBALS["EventInvokeConfig"]
    assert invoke["MaximumRetryAttempts"] == 0
    assert invoke["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert resources("template.yaml", "AWS::SQS::Queue")["DeadLetters"]["SqsManagedSseEnabled"] is True


def test_a_bucket_that_the_stack_makes_is_closed() -> None:
    """No public access, encrypted, kept with the stack gone, and emptied of temporary files and of forgotten runs'."""
    bucket = TEMPLATE["Resources"]["Bucket"]
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    rules = properties["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert expiring == {"glue/temp/": 7, "glue/runs/": {"Ref": "RetentionDays"}}


def test_no_password_stands_in_the_template() -> None:
    """The database's secret is to be filled in; the Glue connection only names it."""
    stored = json.loads(resources("template.yaml", "AWS::SecretsManager::Secret")["DatabaseSecret"]["SecretString"])
    assert stored["password"] == ""
    connection = resources("template.yaml", "AWS::Glue::Connection")["Connection"]["ConnectionInput"]
    assert connection["ConnectionProperties"].keys() == {"JDBC_CONNECTION_URL", "JDBC_ENFORCE_SSL", "SECRET_ID"}
