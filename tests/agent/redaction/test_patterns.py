"""Each kind of credential and each wording with row values is redacted, and ordinary text is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.diagnosis.failures import diagnose_job, finding_from_error
from agent.redaction import redact
from agent.redaction.row_patterns import ROW_VALUES
from agent.redaction.secret_patterns import SECRETS
from tests.agent.diagnosis.scene import AT_TRANSFORM, table

LETTERS = "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zA0cD" * 4


CREDENTIALS = {
    "private key": ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----",
                    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOY"],
    "url password": ["mongodb+srv://etl:Hunter2@h/x", "https://user:Hunter2@h:8443/x?y=1", "'amqp://a:Hunter2@h'"],
    "aws key id": ["AKIAIOSFODNN7EXAMPLE", "id_ASIAIOSFODNN7EXAMPLE"],
    "aws secret key": ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "key is je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY.",
                       '"yF4mM1n5u+UuWBBzYz3s3hYVbDdaVNTJp2rA9+xB"'],
    "github token": ["ghp_" + LETTERS[:36], "GH_TOKEN_gho_" + LETTERS[:36], "ghs_" + LETTERS[:40],
                     "ghr_" + LETTERS[:76],
                     "github_pat_" + LETTERS[:22] + "_" + LETTERS[:59], "https://x-access-token@h/ghu_" + LETTERS[:36]],
    "gitlab token": ["glpat-" + LETTERS[:20]],
    "slack token": ["xoxb-123456789012-1234567890123-" + LETTERS[:24], "xoxp-1234567890-123",
                    "xoxe.xoxp-1-" + LETTERS[:30],
                    "xapp-1-A012-1234-" + LETTERS[:20]],
    "slack webhook": ["https://hooks.slack.com/services/T0000/B0000/" + LETTERS[:24]],
    "model api key": ["sk-ant-api03-" + LETTERS[:90], "sk-proj-" + LETTERS[:40], "sk-" + LETTERS[:48]],
    "stripe key": ["sk_live_" + LETTERS[:24], "rk_test_" + LETTERS[:24], "whsec_" + LETTERS[:32]],
    "google key": ["AIza" + LETTERS[:35], "ya29." + LETTERS[:40], "GOCSPX-" + LETTERS[:28]],
    "registry token": ["npm_" + LETTERS[:36], "pypi-AgEIcHlwaS5vcmc" + LETTERS[:60], "hf_" + "aBcDeFgHiJ" * 3 + "kLmN",
                       "dapi" + "0123456789abcdef" * 2],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fwpM",
            "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx"],
    "authorization": ["Authorization: Basic ZXRsOkh1bnRlcjI=", "bearer abc.def.ghi1"],
    "labelled, escaped quotes": ['{\\"pass\\": \\"Hunter2\\"}'],
    "labelled, double quotes": ['"pass": "Hunter 2"', 'account_key="Hunter2=="'],
    "labelled, single quotes": ["pass = 'Hunter 2'", "{'encryption_key': 'Hunter2'}"],
    "labelled, bare": ["pass=Hunter2", "db_pass: Hunter2", "PGPASS=Hunter2", "&token=Hunter2", "AccountKey=Hunter2=="],
}  # fmt: skip
"""By the pattern's name; each value of a credential goes whole."""

