"""The known name nearest to a mistyped one, as messages tell it."""

from __future__ import annotations

from agent.nearest import did_you_mean, nearest


def test_case_does_not_count() -> None:
    """A name that differs only in its case is the nearest, in the spelling that is known."""
    assert nearest("CUSTOMER_ID", ["customer_name", "Customer_Id"]) == "Customer_Id"


def test_what_is_no_text_has_no_nearest_name() -> None:
    """JSON allows any value where a name is expected."""
    assert nearest(7, ["7"]) is None


def test_without_a_similar_name_the_known_ones_are_told() -> None:
    """Names stand in their own order, a set's sorted, and at most twelve of them."""
    assert did_you_mean("zzz", ["b", "a", "b"], listed=True) == "; known are b, a"
    assert did_you_mean("zzz", {"b", "a"}, listed=True) == "; known are a, b"
    assert did_you_mean("zzz", [str(n) for n in range(13)], listed=True).endswith("10, 11, ...")
    assert did_you_mean("zzz", [], listed=True) == "; no name is known here"
    assert did_you_mean("zzz", ["b", "a"]) == ""
