"""A deployed function, and all that it talks to over HTTP on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psycopg

import lambda_handler
from tests.fakes.aws_lambda import FakeLambda
from tests.fakes.bedrock import FakeBedrock
from tests.fakes.glue import FakeGlue
from tests.fakes.moto_server import Aws
from tools.models.bedrock import usd

FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:datamorph"
CANARY = "c4n4ry/s3cret+1"
"""A password that must never be seen outside the secret that holds it; a URL has it percent-encoded."""
URL_CANARY = quote(CANARY, safe="")


@dataclass
class Context:
    """The context that Lambda gives to each invocation."""

    seconds_left: float = 900.0
    function_name: str = "datamorph"
    memory_limit_in_mb: int = 3008
    invoked_function_arn: str = FUNCTION_ARN
    aws_request_id: str = "7a4c0f0e-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may last."""
        return int(self.seconds_left * 1000)


@dataclass
class Deployment:
    """One account with everything deployed."""

    aws: Aws
    glue: FakeGlue
    bedrock: FakeBedrock
    functions: FakeLambda
    database_url: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    """Answers to invocations by the Lambda service itself."""

    @property
    def model_usd(self) -> float:
        """The price of one question at the token counts that Bedrock tells here."""
        return usd("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 2000, 150)

    def invoke(self, event: object, seconds_left: float = 900.0) -> dict[str, Any]:
        """Invoke the function as Lambda does: JSON in, JSON out."""
        answer = lambda_handler.handler(json.loads(json.dumps(event)), Context(seconds_left))  # type: ignore[arg-type]
        return dict(json.loads(json.dumps(answer)))

    def invoked(self, payload: object) -> object:
        """The call of the Lambda service for an asynchronous invocation."""
        self.answers.append(self.invoke(payload))
        return self.answers[-1]

    def cold_start(self) -> None:
        """Let the next invocation begin as in a new process."""
        lambda_handler.close()

    def put_secret(self, name: str, value: object) -> None:
        """Write a secret, anew or over the old one."""
        secrets = self.aws.clients.get("secretsmanager")
        text = value if isinstance(value, str) else json.dumps(value)
        try:
            secrets.create_secret(Name=name, SecretString=text)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=name, SecretString=text)
        self.cold_start()

    def configure(self, **settings: object) -> None:
        """Write the secret with the settings."""
        self.put_secret("datamorph/config", {"poll_seconds": 0.3, "database_secret": "datamorph/database", **settings})

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the database's owner."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def journal(self, run_id: str) -> list[dict[str, Any]]:
        """Journal entries of a run, as the Logger Lambda got them."""
        payloads = [call.payload for call in self.functions.invocations if call.function == "datamorph-logger"]
        return [payload["log_entry"] for payload in payloads if payload["run_id"] == run_id]

    def job_event(self, state: str = "SUCCEEDED", **changes: object) -> dict[str, Any]:
        """The newest job run's event, as EventBridge sends it."""
        name = self.glue.started[-1]
        runs = self.aws.clients.get("glue").get_job_runs(JobName=name)["JobRuns"]
        return {
            "version": "0",
            "id": "abcdef00-1234-5678-9abc-def012345678",
            "detail-type": "Glue Job State Change",
            "source": "aws.glue",
            "account": "123456789012",
            "time": "2026-11-25T10:00:00Z",
            "region": "us-east-1",
            "resources": [],
            "detail": {
                "jobName": name,
                "severity": "INFO" if state == "SUCCEEDED" else "ERROR",
                "state": state,
                "jobRunId": runs[0]["Id"],
                "message": "Job run ended",
                **changes,
            },
        }


def event(run_id: str = "20261125_100000_abc123", **changes: Any) -> dict[str, Any]:
    """A small start: totals of orders by customer, in words and structured."""
    return {
        "run_id": run_id,
        "specs": {
            "source_tables": [{"table_name": "orders", "alias": "o"}],
            "target_table": {
                "name": "totals",
                "columns": [{"name": "customer", "type": "text"}, {"name": "total", "type": "numeric(12,2)"}],
                "write_mode": "overwrite",
            },
            "aggregations": [{"function": "sum", "column": "amount", "alias": "total", "group_by": ["customer"]}],
        },
        **changes,
    }


TRANSFORM = '''def transform(sources: dict[str, DataFrame]) -> DataFrame:
    """Totals by customer."""
    orders = sources["o"]
    return orders.groupBy(F.col("o.customer").alias("customer")).agg(F.sum(F.col("o.amount")).alias("total"))
'''
REPLY = f"Here it is:\n\n```python\n{TRANSFORM}```\n"
TOO_LARGE = REPLY.replace(
    'F.sum(F.col("o.amount"))',
    'F.sum(F.when(F.col("o.customer") == "b", F.lit(10000000000000)).otherwise(F.col("o.amount")))',
)
"""Right on sample rows without customer b, and too large for numeric(12,2) on the table's; broken on purpose."""
