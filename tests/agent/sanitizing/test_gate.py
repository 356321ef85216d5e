"""The gate on transforms that others wrote."""

from __future__ import annotations

import pytest

from agent.sanitizing.policy import analyse, check_policy, checked_texts
from agent.sanitizing.runtime import runtime
from agent.sanitizing.stability import unstable_uses
from tests.agent.sanitizing.gate_cases import BENIGN, HOSTILE, Case, extract_transform, rules

HARMLESS = {
    "err_cast_value": "an error's text is redacted",
    "err_date": "an error's text is redacted",
    "scope_annotation_expr": "annotations are not evaluated",
    "scope_class_init_subclass": "what stands before a reply's function without a fence is left out",
    "scope_class_getattr": "what stands before a reply's function without a fence is left out",
    "src_utf7_cookie": "the comment is not on the script's first two lines",
    "col_bracket_user_name": "Spark 3.3 has no function `user`",
    "sql_user_noparen": "Spark 3.3 has no function `user`",
    "sql_metadata_column": "what comes from a database has no such column",
}
"""Cases that pass and do no harm, with the reason; beside them those of Spark's substitution, which is off."""


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in BENIGN])
def test_good_code_passes(case: Case) -> None:
    """The policy accepts the code of good engineers; the few forms that it refuses have a rule."""
    assert rules(case["code"])[:1] == ([case["refused"]] if "refused" in case else [])


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in HOSTILE])
def test_no_text_becomes_code(case: Case) -> None:
    """Code that runs code, or reads more than a transform may, is refused, or is known to do no harm."""
    found = rules(case["code"])
    assert bool(found) == ("refused" in case)
    if case["harm"] in ("code", "leak") and not found:
        assert case["id"].startswith("subst_") or case["id"] in HARMLESS


def test_nearly_all_good_code_passes() -> None:
    """At least 95% of what must pass does, 87% in all styles, and what needs a newer Spark where there is one."""
    must = [case for case in BENIGN if case.get("kind") == "must_pass"]
    styles = [case for case in BENIGN if "sources" in case]
    for chosen, share in ((must, 0.95), (styles, 0.87)):
        assert sum(not rules(case["code"]) for case in chosen) / len(chosen) > share
    newer = [case["id"] for case in BENIGN if rules(case["code"]) and not rules(case["code"], runtime("5.0"))]
    assert {"melt_unpivot_34", "new_functions_35", "array_funcs_34", "describe_freq"} <= set(newer)


def test_every_refusal_says_what_to_write_instead() -> None:
    """A finding has a line, a message and a hint."""
    for case in BENIGN:
        if case.get("refused") in (None, "no_transform", "signature", "reply"):
            continue
        for found in check_policy(extract_transform(case["code"], "end_turn")):
            assert found["line"] and found["message"] and found["hint"], case["id"]


@pytest.mark.parametrize(
    "name",
    [
        "hash_collision",
        "nd_collect_list",
        "nd_drop_duplicates",
        "nd_limit",
        "nd_row_number_const",
        "nd_unix_timestamp",
    ],
)
def test_warns_of_rows_that_change(name: str) -> None:
    """A transform whose rows can differ from run to run passes with one warning about its line."""
    [case] = [case for case in HOSTILE if case["id"] == name]
    [warning] = unstable_uses(extract_transform(case["code"], "end_turn"))
    assert warning.startswith("the transform ")
    assert "line 2" in warning or "line 3" in warning or "line 4" in warning


@pytest.mark.parametrize("lines", [20, 200, 900])
def test_steps_grow_with_the_transform_alone(lines: int) -> None:
    """Each expression is looked at a few times, whatever it is made of: names do not double the work."""
    chain = "".join(f"    a{i + 1} = a{i} + a{i}\n" for i in range(lines))
    source = f"def transform(sources):\n    a0 = 1\n{chain}    return sources['a'].limit(a{lines})\n"
    values = analyse(source).values
    assert values.settled
    assert values.steps < 60 * lines


def test_gives_up_on_variables_that_go_round_in_circles() -> None:
    """A chain of loops that would need a round for each link is refused, not followed."""
    chain = "".join(f"        a{i + 1} = a{i}\n" for i in reversed(range(60)))
    source = f"def transform(sources):\n    a0 = 1\n    for _ in range(99):\n{chain}    return sources['a']\n"
    assert [found["rule"] for found in check_policy(source)] == ["size"]


