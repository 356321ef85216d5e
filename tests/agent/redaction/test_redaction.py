"""Secrets and row values do not get into what is stored, shown or asked."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest

from agent.redaction import clip, redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://etl:p@ss/w:rd@db:5432/x refused", "postgresql://etl:***@db:5432/x refused"),
        (
            "jdbc:postgresql://db/x?user=etl&password=s3cr3t&ssl=true",
            "jdbc:postgresql://db/x?user=etl&password=***&ssl=true",
        ),
        ("postgresql://etl:Hunter'2secret@db/x refused", "postgresql://etl:***@db/x refused"),
        ('postgresql://etl:Hunter"2secret@db/x', "postgresql://etl:***@db/x"),
        ("'postgresql://etl:Hunter',2\"secret@db/x'", "'postgresql://etl:***@db/x'"),
        ('{"url":"postgresql://a:b@h/x","mail":"c@d"}', '{"url":"postgresql://a:***@h/x","mail":"c@d"}'),
        ('{"url":"postgresql://h:5432/x","mail":"c@d"}', '{"url":"postgresql://h:5432/x","mail":"c@d"}'),
        *[(f"password=Hunter{mark}2secret, user=x", "password=***, user=x") for mark in ",;&'\")}]"],
        ("password=Hunter,2;&secret;user=x", "password=***;user=x"),
        ("connect(password=Hunter,2secret)", "connect(password=***)"),
        ("{password:x,user:y}", "{password:***,user:y}"),
        (r'{"password": "Hunter\"2secret", "user": "x"}', '{"password": "***", "user": "x"}'),
        (r"{'password': 'Hunter\'2secret', 'a': 1}", "{'password': '***', 'a': 1}"),
        ("password='Hunter''2secret' user='x'", "password='***' user='x'"),
        ('{"password":"","user":"x"}', '{"password":"***","user":"x"}'),
        (r'"{\"password\": \"Hunter\\\"2secret\", \"a\": 1}"', r'"{\"password\": \"***\", \"a\": 1}"'),
        ('password="Hunter 2secret\nnext', 'password="***"\nnext'),
        (r"password=\Hunter2", "password=***"),
        ("'password' => 'Hunter2'", "'password' => '***'"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ('{"password": "a b\'c", "user": "x"}', '{"password": "***", "user": "x"}'),
        ("{'secret': 'x y', 'a': 1}", "{'secret': '***', 'a': 1}"),
        ("Authorization: Bearer eyJhbGciOi.J9-x_y", "Authorization: Bearer ***"),
        ("key AKIAIOSFODNN7EXAMPLE.", "key ***."),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = ***"),
        ("aws_session_token: IQoJb3JpZ2lu/x==", "aws_session_token: ***"),
        ("?X-Amz-Credential=AKIA/x&X-Amz-Signature=abc123", "?X-Amz-Credential=***&X-Amz-Signature=***"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb", "a\n***\nb"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "***"),
        (
            'null value in column "n" violates not-null constraint\n  Detail: Failing row contains (1, null, a) b).',
            'null value in column "n" violates not-null constraint\n  Detail: Failing row contains (***).',
        ),
        ("Failing row contains (1, two\nlines).\n\tat x", "Failing row contains (***).\n\tat x"),
        ("Failing row contains (1, cut off", "Failing row contains (***)."),
        ("Key (id, day)=(3, x)y) already exists.", "Key (id, day)=(***) already exists."),
        ('Key (id)=(3) is not present in table "t".', 'Key (id)=(***) is not present in table "t".'),
        ("Key (id)=(3 cut", "Key (id)=(***)"),
        (
            'Batch entry 0 INSERT INTO t ("id","n") VALUES (\'1\',\'x\n)y\') was aborted: ERROR: column "id" is of',
            'Batch entry 0 INSERT INTO t ("id","n") VALUES (***) was aborted: ERROR: column "id" is of',
        ),
        ("Batch entry 0 INSERT INTO t (\"id\") VALUES ('1',\nleft", 'Batch entry 0 INSERT INTO t ("id") VALUES (***)'),
        ("INSERT INTO t VALUES (1, 'x');", "INSERT INTO t VALUES (***)"),
        ('invalid input syntax for type integer: "12a"', 'invalid input syntax for type integer: "***"'),
        ('value "99999999999" is out of range for type integer', 'value "***" is out of range for type integer'),
        (
            "The value 'Ann' of the type \"STRING\" cannot be cast",
            "The value '***' of the type \"STRING\" cannot be cast",
        ),
        ("Fail to parse '2020-1-2 Mon' in the new parser", "Fail to parse '9999-9-9 aaa' in the new parser"),
    ],
)
def test_takes_credentials_and_row_values_out(text: str, expected: str) -> None:
    """Secrets and values of rows become ***, names and the rest stay; redaction is idempotent."""
    assert redact(text) == expected
    assert redact(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the basic education level",
        "Column 'c.customer_id' does not exist. Did you mean one of the following? [customer_id, n];",
        "A field with precision 5, scale 2 must round to an absolute value less than 10^3.",
        'duplicate key value violates unique constraint "t_pkey"',
        "password authentication failed for user",
        "https://spark.apache.org/docs/latest/sql-ref.html and a@b.c",
        'F.col("o.token"), unexpected token: end',
    ],
)
def test_leaves_other_text_alone(text: str) -> None:
    """A text without secrets is not touched."""
    assert redact(text) == text


def test_takes_given_secrets_out() -> None:
    """Known secrets go wherever they stand, the longest first, also percent-encoded; trifles stay."""
    assert redact("x p@ss p%40ss p@ssword ab", ["p@ss", "p@ssword", "ab", ""]) == "x *** *** *** ab"


SECRET = "Hunter'2 se/crét+?\"x"
FORMS = {
    "plain": SECRET,
    "percent": quote(SECRET, safe=""),
    "percent, small": re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe="")),
    "percent, some": quote(SECRET, safe="/+'?"),
    "form": quote_plus(SECRET),
    "json": json.dumps(SECRET),
    "json, unicode": json.dumps(SECRET, ensure_ascii=False),
    "json in json": json.dumps(json.dumps(SECRET, ensure_ascii=False), ensure_ascii=False),
    "repr": repr(SECRET),
    **{f"base64 {n}": b64encode(b"etl:"[:n] + SECRET.encode()).decode() for n in range(5)},
    "base64, url": urlsafe_b64encode(SECRET.encode()).decode(),
    "base64, amid": b64encode(f"etl:{SECRET}@db".encode()).decode(),
    "base64, quoted": quote(b64encode(SECRET.encode()), safe=""),
}


@pytest.mark.parametrize("form", FORMS)
def test_takes_every_form_of_a_secret_out(form: str) -> None:
    """A word before and a word after stay, and nothing of the secret does."""
    masked = redact(f"before {FORMS[form]} after", [SECRET])
    assert re.fullmatch(r"before [\w\\\"']{0,8}\*\*\*[\w\\\"']{0,4} after", masked)
    for part in ("Hunter", "2 se", "x", "SHVudGV", "h1bnRlc", "IdW50ZX"):
        assert part not in masked


def test_a_secret_that_is_a_word_leaves_longer_words_alone() -> None:
    """Else a password `postgres` would take the evidence out of every message of the driver."""
    text = "org.postgresql.util.PSQLException at postgres: postgres_x 'postgres'"
    assert redact(text, ["postgres"]) == "org.postgresql.util.PSQLException at ***: ***_x '***'"


WORD = "swordfishtrombone"


@pytest.mark.parametrize(
    "before",
    [
        quote("postgresql://u:", safe=""),
        quote("postgresql://u:", safe="").lower(),
        *(json.dumps(f"a{mark}")[1:-1] for mark in "\b\f\n\r\t\x1f\u2028"),
        *(repr(f"a{mark}")[1:-1] for mark in "\n\x1b"),
        json.dumps(json.dumps("a\n"))[3:-3],
        "password \\033",
        f"{WORD} ",
    ],
)
def test_a_secret_that_is_a_word_stands_alone_behind_an_escape(before: str) -> None:
    """The letter or digit in front of it ends an escape, and is of no word."""
    masked = redact(f"{before}{WORD}{quote('@db', safe='')}", [WORD])
    assert masked == f"{before.replace(WORD, '***')}***%40db"


def test_clip_keeps_head_and_tail() -> None:
    """A long text keeps both ends within the limit and says what is missing."""
    clipped = clip("a" * 5000 + "b" * 5000)
    assert len(clipped) <= 4000
    assert clipped.startswith("aaa")
    assert clipped.endswith("bbb")
    assert "characters left out" in clipped


@pytest.mark.parametrize("limit", [0, 1, 20, 60, 99, 100])
def test_clip_never_exceeds_its_limit(limit: int) -> None:
    """Any limit holds."""
    assert len(clip("x" * 100, limit)) <= limit
    assert clip("x" * limit, limit) == "x" * limit
