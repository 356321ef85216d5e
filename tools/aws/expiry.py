"""When a bucket lets objects expire, by its lifecycle rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tools.aws.client_errors import error_code, translated
from tools.aws.clients import AwsClients


def expiry_days(clients: AwsClients, bucket: str, prefix: str) -> int | None:
    """After how many days all objects under a prefix expire; None: never. Raises UnavailableError."""
    advice = {"AccessDenied": "grant s3:GetLifecycleConfiguration on it"}
    with translated("s3", f"bucket {bucket}", clients.region, advice):
        try:
            answer = clients.get("s3").get_bucket_lifecycle_configuration(Bucket=bucket)
        except ClientError as error:
            if error_code(error) != "NoSuchLifecycleConfiguration":
                raise
            return None
    rules = (rule for rule in answer.get("Rules", ()) if rule["Status"] == "Enabled" and _reaches(rule, prefix))
    return min((rule["Expiration"]["Days"] for rule in rules if "Days" in rule.get("Expiration", ())), default=None)


def _reaches(rule: Mapping[str, Any], prefix: str) -> bool:
    """Whether a rule is about every object under the prefix: not only about those with a tag or of a size."""
    about = rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}
    return about.keys() == {"Prefix"} and prefix.startswith(about["Prefix"])
