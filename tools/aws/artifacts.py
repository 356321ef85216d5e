"""Artifacts on S3: immutable keys by conditional writes, references with a hash, expiry by lifecycle rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from botocore.exceptions import ClientError

from agent.errors import ArtifactError
from tools.aws.client_errors import error_code, translated
from tools.aws.clients import AwsClients

_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")
_MISSING = ("NoSuchKey", "NoSuchVersion")


class S3Artifacts:
    """An ArtifactStore in one bucket; references into other buckets can be read too."""

    def __init__(self, clients: AwsClients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def put(self, key: str, text: str) -> str:
        """Store under an immutable key. Raises ArtifactError when the key holds another text."""
        if not self._put(key, text, IfNoneMatch="*"):
            if self._read(self._bucket, key, self._uri(key)) != text.encode():
                raise ArtifactError(self._uri(key), "is already stored with another content")
            # The second write renews the object's age: a restart may come weeks later, and objects expire by age.
            self._put(key, text)
        return f"{self._uri(key)}#{hashlib.sha256(text.encode()).hexdigest()}"

    def put_latest(self, key: str, text: str) -> str:
        """Store under a key that always holds the newest text."""
        self._put(key, text)
        return self._uri(key)

    def get(self, ref: str) -> str:
        """The text of a reference. Raises ArtifactError when it is missing or not what was stored."""
        uri, _, sha = ref.partition("#")
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not key:
            raise ArtifactError(ref, "is not of the form s3://bucket/key; the run began with another artifact store")
        data = self._read(bucket, key, ref)
        if sha and hashlib.sha256(data).hexdigest() != sha:
            raise ArtifactError(ref, "was changed after it was stored")
        return data.decode()

    def _uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def _put(self, key: str, text: str, **condition: str) -> bool:
        """Store a text; False when the condition does not hold."""
        with self._translated(self._bucket):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=text.encode(),
                    ContentType="text/plain; charset=utf-8",
                    **condition,
                )
            except ClientError as error:
                if error_code(error) not in _TAKEN:
                    raise
                return False
        return True

    def _read(self, bucket: str, key: str, ref: str) -> bytes:
        with self._translated(bucket):
            try:
                # The body's own context manager gives the bare stream, which checks neither length nor checksum.
                with closing(self._client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
                    data: bytes = body.read()
            except ClientError as error:
                if error_code(error) not in _MISSING:
                    raise
                raise ArtifactError(ref, f"is missing; was bucket {bucket} emptied?") from None
        return data

    @property
    def _client(self) -> Any:
        return self._clients.get("s3")

    def _translated(self, bucket: str) -> Any:
        remedy = f"create the bucket `{bucket}`, or name another one with DATAMORPH_BUCKET"
        denied = (
            "grant s3:GetObject and s3:PutObject on it to the credentials in use; where it belongs to another account, "
            "name a bucket of your own with DATAMORPH_BUCKET, or that account with DATAMORPH_ACCOUNT"
        )
        advice = {
            **dict.fromkeys(("NoSuchBucket", "AllAccessDisabled", "InvalidBucketName"), remedy),
            "AccessDenied": denied,
        }
        return translated("s3", f"bucket {bucket}", self._clients.region, advice)


def expiry_days(clients: AwsClients, bucket: str, prefix: str) -> int | None:
    """Days after which the bucket's lifecycle rules delete all objects under a prefix; None: never.

    Raises UnavailableError.
    """
    advice = {"AccessDenied": "grant s3:GetLifecycleConfiguration on it"}
    with translated("s3", f"bucket {bucket}", clients.region, advice):
        try:
            answer = clients.get("s3").get_bucket_lifecycle_configuration(Bucket=bucket)
        except ClientError as error:
            if error_code(error) != "NoSuchLifecycleConfiguration":
                raise
            return None
    rules = (rule for rule in answer.get("Rules", ()) if rule["Status"] == "Enabled" and _covers(rule, prefix))
    return min((rule["Expiration"]["Days"] for rule in rules if "Days" in rule.get("Expiration", ())), default=None)


def _covers(rule: Mapping[str, Any], prefix: str) -> bool:
    """True when a rule applies to every object under the prefix, whatever its tags and size."""
    # Rules of the older form have Prefix beside Filter; an empty Filter means all objects.
    condition = rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}
    return condition.keys() == {"Prefix"} and prefix.startswith(condition["Prefix"])