ROWS = {
    "cast": ["The value 'Ann\nLee' of the type \"STRING\" cannot be cast to \"INT\" because it is malformed.",
             'The value 4711L of the type "BIGINT" cannot be cast to "INT" due to an overflow.',
             "The value 'Ann' (\"yyyy\") cannot be converted to \"DATE\" because it is malformed.",
             "The value 4711 cannot be interpreted as a numeric since it has more than 38 digits.", "The value 'An"],
    "typed literal": ['The value of the typed literal "DATE" is invalid: \'4711-13\'.'],
    "parameter": ["The value of parameter(s) `regexp` in `rlike` is invalid: 'Ann['."],
    "cannot cast": ["Cannot cast Ann to IntegerType.", "DateTimeException: Cannot cast 4711-13-13 to DateType."],
    "duplicate map key": ["[DUPLICATED_MAP_KEY] Duplicate map key Ann was found, please check the input data."],
    "missing map key": ["[MAP_KEY_DOES_NOT_EXIST] Key 'Ann' does not exist. Use", "Key 4711 does not exist."],
    "malformed record": ['Malformed records are detected in record parsing: {"a": Ann. Parse Mode: FAILFAST.',
                         "Malformed records are detected in record parsing: [Ann,\n4711]. Parse Mode: FAILFAST."],
    "malformed csv record": ["[MALFORMED_CSV_RECORD] Malformed CSV record: 4711,Ann"],
    "json source": ['at [Source: (String)"{"a": Ann"; line: 1, column: 8]'],
    "json token": ["Unrecognized token 'Ann': was expecting (JSON String"],
    "json character": ["Unexpected character ('A' (code 65)): was expecting", "Unexpected character ('4711"],
    "json field": ["Cannot parse the field name `a` and the value Ann of the JSON token type VALUE_STRING to target",
                   "Cannot parse field name a, field value Ann, [VALUE_STRING] as target spark data type [X]."],
    "csv field": ["Cannot parse field value Ann for pattern yyyy as target spark data type [DateType]."],
    "datetime": ["Fail to parse '4711-1-2 Ann' in the new parser."],
    "datetime text": ["Text '4711-1-2 Ann' could not be parsed at index 4"],
    "invalid date": ["DateTimeException: Invalid date 'Ann 4711'"],
    "datetime field": ["Invalid value for MonthOfYear (valid values 1 - 12): 4711"],
    "datetime overflow": ["Datetime operation overflow: add 4711 YEAR to DATE '4711-01-01'."],
    "interval": ["Unable to parse '4711 Ann'. Please ensure that the value provided is in a valid format"],
    "number format": ['The input "STRING" \'Ann4711\' does not match the format.',
                      "The input string 'Ann' does not match the given number format: '999'"],
    "decimal": ["4711.5 cannot be represented as Decimal(5, 2).",
                "Decimal(expanded, -4711.5, 7, 1) cannot be represented as Decimal(5, 2)."],
    "arithmetic": ["4711S + 1S caused overflow."],
    "negation": ["- -4711S caused overflow."],
    "pivot value": ["Invalid pivot value 'Ann': value data type",
                    "Pivoting by the value 'Ann' of the column data type \"X\""],
    "literal": ["Literal for 'Ann' of class java.util.ArrayList."],
    "comparison": ["returned a NULL for a comparison between Ann and 4711. It should return"],
    "url": ["The url is invalid: http://Ann 4711. If necessary",
            "The provided URL cannot be decoded: %Ann. Please ensure"],
    "uri": ["java.net.URISyntaxException: Illegal character in authority at index 7: http://Ann 4711"],
    "day of week": ["Illegal input for day of week: Ann. If necessary set"],
    "interval cast": ["`INTERVAL [+|-]'[+|-]d' DAY` when cast to interval day: Ann, set spark.sql.legacy.x to true"],
    "number": ['NumberFormatException: For input string: "Ann"'],
    "regular expression": ["PatternSyntaxException: Unclosed character class near index 3\nAnn[\n   ^"],
    "sequence": ["Illegal sequence boundaries: 4711 to 1 by 1"],
    "zone": ["Unknown time-zone ID: Ann", "Invalid ID for region-based ZoneId, invalid format: Ann 4711"],
    "partition value": ["Failed to cast value `Ann` to `int` for partition column `p`.",
                        "Failed to convert value Ann (class of String) with the type of int to JSON."],
    "enum value": ["Cannot convert SQL `a` to Protobuf `b` because Ann is not in defined values for enum: X"],
    "failing row": ["Failing row contains (4711, Ann). Failing row contains (4711,\nAnn)."],
    "key": ["Key (lower(name))=(Ann) already exists.", "Key (a, b)=(4711, Ann\nLee) is duplicated.",
            "Key (a)=(4711) conflicts with existing key (a)=(Ann).", "Key (name)=(Ann"],
    "partition key": ["Partition key of the failing row contains (day, name) = (4711, Ann)."],
    "insert": ["INSERT INTO t (a, b) VALUES (4711, f('Ann(')), (4711, 'Ann\nLee')\nERROR: what follows",
               "Batch entry 3 INSERT INTO t (a) VALUES ('Ann\n4711') was aborted: ERROR: x"],
    "input syntax": ['invalid input syntax for type integer: "Ann\nLee"', "invalid input syntax for type numeric: Ann",
                     'invalid input value for enum sales."Mood": "Ann"', 'invalid input syntax for type date: "Ann'],
    "datetime range": ['date/time field value out of range: "4711-13-01"', 'timestamp out of range: "4711"'],
    "range": ['value "4711\n" is out of range for type integer'],
    "range of a float": ['"4711e999" is out of range for type double precision'],
    "time zone": ['time zone "Ann/4711" not recognized'],
    "malformed literal": ['malformed array literal: "{Ann"', 'malformed range literal: "[4711"'],
    "template": ['invalid value "Ann" for "MM"'],
    "copy": ['COPY s_2025_ab, line 3, column full name: "Ann"', 'COPY t, line 3: "4711,Ann"'],
    "json input token": ['DETAIL: Token "Ann" is invalid.'],
    "json input": ['CONTEXT: JSON data, line 1: {"a": Ann...'],
    "json input found": ['DETAIL: Expected JSON value, but found "Ann".'],
    "json key": ['duplicate JSON object key value: "Ann"'],
    "jsonpath": ['argument "Ann" of jsonpath item method .integer() is invalid for type integer'],
    "parameters": ["CONTEXT: unnamed portal with parameters: $1 = 'Ann', $2 = '4711'"],
    "bytes": ['invalid byte sequence for encoding "UTF8": 0xe9 0x47 0x11'],
    "python value": ["invalid literal for int() with base 10: 'Ann'", "could not convert string to float: 'Ann'",
                     "ValueError: Invalid isoformat string: 'Ann 4711'"],
    "python time": ["time data 'Ann' does not match format '%Y'"],
    "arrow conversion": ["Could not convert 'Ann' with type str: tried to convert to int64"],
    "arrow parse": ["Failed to parse string: 'Ann' as a scalar of type int32"],
    "arrow range": ["Integer value 4711 not in range: -128 to 127",
                    "Float value 4711.5 was truncated converting to int"],
}  # fmt: skip
"""By the pattern's name; the values are made of Ann, Lee and 4711."""

