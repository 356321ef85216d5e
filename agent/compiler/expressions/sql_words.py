"""Words of a Spark SQL expression that are no functions: syntax, types, and units of time."""

from __future__ import annotations

from agent.sanitizing.spark_names import words

SYNTAX_BEFORE_PARENTHESIS = words("""
    and between case distinct div else escape from ilike in is like not or over regexp rlike then when dec numeric
    varchar
    """)
"""Words that may stand before a parenthesis without being a function's name."""

BARE_WORDS = words("""
    and as between both case current_date current_timestamp distinct div else end escape false for from ilike in
    interval is leading like not null or placing regexp rlike then trailing true when
    """)
"""Words that stand by themselves and are no columns."""

_UNITS = words("year quarter month week day dayofweek dow doy hour minute second millisecond microsecond")

UNITS = _UNITS | {f"{unit}s" for unit in _UNITS}
"""Units that stand without quotes in an INTERVAL."""

DATE_UNITS = words("year yyyy yy quarter month mm mon week")
"""Units of trunc(); any other one gives NULL."""

TIMESTAMP_UNITS = DATE_UNITS | words("day dd hour minute second millisecond microsecond")
"""Units of date_trunc(); any other one gives NULL."""

PARTS = words("""
    year years yr yrs y yearofweek quarter qtr month months mon mons week weeks w day days d dayofweek dow
    dayofweek_iso dow_iso doy hour hours hr hrs h minute minutes min mins m second seconds sec secs s
    """)
"""Parts of a date or timestamp that date_part() and extract() give."""

WEEKDAYS = words("""
    monday mon mo tuesday tue tu wednesday wed we thursday thu th friday fri fr saturday sat sa sunday sun su
    """)
"""Days that next_day() knows; any other one gives NULL."""

CAST_TYPES = words("""
    bigint boolean date dec decimal double float int integer long numeric real short smallint string timestamp
    tinyint varchar
    """)
"""Type names that CAST accepts in every Spark since 3.3."""
