"""From a model's reply to the source of transform."""

from __future__ import annotations

import pytest

from agent.errors import ReplyError
from agent.sanitizing.policy import check_policy
from agent.sanitizing.reply import extract, root_cause
from tests.agent.sanitizing.gate_cases import extract_transform

HEADER = "def transform(sources: dict[str, DataFrame]) -> DataFrame:\n"
PLAIN = HEADER + '    return sources["a"]\n'
OTHER = HEADER + '    return sources["b"]\n'


def fenced(code: str, mark: str = "```", language: str = "python") -> str:
    """Code between fences."""
    return f"{mark}{language}\n{code}{mark}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PLAIN, id="no fence"),
        pytest.param("Here it is.\n\n" + PLAIN + "\nThis joins nothing.\n", id="no fence between prose"),
        pytest.param(fenced(PLAIN), id="python"),
        pytest.param(fenced(PLAIN, language="py"), id="py"),
        pytest.param(fenced(PLAIN, language="pyspark"), id="pyspark"),
        pytest.param(fenced(PLAIN, language="Python3"), id="Python3"),
        pytest.param(fenced(PLAIN, language=" python title=x"), id="words after the language"),
        pytest.param(fenced(PLAIN, language=""), id="no language"),
        pytest.param(fenced(PLAIN, "~~~"), id="tildes"),
        pytest.param(fenced(PLAIN, "````"), id="four backticks"),
        pytest.param("```python\n" + PLAIN, id="unclosed"),
        pytest.param(fenced(PLAIN).replace("\n", "\r\n"), id="CRLF"),
        pytest.param("\ufeff" + fenced(PLAIN), id="byte order mark"),
        pytest.param("Sure!\n" + fenced(PLAIN) + "It works by *magic*.\n", id="prose around"),
        pytest.param("1. Do this:\n\n" + "".join(f"   {line}\n" for line in fenced(PLAIN).splitlines()), id="indented"),
        pytest.param(fenced("SELECT 1\n", language="sql") + fenced(PLAIN), id="another block before"),
        pytest.param(fenced(PLAIN) + fenced("pip install x\n", language="bash"), id="another block after"),
        pytest.param(fenced(PLAIN) + "```\nexpected output\n", id="an unclosed block after"),
        pytest.param(fenced(OTHER) + "Better:\n" + fenced(PLAIN), id="the last of two"),
        pytest.param(fenced(PLAIN) + "or\n" + fenced(HEADER + "    return (\n"), id="the last complete of two"),
        pytest.param(fenced("from pyspark.sql import functions as F\n" + PLAIN), id="import of F"),
        pytest.param(
            fenced(
                "from __future__ import annotations\nfrom typing import Dict\nimport pyspark.sql.functions as F\n"
                "from pyspark.sql import (\n    DataFrame,\n    Window,\n    types as T,\n)\n"
                "from pyspark.sql.window import Window\n\n\n" + PLAIN
            ),
            id="all provided imports",
        ),
        pytest.param(fenced('"""A module."""\n' + PLAIN), id="module docstring"),
        pytest.param(fenced(PLAIN.replace("dict[str, DataFrame]", "Dict[str, 'DataFrame']")), id="other annotations"),
        pytest.param(fenced('def transform(sources):\n    return sources["a"]\n'), id="no annotations"),
        pytest.param(
            fenced('def transform(\n    sources: dict,  # by alias\n) -> DataFrame:\n    return sources["a"]\n'),
            id="a header on several lines",
        ),
        pytest.param(fenced(PLAIN.replace("    return", "\u00a0\u00a0\u00a0\u00a0return")), id="non-breaking blanks"),
        pytest.param(fenced(PLAIN.replace("sources[", "sources\u200b[")), id="zero width"),
        pytest.param("ROOT CAUSE: a name was wrong.\n\n" + fenced(PLAIN), id="root cause first"),
        pytest.param("ROOT CAUSE: a name was wrong.\n" + PLAIN, id="root cause, no fence"),
    ],
)
def test_finds_the_transform_in_any_dress(text: str) -> None:
    """Fences, prose, provided imports and odd blanks do not matter."""
    assert extract_transform(text, "end_turn") == PLAIN


@pytest.mark.parametrize(
    "body",
    [
        '    """Example:\n\n    ```\n    x\n    ```\n    """\n    return sources["a"]\n',
        '    note = """\n```python\ndef transform(sources):\n    return 1\n```\n"""\n    return sources["a"]\n',
        '    x = "```"\n    return sources["a"]\n',
        '    x = "non\u00a0breaking\u200b #"  # a\u00a0comment\n    return sources["a"]\n',
        '    x = "“smart”"\n\n    # a comment\n    return sources["a"]\n',
        '    x = r"""a\\\\"""\n    return sources["ä"]\n',
        '    x = (\n1\n)\n    return sources["a"]\n',
    ],
)
@pytest.mark.parametrize("dress", [fenced, str], ids=["fenced", "plain"])
def test_keeps_the_body_as_it_is(body: str, dress: object) -> None:
    """Strings, comments and blank lines of the function stay byte for byte, also where they hold a fence."""
    source = HEADER + body
    assert extract_transform(fenced(source) if dress is fenced else source, "end_turn") == source


