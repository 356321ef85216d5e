"""Artifacts on S3: conditional writes, and refusals that name the bucket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from agent.errors import ArtifactError, UnavailableError
from tests.fakes.moto_server import ACCOUNT, DEFAULTS, REGION, Aws
from tests.fakes.wire import answered, answers_lost, cut, refused, requests
from tools.aws.artifacts import S3Artifacts
from tools.aws.clients import AwsClients


@pytest.fixture
def artifacts(aws: Aws) -> S3Artifacts:
    """Open the empty bucket."""
    return S3Artifacts(aws.clients, DEFAULTS.bucket)


def test_a_reference_is_the_object_s_address(aws: Aws, artifacts: S3Artifacts) -> None:
    """The object is text in UTF-8, as a browser shows it."""
    reference = artifacts.put("glue/codes/r1_glue.py", "grüße")
    assert reference.startswith("s3://dmbckt/glue/codes/r1_glue.py#")
    held = aws.clients.get("s3").get_object(Bucket="dmbckt", Key="glue/codes/r1_glue.py")
    with held["Body"] as body:
        assert body.read() == "grüße".encode()
    assert held["ContentType"] == "text/plain; charset=utf-8"


def test_an_immutable_key_is_written_on_condition(aws: Aws, artifacts: S3Artifacts) -> None:
    """So that of two writers at once one is refused; the newest text is written without."""
    with requests(aws.clients.get("s3"), "PutObject") as sent:
        artifacts.put("k", "one")
        artifacts.put_latest("latest", "one")
    assert [request.headers.get("If-None-Match") for request in sent] == [b"*", None]


@pytest.mark.parametrize(("status", "code"), [(409, "ConditionalRequestConflict"), (412, "PreconditionFailed")])
def test_a_writer_at_the_same_time_is_noticed(aws: Aws, artifacts: S3Artifacts, status: int, code: str) -> None:
    """A writer of the same text has done this one's work; another text is an error."""
    artifacts.put("k", "one")
    with refused(aws.clients.get("s3"), "PutObject", status, code):
        assert artifacts.get(artifacts.put("k", "one")) == "one"
        with pytest.raises(ArtifactError, match="another content"):
            artifacts.put("k", "two")


def test_a_text_that_is_there_is_written_anew(aws: Aws, artifacts: S3Artifacts) -> None:
    """A lifecycle rule counts from the last write: of a restart long after the first try nothing expires midway."""
    artifacts.put("k", "one")
    with requests(aws.clients.get("s3"), "PutObject") as sent:
        artifacts.put("k", "one")
    assert [request.headers.get("If-None-Match") for request in sent] == [b"*", None]
    with requests(aws.clients.get("s3"), "PutObject") as sent, pytest.raises(ArtifactError):
        artifacts.put("k", "two")
    assert len(sent) == 1
    assert artifacts.get("s3://dmbckt/k") == "one"


def test_a_write_whose_answer_was_lost_is_recognised(aws: Aws, artifacts: S3Artifacts) -> None:
    """The second request finds the first one's text."""
    with answers_lost(aws.clients.get("s3"), "PutObject") as lost:
        assert artifacts.get(artifacts.put("k", "one")) == "one"
    assert len(lost) == 1


def test_a_reference_into_another_bucket_is_read(aws: Aws, artifacts: S3Artifacts) -> None:
    """A run that began before the bucket was changed goes on."""
    aws.clients.get("s3").create_bucket(Bucket="former")
    assert artifacts.get(S3Artifacts(aws.clients, "former").put("k", "one")) == "one"


def test_a_reference_of_another_kind_is_refused(artifacts: S3Artifacts) -> None:
    """As one of a run that began on an engineer's machine."""
    with pytest.raises(ArtifactError, match="s3://bucket/key"):
        artifacts.get("file:///home/me/.datamorph/artifacts/k#00")


def test_a_missing_bucket_is_told_by_name(aws: Aws) -> None:
    """With what to create or to set, for every call."""
    store = S3Artifacts(aws.clients, "nowhere")
    calls: list[Callable[[], object]] = [
        lambda: store.put("k", "one"),
        lambda: store.put_latest("k", "one"),
        lambda: store.get("s3://nowhere/k#00"),
    ]
    for call in calls:
        with pytest.raises(UnavailableError, match="create the bucket `nowhere`.*DATAMORPH_BUCKET") as raised:
            call()
        assert raised.value.service == "s3"


@pytest.mark.parametrize("operation", ["PutObject", "GetObject"])
def test_a_denied_bucket_names_the_action(aws: Aws, artifacts: S3Artifacts, operation: str) -> None:
    """So that the role can be mended."""
    with (
        refused(aws.clients.get("s3"), operation, 403, "AccessDenied", "Access Denied"),
        pytest.raises(UnavailableError, match=f"bucket dmbckt in us-east-1: AccessDenied.*grant .*{operation}"),
    ):
        artifacts.get(artifacts.put("k", "one"))


def test_half_an_object_is_no_changed_one(aws: Aws, artifacts: S3Artifacts) -> None:
    """The connection broke: asked again it is whole."""
    stored = artifacts.put("k", "one and another")
    with cut(aws.clients.get("s3"), "GetObject"), pytest.raises(UnavailableError, match="came cut .*ask again"):
        artifacts.get(stored)
    assert artifacts.get(stored) == "one and another"


def test_every_request_names_the_account_that_the_bucket_belongs_to(aws: Aws) -> None:
    """That of the credentials, for which STS is asked once."""
    with closing(AwsClients(REGION)) as clients:
        store, s3 = S3Artifacts(clients, DEFAULTS.bucket), clients.get("s3")
        with requests(clients.get("sts"), "GetCallerIdentity") as asked, requests(s3, "*") as sent:
            store.get(store.put("k", "one"))
            store.put("k", "one")
            s3.list_objects_v2(Bucket=DEFAULTS.bucket)
            s3.list_buckets()
    assert {request.headers.get("x-amz-expected-bucket-owner") for request in sent[:-1]} == {ACCOUNT.encode()}
    assert (len(sent) >= 5, len(asked)) == (True, 1)


def test_a_bucket_of_another_account_is_refused(aws: Aws) -> None:
    """Somebody who was faster with the name gets nothing; an account that is given is not asked for."""
    with closing(AwsClients(REGION, "210987654321")) as clients, requests(clients.get("sts"), "*") as asked:
        store = S3Artifacts(clients, DEFAULTS.bucket)
        asks: list[Callable[[], str]] = [lambda: store.put_latest("k", "one"), lambda: store.get("s3://dmbckt/k")]
        for ask in asks:
            with pytest.raises(UnavailableError, match="AccessDenied.*DATAMORPH_BUCKET.*DATAMORPH_ACCOUNT"):
                ask()
    assert asked == []


def test_an_account_that_sts_does_not_tell_can_be_given(aws: Aws) -> None:
    """The message names the setting."""
    body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    with (
        closing(AwsClients(REGION)) as clients,
        answered(clients.get("sts"), "GetCallerIdentity", 403, body),
        pytest.raises(UnavailableError, match="AccessDenied: no; .*DATAMORPH_ACCOUNT"),
    ):
        S3Artifacts(clients, DEFAULTS.bucket).put("k", "one")


def test_without_credentials_the_message_says_so(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to do."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    clients = AwsClients(REGION)
    with pytest.raises(UnavailableError, match="give AWS credentials"):
        S3Artifacts(clients, "dmbckt").put("k", "one")
    clients.close()
