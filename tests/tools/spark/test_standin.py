from __future__ import annotations

import pytest

from tools.spark.standin.awsglue import context, dynamicframe, transforms, utils
from tools.spark.standin.awsglue.job import Job

GLUE = ["script.py", "--JOB_NAME", "j", "--JOB_RUN_ID", "jr_1", "--TempDir", "s3://b/t/", "--staging_prefix", "s_"]


def test_listed_and_reserved_options_are_resolved() -> None:
    """Listed options come back, and so do the reserved names; others do not."""
    resolved = utils.getResolvedOptions([*GLUE, "--enable-metrics", "--other", "x"], ["JOB_NAME", "staging_prefix"])
    assert resolved == {
        "JOB_NAME": "j",
        "JOB_ID": None,
        "JOB_RUN_ID": "jr_1",
        "SECURITY_CONFIGURATION": None,
        "TempDir": "s3://b/t/",
        "RedshiftTempDir": "s3://b/t/",
        "staging_prefix": "s_",
        "encryption_type": None,
        "enable_data_lineage": None,
        "job_bookmark_option": "job-bookmark-disable",
        "job_bookmark_from": None,
        "job_bookmark_to": None,
    }


def test_an_option_may_carry_its_value_after_an_equals_sign() -> None:
    """`--name=value` is as good as `--name value`."""
    resolved = utils.getResolvedOptions(["script.py", "--JOB_NAME=a=b", "--x="], ["JOB_NAME", "x"])
    assert (resolved["JOB_NAME"], resolved["x"], resolved["TempDir"]) == ("a=b", "", None)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (["JOB_NAME", "target"], utils.GlueArgumentError, "the following arguments are required: --target"),
        (["JOB_NAME", "JOB_RUN_ID"], Exception, "conflicting option string: --JOB_RUN_ID"),
        (["JOB_NAME", "JOB_ID"], Exception, "conflicting option string: --JOB_ID"),
        (["job-bookmark-option"], RuntimeError, "Using reserved arguments job-bookmark-option"),
    ],
)
def test_what_cannot_be_resolved_is_refused(options: list[str], error: type[Exception], message: str) -> None:
    """A missing option and a reserved name in the list are errors, in the words of AWS's own."""
    with pytest.raises(error, match=message):
        utils.getResolvedOptions(GLUE, options)


@pytest.mark.parametrize(
    ("owner", "name", "full_name"),
    [
        (context, "register", "awsglue.context.register"),
        (dynamicframe, "DynamicFrameCollection", "awsglue.dynamicframe.DynamicFrameCollection"),
        (transforms, "ApplyMapping", "awsglue.transforms.ApplyMapping"),
        (dynamicframe.DynamicFrame.__new__(dynamicframe.DynamicFrame), "resolveChoice", "DynamicFrame.resolveChoice"),
        (context.GlueContext.__new__(context.GlueContext), "purge_s3_path", "GlueContext.purge_s3_path"),
        (Job.__new__(Job), "id_params", "Job.id_params"),
    ],
)
def test_what_is_missing_says_so(owner: object, name: str, full_name: str) -> None:
    """A part of Glue that does not stand here is named, instead of failing somewhere later."""
    with pytest.raises(NotImplementedError, match=full_name):
        getattr(owner, name)
