"""The grammar of expressions: texts of two dialects as trees."""

from __future__ import annotations

import pytest

from agent.compiler.expressions.syntax import parse_expression
from agent.compiler.expressions.syntax_tree import (
    AggregateCall,
    CaseWhen,
    DialectChoice,
    IntervalConstant,
    LiteralValue,
    Mention,
    NamedCall,
    Operation,
    Syntax,
    TypeCast,
    WindowCall,
    WindowFrame,
)
from agent.compiler.problems import Problems
from agent.errors import InvalidRequestError


def shape(node: Syntax) -> str:
    """The tree as text: `+(a, *(b, 2))`."""
    match node:
        case Mention(name):
            return name
        case LiteralValue(_, value):
            return repr(value)
        case IntervalConstant(months, days, microseconds):
            return f"interval({months}, {days}, {microseconds})"
        case NamedCall(name, parts) | Operation(name, parts):
            return f"{name}({', '.join(map(shape, parts))})"
        case TypeCast(value, kind, tries):
            return f"{'try ' if tries else ''}{kind}({shape(value)})"
        case CaseWhen(subject, branches, otherwise):
            chosen = [f"{shape(condition)}: {shape(value)}" for condition, value in branches]
            chosen += [f"else {shape(otherwise)}"] if otherwise else []
            return f"case {shape(subject) if subject else ''}[{', '.join(chosen)}]"


TREES = [
    ("a + b * c", "+(a, *(b, c))"),
    ("(a + b) * c", "*(+(a, b), c)"),
    ("-2 ^ 2", "^('-2', '2')"),
    ("a - b - c", "-(-(a, b), c)"),
    ("NOT a = 1 OR b IS NOT NULL AND c", "or(not(=(a, '1')), and(is not null(b), c))"),
    ("!a", "not(a)"),
    ("a <> 1", "!=(a, '1')"),
    ("a == 1", "=(a, '1')"),
    ("a <=> b", "is not distinct from(a, b)"),
    ("a IS DISTINCT FROM b", "is distinct from(a, b)"),
    ("a IS TRUE", "is true(a)"),
    ("a NOT ILIKE '%x%'", "not ilike(a, '%x%')"),
    ("a LIKE 'x!_' ESCAPE '!'", "like(a, 'x!_', '!')"),
    ("a !~* 'x'", "!~*(a, 'x')"),
    ("a REGEXP 'x'", "rlike(a, 'x')"),
    ("a BETWEEN SYMMETRIC 2 AND 1 AND b", "and(between symmetric(a, '2', '1'), b)"),
    ("a NOT IN (1, 2)", "not in(a, '1', '2')"),
    ("a = ANY(ARRAY['x', 'y'])", "in(a, 'x', 'y')"),
    ("a = ANY(tags)", "array_contains(tags, a)"),
    ("o.amount::numeric(10, 2)", "numeric(10,2)(o.amount)"),
    ("CAST(a AS timestamp with time zone)", "timestamp with time zone(a)"),
    ("TRY_CAST(a AS double precision)", "try double precision(a)"),
    ("date '2024-01-31'", "date('2024-01-31')"),
    ("date_trunc('month', ts)::date", "date(date_trunc('month', ts))"),
    ("EXTRACT(YEAR FROM day)", "extract('year', day)"),
    ("TRIM(BOTH 'x' FROM a)", "trim both(a, 'x')"),
    ("trim(LEADING FROM a)", "trim leading(a)"),
    ("SUBSTRING(a FROM 2 FOR 3)", "substring(a, '2', '3')"),
    ("POSITION('x' IN a)", "position('x', a)"),
    ("OVERLAY(a PLACING 'x' FROM 2)", "overlay(a, 'x', '2')"),
    ("CASE WHEN a > 1 THEN 'x' ELSE NULL END", "case [>(a, '1'): 'x', else None]"),
    ("case a when 1 then 2 end", "case a['1': '2']"),
    ("day + INTERVAL '1 day 2 hours'", "+(day, interval(0, 1, 7200000000))"),
    ("day - interval 3 months", "-(day, interval(3, 0, 0))"),
    ("ts - INTERVAL '90' MINUTE", "-(ts, interval(0, 0, 5400000000))"),
    ("ts AT TIME ZONE 'UTC'", "at time zone(ts, 'UTC')"),
    ("split(t, ',')[0]", "[](split(t, ','), '0')"),
    ("j ->> 'key'", "->>(j, 'key')"),
    ("'it''s'", '"it\'s"'),
    ("'it\\'s'", '"it\'s"'),
    ("E'a\\tb'", "'a\\tb'"),
    ("`odd name`.`b``c`", "odd name.b`c"),
    ('"First Name"', "First Name"),
    ("1e3 + .5", "+('1000', '.5')"),
    ("year + date + show + comment", "+(+(+(year, date), show), comment)"),
]


@pytest.mark.parametrize(("text", "wanted"), TREES)
def test_operators_and_calls_of_both_dialects_are_read(text: str, wanted: str) -> None:
    """Each text gives one tree."""
    assert shape(parse_expression(text).tree) == wanted


DIALECTS: list[tuple[str, DialectChoice, str]] = [
    ("a || b - c", "postgres", "||(a, -(b, c))"),
    ("a || b - c", "spark", "-(||(a, b), c)"),
    ('upper("name")', "postgres", "upper(name)"),
    ('upper("name")', "spark", "upper('name')"),
    ("'\\d'", "postgres", "'\\\\d'"),
    ("'\\d'", "spark", "'d'"),
    ("'a\\_b'", "spark", "'a\\\\_b'"),
    ("a ^ b + c", "postgres", "+(^(a, b), c)"),
    ("a ^ b + c", "spark", "^(a, +(b, c))"),
]