ORDINARY = [
    "commit 3286e89f0c1d2b3a4958675645342312abcdef01, tree 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "s3://dmbckt/glue/runs/r1/g1/prompt-0a1b2c3d.md#9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "file:///home/me/.datamorph/artifacts/glue/codes/20261125_175215_6d252e_glue.py",
    "jr_8387db41510536bd25dc4c64ecd9b3908b1588f9a171f6edb8d528ab27830381",
    "arn:aws:iam::123456789012:role/lambdaroles is not authorized to perform: glue:StartJobRun",
    'Cannot resolve "sum(array(customer_id))" due to data type mismatch: cannot cast "ARRAY<INT>" to "INT".',
    "ERROR: cannot cast type text to integer", "Cannot cast IntegerType to array<string>.",
    "AnalysisException: Column 'c.password' does not exist. Did you mean one of the following? [passport_no];",
    "Reference `token` is ambiguous, could be: [`c`.`token`, `o`.`token`].",
    "select(F.col('o.pass'), F.col('secret_santa')).filter(F.col('p.key') > 3)",
    "SELECT a, sum(b) FROM t WHERE c BETWEEN 1 AND 2 GROUP BY a HAVING count(*) > 4711",
    "\tat org.apache.spark.sql.catalyst.GeneratedClass$GeneratedIteratorForCodegenStage1.processNext(Unknown Source)",
    "org.apache.spark.sql.errors.QueryExecutionErrors$.invalidInputInCastToNumberError(QueryExecutionErrors.scala:145)",
    "column total: 12 values do not fit numeric(5,2)", "The index 3 is out of bounds. The array has 1 elements.",
    'duplicate key value violates unique constraint "t_pkey"', 'relation "missing" does not exist',
    "Key pairs do not exist here; The value is computed later; Text follows", "first pass: 3 rows; a bypass: none",
    "Unable to parse file: MXvideos.csv", "basic statistics of the table, bearer of bad news",
    'If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error.',
    "Malformed records are detected in schema inference. Parse Mode: FAILFAST.",
    "INSERT INTO t SELECT a, b FROM s", "value too long for type character varying(3)", "integer out of range",
    "A field with precision 5, scale 2 must round to an absolute value less than 10^3.",
    "risk-adjusted-return, desk-organizer, task-0123456789012345678901234567890123",
    "https://docs.aws.amazon.com:443/glue/latest/dg/aws-glue-api-jobs-runs.html?x=a",
    "uuid 123e4567-e89b-12d3-a456-426614174000 and 2024-01-02T03:04:05Z",
    "com/amazonaws/services/glue/util/JsonOptions", "SparkSessionExtensionsProviderForCatalogs",
]  # fmt: skip


