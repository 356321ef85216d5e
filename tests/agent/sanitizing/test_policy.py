"""The policy: the calls, names and forms that a transform may use."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agent.sanitizing.policy import MAX_CHARACTERS, check_policy
from agent.sanitizing.spark_names import (
    COLUMN_METHODS,
    FRAME_METHODS,
    FUNCTIONS,
    TYPES,
    UNSTABLE_FUNCTIONS,
    functions,
    sql_functions,
)
from agent.sanitizing.sql_policy import check_sql

DATA = Path(__file__).parents[2] / "data"
HEADER = "def transform(sources: dict[str, DataFrame]) -> DataFrame:\n"


def blocks(file: str) -> list[tuple[str, str]]:
    """The transforms of a data file: a title and the source, from `### title` to the next one."""
    parts = (DATA / file).read_text(encoding="utf-8").split("### ")[1:]
    return [(title, HEADER + body) for title, _, body in (part.partition("\n") for part in parts)]


BENIGN = blocks("benign_transforms.txt")
HOSTILE = blocks("hostile_transforms.txt")


def only(body: str, allow_udfs: bool = False) -> tuple[str, str, int | None]:
    """Rule, hint and line of the one finding against a body."""
    [found] = check_policy(f"{HEADER}    {body}\n", allow_udfs)
    return found["rule"], found["hint"], found["line"]


@pytest.mark.parametrize("source", [pytest.param(source, id=title) for title, source in BENIGN])
def test_lets_ordinary_transforms_pass(source: str) -> None:
    """The transforms of good models are accepted."""
    assert check_policy(source) == []


@pytest.mark.parametrize(
    ("rule", "source"), [pytest.param(title.split(" | ")[0], source, id=title) for title, source in HOSTILE]
)
def test_refuses_what_a_transform_has_no_need_of(rule: str, source: str) -> None:
    """Every way out that is known is refused under its rule."""
    assert rule in [found["rule"] for found in check_policy(source)]


def test_data_files_are_as_large_as_promised() -> None:
    """At least 60 benign and 40 hostile transforms are tried, and all of them are Python."""
    assert len(BENIGN) >= 60
    assert len(HOSTILE) >= 40
    for _, source in BENIGN + HOSTILE:
        ast.parse(source)


def test_every_finding_has_line_message_and_hint() -> None:
    """A refusal says where, what and what to write instead."""
    for title, source in HOSTILE:
        for found in check_policy(source):
            assert found["message"], title
            assert found["hint"], title
            assert found["line"] is not None, title


@pytest.mark.parametrize(
    ("body", "rule", "hint"),
    [
        ('return sources["a"].select(lit)', "name", "write F.lit"),
        ('return sources["a"].agg(sum("x"))', "name", "write F.sum"),
        ('return sources["a"].select(F.col("x").lower())', "attribute", "write F.lower(...)"),
        ('return sources["a"].agg(F.summ("x"))', "function", "did you mean F.sum?"),
        ('return sources["a"].agg(F.split_part("x"))', "function", 'write F.expr("split_part(...)")'),
        ('return sources["a"].groupBuy("x")', "attribute", "did you mean .groupBy?"),
        (
            'return sources["a"].select(sources["a"].total)',
            "attribute",
            'write F.col("total") or F.col("alias.total")',
        ),
        ('return sources["a"].selectExpr("uper(x)")', "sql", "did you mean upper()?"),
        ('return sources["a"].selectExpr("x::int")', "sql", "write CAST(x AS type)"),
    ],
)
def test_hints_name_what_to_write_instead(body: str, rule: str, hint: str) -> None:
    """The nearest allowed name stands in the hint."""
    assert only(body) == (rule, hint, 2)


def test_reports_all_findings_in_order() -> None:
    """One look gives all findings, by line."""
    source = "import os\n" + HEADER + '    print("x")\n    return sources["a"].collect()\n'
    assert [(f["rule"], f["line"]) for f in check_policy(source)] == [("import", 1), ("name", 3), ("action", 4)]


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        (HEADER + "    return None\n" + HEADER + "    return None\n", "node"),
        ("x = 1\nx = 2\n" + HEADER + "    return None\n", "name"),
        ("max = 1\n" + HEADER + "    return None\n", "name"),
        ("def exec(x):\n    return 1\n" + HEADER + "    return None\n", "name"),
        ("for exec in []:\n    pass\n" + HEADER + "    return exec('1')\n", "name"),
        ("def transform(sources, spark):\n    return sources\n", "node"),
        ("def transform(sources, *rest):\n    return sources\n", "node"),
        ("def transform(sources=print(1)):\n    return sources\n", "node"),
        ("@print\ndef transform(sources):\n    return sources\n", "node"),
        ("async def transform(sources):\n    return sources\n", "node"),
        ("def transform(sources):\n    return (\n", "syntax_error"),
        ("def transform(sources):\n    try:\n        pass\n    except* OSError:\n        pass\n", "syntax_error"),
        ("def transform(sources):\n    return " + "(" * 300 + ")" * 300 + "\n", "syntax_error"),
        (HEADER + "    return sources" + '.select("x")' * 200 + "\n", "size"),
        (HEADER + "    # " + "x" * MAX_CHARACTERS + "\n    return sources\n", "size"),
    ],
)
def test_refuses_other_shapes(source: str, rule: str) -> None:
    """Exactly one plain function of reasonable size is accepted."""
    assert rule in [found["rule"] for found in check_policy(source)]


NOT_3_10 = r"""
f"{d["a"]}"
f'{d['a']}'
d[*b]
f"{d["a"]:{"x"}}"
f'{"\n"}'
"""


@pytest.mark.parametrize("expression", NOT_3_10.split())
def test_what_python_3_10_cannot_read_is_refused_on_every_host(expression: str) -> None:
    """The runtime's Python decides, not the one that checks, whose parser may accept more."""
    source = f'{HEADER}    d, b = {{"a": "x"}}, [0]\n    return sources[{expression}]\n'
    assert [found["rule"] for found in check_policy(source)] == ["syntax_error"]


