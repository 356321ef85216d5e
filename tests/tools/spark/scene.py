"""Small Glue scripts, written by hand in the shape that a real one has."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

from tools.local.artifacts import LocalArtifacts
from tools.records import JobDefinition, JobRun
from tools.spark.engine import LocalJobRunner

_JOB = """
import hashlib
import json
import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

args = getResolvedOptions(sys.argv, ["JOB_NAME", "TempDir", "staging_prefix"])
job_run_id = args["JOB_RUN_ID"]
glue_context = GlueContext(SparkContext.getOrCreate())
spark = glue_context.spark_session
job = Job(glue_context)
job.init(args["JOB_NAME"], args)


def options(dbtable):
    return {"useConnectionProperties": "true", "connectionName": "dmdb-connection", "dbtable": dbtable}


def read(dbtable, **more):
    return glue_context.create_dynamic_frame.from_options(
        connection_type="postgresql", connection_options=options(dbtable) | more, transformation_ctx="source"
    ).toDF()


def write(frame, dbtable):
    glue_context.write_dynamic_frame.from_options(
        frame=DynamicFrame.fromDF(frame, glue_context, "result"),
        connection_type="postgresql",
        connection_options=options(dbtable),
        transformation_ctx="staging",
    )


def report(rows, columns):
    text = json.dumps({"rows": rows, "columns": columns, "job_run_id": job_run_id})
    path = f"{args['TempDir'].rstrip('/')}/reports/{job_run_id}"
    spark.range(1).select(F.lit(text).alias("value")).coalesce(1).write.text(path)


"""


def script(body: str) -> str:
    """A complete script around a body, which finds read(dbtable), write(frame, dbtable), report(rows, columns)."""
    return _JOB.lstrip() + textwrap.dedent(body).strip() + "\n\njob.commit()\n"


class Bench:
    """An engine with a database, and how tests use it."""

    def __init__(self, home: Path, runner: LocalJobRunner, artifacts: LocalArtifacts) -> None:
        self.home = home
        self.runner = runner
        self.artifacts = artifacts

    def define(self, name: str, text: str) -> None:
        """Define a job for a script."""
        reference = self.artifacts.put(f"glue/codes/{name}.py", text)
        self.runner.create(JobDefinition(name, reference, timeout_minutes=5))

    def start(self, name: str, text: str) -> str:
        """Define a job and start it."""
        self.define(name, text)
        return self.runner.start(name, {"--staging_prefix": "s_20260101_0123456789ab_"})

    def run(self, name: str, text: str) -> JobRun:
        """Define a job, start it and wait for its end."""
        return wait(self.runner, name, self.start(name, text))


def wait(runner: LocalJobRunner, name: str, job_run_id: str, state: str | None = None) -> JobRun:
    """The run once it has the state, or has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        run = runner.get(name, job_run_id)
        if run.terminal or run.state == state:
            return run
        time.sleep(0.02)
    raise TimeoutError(f"still {run}: {runner.log_tail(name, job_run_id)}")