@pytest.mark.parametrize(
    ("text", "stop_reason", "rule", "line"),
    [
        (fenced(PLAIN), "max_tokens", "reply_truncated", None),
        ("", "max_tokens", "reply_truncated", None),
        ("", "end_turn", "reply_empty", None),
        (" \n\ufeff\u00a0", "end_turn", "reply_empty", None),
        ("I cannot do that.", "end_turn", "no_transform", None),
        (fenced("x = 1\n"), "end_turn", "no_transform", None),
        (fenced("class A:\n    def transform(sources):\n        return 1\n"), "end_turn", "no_transform", None),
        (fenced(HEADER + "    return (\n"), "end_turn", "syntax_error", 2),
        (fenced(HEADER + "    x = 1\n    return sources[“a”]\n"), "end_turn", "syntax_error", 3),
        ("```python\n" + HEADER + '    return sources["a', "end_turn", "syntax_error", 2),
        (fenced("def transform(sources, spark):\n    return 1\n"), "end_turn", "signature", 1),
        (fenced("def transform(frames):\n    return 1\n"), "end_turn", "signature", 1),
        (fenced("def transform(sources=None):\n    return 1\n"), "end_turn", "signature", 1),
        (fenced("def transform(sources, **rest):\n    return 1\n"), "end_turn", "signature", 1),
        (fenced("async def transform(sources):\n    return 1\n"), "end_turn", "signature", 1),
        (fenced("@cached\ndef transform(sources):\n    return 1\n"), "end_turn", "signature", 2),
        (fenced(PLAIN + OTHER), "end_turn", "signature", 3),
    ],
)
def test_says_what_is_wrong(text: str, stop_reason: str, rule: str, line: int | None) -> None:
    """A reply without one usable transform is an error that names the rule and the line."""
    with pytest.raises(ReplyError) as caught:
        extract_transform(text, stop_reason)
    assert (caught.value.rule, caught.value.line) == (rule, line)


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ("import os\nNAME = os.name\n", "import"),
        ("from os import name\nNAME = name\n", "import"),
        ("main()\n", "node"),
        ("for exec in []:\n    pass\n", "node"),
        ("@cached\ndef helper(df):\n    return df\n", "node"),
    ],
)
def test_leaves_other_statements_to_the_policy(extra: str, rule: str) -> None:
    """Code that cannot be moved stays in the source, and moved code is checked too: the policy reports it."""
    source = extract_transform(fenced(extra + PLAIN), "end_turn")
    assert rule in [found["rule"] for found in check_policy(source)]


@pytest.mark.parametrize(
    "unused",
    [
        "import os\n",
        "from pyspark.sql import SparkSession, functions as F\n",
        "import pyspark.sql.functions as F\nimport os\n",
        "from __future__ import annotations\nfrom typing import Dict\n",
        "from awsglue.context import GlueContext\n",
        '"""What this is."""\n',
    ],
)
def test_drops_what_nothing_uses(unused: str) -> None:
    """Imports that the script has anyway, or that nothing uses, are no reason to refuse a reply."""
    assert extract_transform(fenced(unused + PLAIN), "end_turn") == PLAIN


BESIDE = '''from pyspark.sql.functions import *
import pyspark.sql.functions as f

# what counts
STATUSES = ("paid",
            "shipped")
TEXT = """first
second"""


def total(df: "DataFrame", column: str = "x") -> DataFrame:
    """The sum."""
    return df.agg(f.sum(column))


def transform(sources):
    """One row."""
    return total(sources["a"].filter(col("s").isin(*STATUSES)))
'''
INSIDE = (
    HEADER
    + '''    """One row."""
    from pyspark.sql.functions import col
    import pyspark.sql.functions as f
    # what counts
    STATUSES = ("paid",
                "shipped")
    TEXT = """first
second"""
    def total(df: "DataFrame", column: str = "x") -> DataFrame:
        """The sum."""
        return df.agg(f.sum(column))
    return total(sources["a"].filter(col("s").isin(*STATUSES)))
'''
)


def test_moves_helpers_into_the_function() -> None:
    """Imports, constants and helpers become local; the texts in them keep their lines."""
    assert extract_transform(fenced(BESIDE), "end_turn") == INSIDE
    assert extract_transform(BESIDE, "end_turn") == INSIDE
    assert check_policy(INSIDE) == check_policy(BESIDE) == []