HEAVY = {
    "numbers that square": "".join(f"    a{i + 1} = a{i} * a{i}\n" for i in range(26)),
    "lists of lists": "".join(f"    a{i + 1} = [{', '.join([f'a{i}'] * 10)}]\n" for i in range(26)),
    "tuples of tuples": "".join(f"    a{i + 1} = ({', '.join([f'a{i}'] * 10)})\n" for i in range(26)),
    "texts that double": "".join(f"    a{i + 1} = f'{{a{i}}}{{a{i}}}'\n" for i in range(26)),
    "a width from an argument": "    a26 = '{0:{1}}'.format(a0, 9000000000)\n",
    "a text that grows by replace": "    a26 = ('a' * 9999).replace('a', 'b' * 9999)\n",
}


@pytest.mark.parametrize("lines", HEAVY.values(), ids=HEAVY)
def test_texts_are_worked_out_within_bounds(lines: str) -> None:
    """A value that would take all memory is given up as unknown, long before."""
    source = f"def transform(sources):\n    a0 = 12345\n{lines}    return sources['a'].filter(f'{{a26}}')\n"
    texts = analyse(source).texts
    assert "sql" in [found["rule"] for found in check_policy(source)]
    assert texts._work < 400_000


def test_many_long_texts_are_too_much() -> None:
    """All SQL texts of a transform together are as long as it may be itself."""
    text = " and ".join(["a = 1"] * 900)
    loop = f"    for x in {[str(n) for n in range(20)]}:\n        df = df.filter('{text} and b = ' + x)\n"
    source = f"def transform(sources):\n    df = sources['a']\n{loop}    return df\n"
    assert {found["rule"] for found in check_policy(source)} == {"size"}


@pytest.mark.parametrize("body", ["F.expr('map(a)')", "'a'.upper('b')", "(lambda a={[1]: 2}: a)()"])
def test_odd_code_is_a_finding_or_passes_but_never_an_error(body: str) -> None:
    """The check itself does not fail."""
    check_policy(f"def transform(sources):\n    {body}\n    return sources['a']\n")


READERS = {
    "sql": "F.expr(w)",
    "type": 'F.col("x").cast(w)',
    "schema": 'F.from_json("x", w)',
    "added type": 'F.from_json("x", T.StructType().add("a", w))',
}


@pytest.mark.parametrize("second", READERS.values(), ids=READERS)
@pytest.mark.parametrize("first", READERS.values(), ids=READERS)
def test_a_text_is_checked_for_each_reader(first: str, second: str) -> None:
    """A text that was taken as a type is not taken as SQL, in any order; the script tells them apart."""
    text = "reflect('java.lang.System', 'getProperty', 'user.home')"
    source = f'def transform(sources):\n    w = "{text}"\n    return sources["a"].select({first}, {second})\n'
    refused = [found for found in check_policy(source) if "reflect" in found["message"]]
    assert bool(refused) == (READERS["sql"] in (first, second))
    assert text not in checked_texts(source)["aggregate"]
    assert (text in checked_texts(source)["sql"]) == (READERS["sql"] in (first, second))


@pytest.mark.parametrize(
    "body",
    [
        'F.col("current_" + "user")',
        "F.col(f\"current_{'user'}\")",
        'F.col("_".join(["current", "user"]))',
        'F.col("CURRENT_USER".lower())',
        'F.col("{}_user".format("current"))',
    ],
)
def test_a_name_that_is_a_function_is_refused_however_it_is_written(body: str) -> None:
    """Spark reads `current_user` as a function, also as a column's name."""
    source = f'def transform(sources):\n    return sources["a"].select({body})\n'
    assert "function" in [found["rule"] for found in check_policy(source)]


@pytest.mark.parametrize("line", ['n += "_x"', 'n = n + "_x"', 'n = f"{n}_x"'])
def test_a_text_may_be_made_from_itself(line: str) -> None:
    """A name that grows is any text, not a reason to refuse."""
    code = f'def transform(sources):\n    n = "a"\n    {line}\n    return sources["a"].withColumnRenamed("x", n)\n'
    assert check_policy(code) == []


def test_a_star_brings_what_the_glue_version_has() -> None:
    """`import *` becomes the names that are used; those that the version lacks are named as such."""
    code = "from pyspark.sql.functions import *\ndef transform(sources):\n    return sources['a'].agg(median('x'))\n"
    assert rules(code, runtime("5.0")) == []
    assert "import" in rules(code)


def test_texts_of_a_newer_spark_are_listed_for_the_script() -> None:
    """The script of a newer Glue version takes the texts that its own policy has let through."""
    code = "def transform(sources):\n    return sources['a'].agg(F.expr('median(x)'), F.median('y'))\n"
    assert check_policy(code, runtime=runtime("5.1")) == []
    assert checked_texts(code)["sql"] == ["median(x)"]