def cases(told: dict[str, list[str]]) -> list[object]:
    """One parameter for each text, under its pattern's name."""
    return [pytest.param(name, text, id=f"{name}-{n}") for name, texts in told.items() for n, text in enumerate(texts)]


@pytest.mark.parametrize(("name", "text"), cases(CREDENTIALS))
def test_takes_credentials_of_each_kind_out(name: str, text: str) -> None:
    """Whole, in the middle of a sentence too; twice is as once."""
    masked = redact(f"before {text} after")
    assert masked.startswith("before ")
    assert "***" in masked
    for part in ("Hunter", LETTERS[4:14], "b3Blb", "lQOY", "IOSFODNN", "MDENG", "UtnF", "tGbC", "UuWB", "hbGci", "ZXRs",
                 "ghi1", "56789abc", "1234567890", "cHlwaS5", "aBcDeF"):  # fmt: skip
        assert part not in masked
    assert redact(masked) == masked
    pattern = next(one for one in SECRETS if one.name == name)
    assert pattern.mask(text) != text


@pytest.mark.parametrize(("name", "text"), cases(ROWS))
def test_takes_row_values_of_each_wording_out(name: str, text: str) -> None:
    """Whatever stands before and behind; twice is as once."""
    masked = redact(f"ERROR: {text}\n\tat frame")
    for part in ("Ann", "Lee", "4711", "'An", "('A'", "0x47"):
        assert part not in masked
    assert masked.endswith("\n\tat frame")
    assert redact(masked) == masked
    pattern = next(one for one in ROW_VALUES if one.name == name)
    assert pattern.mask(text) != text


def test_each_pattern_has_a_case() -> None:
    """A pattern that no text needs is not there."""
    assert [*CREDENTIALS] == [pattern.name for pattern in SECRETS]
    assert [*ROWS] == [pattern.name for pattern in ROW_VALUES]


@pytest.mark.parametrize("text", ORDINARY)
def test_leaves_ordinary_text_alone(text: str) -> None:
    """Hashes, keys, run ids, SQL, names, types and stack traces: what a diagnosis is made from."""
    assert redact(text) == text


@pytest.mark.parametrize("text", [message for *_, message in table()])
def test_a_diagnosis_needs_no_row_value(text: str) -> None:
    """A redacted text gets the class, the line and, but for values, the hint of the raw text."""
    raw, masked = (diagnose_job(AT_TRANSFORM + one, "", "FAILED") for one in (text, redact(text)))
    assert raw == masked
    assert finding_from_error(AT_TRANSFORM + text, 4) == finding_from_error(AT_TRANSFORM + redact(text), 4)


def test_no_message_of_the_corpus_keeps_a_value() -> None:
    """The values that stand in recorded errors: in none of the texts that are kept."""
    text = redact((Path(__file__).parents[2] / "data" / "error_messages.txt").read_text(encoding="utf-8"))
    for value in ("'Ann'", "'abc'", "999999.5 ", "9223372036854775807L", "2020-1-2", "('1','x')", "99999999999 "):
        assert value not in text