def test_moves_helpers_into_a_function_of_one_line() -> None:
    """A body on the line of the header gets a line of its own."""
    code = "N = 1\ndef transform(sources): return sources['a'].limit(N)\n"
    assert extract_transform(fenced(code), "end_turn") == HEADER + "    N = 1\n    return sources['a'].limit(N)\n"


def test_takes_helpers_behind_the_function_without_a_fence() -> None:
    """Helpers behind a transform without fences belong to it; the prose behind them does not."""
    code = PLAIN.rstrip("\n") + "\n\ndef helper(df):\n    return df\n\nThat is all.\n"
    assert "def helper" in extract_transform(code, "end_turn")
    assert "That" not in extract_transform(code, "end_turn")


@pytest.mark.parametrize(
    ("code", "inside"),
    [
        ('X = 1\ndef transform(sources): "doc"; return X\n', '    X = 1\n    "doc"; return X\n'),
        ("N=5\ndef transform(sources):\n    return N\n", "    N=5\n    return N\n"),
        ("A, B = 1, 2\ndef transform(sources):\n    return A\n", "    A, B = 1, 2\n    return A\n"),
        ("K = 2\ndef transform(sources) \\\n  :\n    return K\n", "    K = 2\n    return K\n"),
        ('def transform(sources):\n    return """a\n   \nb"""\n', '    return """a\n   \nb"""\n'),
        (
            "N = 2\ndef h():\n    return N\ndef transform(sources):\n    N = 3\n    return h()\n",
            "    N = 2\n    def h():\n        return N\n    def rows(sources):\n        N = 3\n        return h()\n"
            "    return rows(sources)\n",
        ),
        (
            "from math import floor\nfrom pyspark.sql.functions import *\n"
            "def transform(sources):\n    return floor(lit(1))\n",
            "    from math import floor\n    from pyspark.sql.functions import floor, lit\n    return floor(lit(1))\n",
        ),
    ],
)
def test_moving_changes_no_meaning(code: str, inside: str) -> None:
    """Names mean what they meant beside the function, and texts keep their blanks, with a fence and without."""
    assert extract_transform(fenced(code), "end_turn") == HEADER + inside
    assert extract_transform(code, "end_turn") == HEADER + inside


@pytest.mark.parametrize("code", ["    def f(a, a):\n        return a\n", "    xs = [x for x in (z := [1])]\n"])
def test_what_python_does_not_compile_is_told(code: str) -> None:
    """A text that Python parses and then refuses is a syntax error of the reply, or a finding."""
    source = f"def transform(sources):\n{code}    return sources\n"
    with pytest.raises(ReplyError) as caught:
        extract_transform(fenced(source), "end_turn")
    assert caught.value.rule == "syntax_error"


def test_a_text_that_does_not_end_is_read_once() -> None:
    """Forty backslashes behind an open quote take no longer than four."""
    assert extract_transform(PLAIN + "'''" + "\\" * 4000, "end_turn") == PLAIN


def test_leaves_out_what_keeps_a_frame_in_memory() -> None:
    """cache() and persist() are left out with one note: the script keeps the result itself."""
    code = HEADER + '    a = (\n  sources["ä"]\n ).cache().persist(b.cache())\n    a.unpersist()\n    return a\n'
    found = extract(fenced(code), "end_turn")
    assert found.source == HEADER + '    a = (\n  sources["ä"]\n )\n    a\n    return a\n'
    assert len(found.notes) == 1


def test_extracting_twice_changes_nothing() -> None:
    """The extracted source is a reply that gives itself."""
    once = extract_transform(fenced("import pyspark.sql.functions as F\n" + PLAIN), "end_turn")
    assert extract_transform(once, "end_turn") == once


def test_long_prose_with_many_fences_ends_soon() -> None:
    """Thousands of fences cost no more than a moment."""
    with pytest.raises(ReplyError):
        extract_transform("```\nx\n" * 3000 + "def transform(sources):\n    return (\n", "end_turn")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("ROOT CAUSE: the alias was lost.\n\n" + fenced(PLAIN), "the alias was lost."),
        ("**ROOT CAUSE:** the alias\nwas lost.\n" + fenced(PLAIN), "the alias was lost."),
        ("Root cause: x\n" + PLAIN, "x"),
        ("Some words.\nROOT CAUSE: x\r\n\r\nmore", "x"),
        (fenced(PLAIN), ""),
        ("", ""),
        ("ROOT CAUSE: " + "x" * 5000, "x" * 1000),
    ],
)
def test_root_cause_is_what_the_reply_says(text: str, cause: str) -> None:
    """A repair's reply may name the cause in front of its code."""
    assert root_cause(text) == cause
