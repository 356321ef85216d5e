"""Words of a Spark SQL expression that are no functions: syntax, and units of time."""

from __future__ import annotations

from agent.sanitizing.spark_names import words

SYNTAX_BEFORE_PARENTHESIS = words("""
    and between case distinct div else escape from ilike in is like not or over regexp rlike then when dec numeric
    varchar
    """)
"""Words that may stand before a parenthesis without being a function's name."""

DATE_UNITS = words("year yyyy yy quarter month mm mon week")
"""Units of trunc(); any other one gives NULL."""

WEEKDAYS = words("""
    monday mon mo tuesday tue tu wednesday wed we thursday thu th friday fri fr saturday sat sa sunday sun su
    """)
"""Days that next_day() knows; any other one gives NULL."""