@pytest.mark.parametrize(("text", "dialect", "wanted"), DIALECTS)
def test_a_dialect_decides_quotes_backslashes_and_order(text: str, dialect: DialectChoice, wanted: str) -> None:
    """PostgreSQL and Spark read these texts differently."""
    assert shape(parse_expression(text, dialect).tree) == wanted


def test_without_a_dialect_both_readings_of_a_backslash_are_kept() -> None:
    """A text whose backslashes Spark would apply knows Spark's reading."""
    tree = parse_expression("'\\d'").tree
    assert isinstance(tree, LiteralValue)
    assert (tree.value, tree.spark_value) == ("\\d", "d")


def test_mentions_have_their_place_in_the_text() -> None:
    """Names are without quotes, in the order of the text."""
    text = 'o.amount * `tax rate` + "Net"'
    mentions = parse_expression(text).mentions
    assert [one.name for one in mentions] == ["o.amount", "tax rate", "Net"]
    assert [text[one.start : one.end] for one in mentions] == ["o.amount", "`tax rate`", '"Net"']
    assert [one.in_double_quotes for one in mentions] == [False, False, True]


def test_an_aggregate_is_a_call_with_a_placeholder() -> None:
    """Its arguments and its condition are expressions; two equal calls are one."""
    expression = parse_expression("100.0 * SUM(o.amount) FILTER (WHERE paid) / sum(o.amount) filter (where paid)")
    assert expression.names == ("sum(o.amount) filter (where paid)",) * 2
    (call,) = expression.calls
    assert isinstance(call, AggregateCall)
    assert (call.function, call.distinct) == ("sum", False)
    assert call.arguments[0].names == ("o.amount",)
    assert call.condition is not None and call.condition.text == "paid"


def test_aggregates_know_distinct_and_order() -> None:
    """DISTINCT, ORDER BY between the parentheses, WITHIN GROUP, and `*`."""
    count, listed, median = (
        parse_expression(text).calls[0]
        for text in (
            "COUNT(DISTINCT a)",
            "string_agg(a, ', ' ORDER BY b DESC NULLS LAST)",
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY a)",
        )
    )
    assert isinstance(count, AggregateCall) and count.distinct
    assert isinstance(listed, AggregateCall) and isinstance(median, AggregateCall)
    assert [(s.expression.text, s.descending, s.nulls_first) for s in listed.order_by] == [("b", True, False)]
    assert [s.expression.text for s in median.order_by] == ["a"]
    assert parse_expression("count(*)").calls[0].arguments == ()


def test_a_window_is_a_call_with_partition_order_and_frame() -> None:
    """The rest of the expression mentions its placeholder."""
    text = "amount - AVG(amount) OVER (PARTITION BY a, b ORDER BY day ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"
    expression = parse_expression(text)
    (call,) = expression.calls
    assert isinstance(call, WindowCall)
    assert expression.names == ("amount", call.name)
    assert [one.text for one in call.partition_by] == ["a", "b"]
    assert [one.expression.text for one in call.order_by] == ["day"]
    assert call.frame == WindowFrame("rows", -2, 0)


def test_a_window_may_stand_over_an_aggregate() -> None:
    """The aggregate is a call of the window's own expressions."""
    (call,) = parse_expression("RANK() OVER (ORDER BY SUM(amount) DESC)").calls
    assert isinstance(call, WindowCall)
    assert [one.name for one in call.order_by[0].expression.calls] == ["sum(amount)"]


REFUSED = [
    ("(SELECT 1)", "a subquery cannot be expressed", True),
    ("a IN (SELECT 1)", "a subquery", True),
    ("EXISTS (SELECT 1)", "a subquery", True),
    ("orders.*", "`*` cannot be expressed", True),
    ("(a, b)", "a row of several values", True),
    ("a = b = c", "write AND between two comparisons", False),
    ("a || b + c", "put parentheses around the sum", False),
    ("a b", "an alias has no place in an expression", False),
    ("a AS b", "an alias has no place in an expression", False),
    ("a) + (b", "cannot be read as a SQL expression: ')'", False),
    ("a +", "it ends too early", False),
    ("'a", "the quote at character 1 is never closed", False),
    ("a; b", "';' is not a part of an expression", True),
    ("a -- b", "holds a comment", False),
    ("5L", "'5L' is a number with a suffix; write CAST(5 AS type)", False),
    ("'a' 'b'", "two texts side by side", False),
    ("row_number()", "row_number() needs OVER", False),
    ("INTERVAL '1 fortnight'", "'fortnight' is not a unit of time", False),
    ("s.f(a)", "s.f() is a function of a schema", True),
]


@pytest.mark.parametrize(("text", "message", "beyond"), REFUSED)
def test_a_text_that_is_no_expression_is_refused(text: str, message: str, beyond: bool) -> None:
    """The message quotes the part; `beyond` is True for what a model could express."""
    problems = Problems()
    with pytest.raises(InvalidRequestError) as refused, problems, problems.at("x"):
        parse_expression(text)
    (problem,) = refused.value.problems
    assert message in problem.message
    assert problem.beyond == beyond