def test_format_strings_of_python_3_10_pass_on_every_host() -> None:
    """Other quotes inside, nested formats, and text with several quotes are Python 3.10."""
    body = r"""x = f"{'a'}_{3:>{4}}" + f'''{"b"} it's "so"''' + rf"\d{1}"; return sources[x]"""
    assert check_policy(f"{HEADER}    {body}\n") == []


def test_udfs_are_not_supported_even_when_allowed() -> None:
    """The option changes what the refusal says."""
    body = 'return sources["a"].withColumn("x", F.udf("x")("y"))'
    found = check_policy(f"{HEADER}    {body}\n", allow_udfs=True)
    assert any("not supported yet" in one["message"] for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "a + 1", "CASE WHEN a = 1 THEN 'x' ELSE 'y' END", "count(DISTINCT a)", "sum(a) FILTER (WHERE b > 0)",
        "a IN (1, 2)", "NOT (a AND b)", "CAST(a AS decimal(10, 2))", "date '2024-01-31'", "it.values + it.set",
        "element_at(a, 1)", "a[0]", "`strange name` > 1", "row_number() OVER (PARTITION BY a ORDER BY b DESC)",
        "a BETWEEN 1 AND 2", r"'it\'s; -- not a comment'", "x -> x + 1", "trim(BOTH ' ' FROM a)", "a <=> b", "-a % 3",
        "if(a > 1, 'x', 'y') AS label", "c.*", "interval 3 months", "a IS DISTINCT FROM b", "a DIV 2", "a -- b",
        "/* x */ a", "a -- it's\n + 1", "coalesce(n, 0L) * 1.5D > 10BD", "with > 0", "a.table", "values + 1",
        "timestampadd(DAY, 1, a)", "map_zip_with(a, b, (k, x, y) -> x + y)", "'cost ${amount} of '", "user = 'x'",
        "a AS table", "date'2024-01-01' + interval '1' day", "extract(year FROM a)", "position('a' IN b)",
        "try_cast(a AS int)",
    ],
)  # fmt: skip
def test_sql_expressions_pass(text: str) -> None:
    """One Spark SQL expression with allowed functions is accepted."""
    assert check_sql(text, 1) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "a +", "SELECT 1", "a UNION SELECT 1", "1; 2", "reflect('a','b')", "`reflect` ('a')",
        "java_method('a','b')", "try_reflect('a')", "a.b('c')", "rand()", "SET x = 1", "r'\\' || reflect()", "x'41'",
        "current_user()", "input_file_name()", "read_files('/etc/passwd')", "ai_query('x')", "a::int", "'it''s'",
        "a -- \\\n + reflect('x', 'y')", "a /* /*+ */ || f() -- */", "a /*/**/--` */|| f()",
        "a /*/* ' */--/*+*/|| f()", "a -- \\\n || ' \n|| f() -- '", "a */ b", "a --\\\nb", "/* a /* b */ c */ a",
        "a /*+ b */", "${x}", "concat('a', ${x})", "(TABLE x)", "(VALUES (1))", "(FROM x SELECT y)",
        "(WITH x AS (SELECT 1) SELECT * FROM x)", "current_user", "`current_user`", "a = :x", "a = ?", "a\r+ 1",
        "a\x0b+ 1", "a\u2028+ 1", "'reflect'('a')", "identifier('x')('y')", "to_char(a, '9')", "a ->> 'b'", "{{ a }}",
        "X 'ff'", "raise_error('x')", "assert_true(a)", "WITH x AS (SELECT 1) SELECT 1", "VALUES (1)", "ADD JAR 'x'",
    ],
)  # fmt: skip
def test_other_sql_is_refused(text: str) -> None:
    """Queries, statements, comments, prefixed strings and functions outside the list are refused."""
    assert [found["rule"] for found in check_sql(text, 1)] == ["sql"]


def test_lists_do_not_contradict_each_other() -> None:
    """No refused name is on an allowed list."""
    assert not functions((9, 9)) & UNSTABLE_FUNCTIONS
    assert not sql_functions((9, 9)) & (UNSTABLE_FUNCTIONS | {"reflect", "java_method", "try_reflect", "raise_error"})
    assert not any(name.startswith("_") for name in FRAME_METHODS | COLUMN_METHODS)


def test_allowed_names_exist_in_pyspark_and_are_not_newer_than_3_3() -> None:
    """PySpark's own `versionadded` marks agree with the lists."""
    functions = pytest.importorskip("pyspark.sql.functions")
    types = pytest.importorskip("pyspark.sql.types")
    for name in FUNCTIONS:
        documented = getattr(functions, name).__doc__ or ""
        assert not any(f"versionadded:: {new}" in documented for new in ("3.4", "3.5")), name
    assert all(hasattr(types, name) for name in TYPES)
