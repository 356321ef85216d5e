"""Functions that make and move dates and timestamps."""

from __future__ import annotations

from agent.compiler.expressions.meanings import FunctionTable, Meaning, both, entry, postgres, spark

_RANGE = "a result outside the years 1 to 9999"
_NO_DATE = "parts that make no date"


def _whole_months(later: str, earlier: str) -> str:
    """Full months from one moment to a later one: the last one counts when its day and time are reached."""
    pattern = "'ddHHmmssSSSSSS'"
    return (
        f"(year({later}) * 12 + month({later}) - year({earlier}) * 12 - month({earlier}) - CASE WHEN "
        f"date_format({later}, {pattern}) < date_format({earlier}, {pattern}) THEN 1 ELSE 0 END)"
    )


_AGE = f"CASE WHEN {{0}} >= {{1}} THEN {_whole_months('{0}', '{1}')} ELSE - {_whole_months('{1}', '{0}')} END"
_IN_MONTH = "floor(extract(epoch FROM {0}::timestamp - date_trunc('month', {0}::timestamp)))"
_LAST_DAY = "(date_trunc('month', {0}::timestamp) + interval '1 month - 1 day')::date"
_MONTHS_BETWEEN = (
    "((extract(year FROM {0}) - extract(year FROM {1})) * 12 + extract(month FROM {0}) - extract(month FROM {1}) + "
    f"CASE WHEN extract(day FROM {{0}}) = extract(day FROM {{1}}) OR {{0}}::date = {_LAST_DAY} AND {{1}}::date = "
    f"{_LAST_DAY.replace('{0}', '{1}')} THEN 0 ELSE ({_IN_MONTH} - {_IN_MONTH.replace('{0}', '{1}')}) / 2678400 END)"
)
_TO_UTC = "to_utc_timestamp({0}, {1})"
_HOUR = "make_interval(0, 0, 0, 0, 1)"
_LATER_OF_REPEATED = (
    f"CASE WHEN from_utc_timestamp({_TO_UTC} + {_HOUR}, {{1}}) = {{0}} THEN {_TO_UTC} + {_HOUR} ELSE {_TO_UTC} END"
)
_EARLIER_OF_REPEATED = (
    "(CASE WHEN (({0}::timestamp AT TIME ZONE {1}) - interval '1 hour') AT TIME ZONE {1} = {0}::timestamp "
    "THEN ({0}::timestamp AT TIME ZONE {1}) - interval '1 hour' "
    "ELSE {0}::timestamp AT TIME ZONE {1} END AT TIME ZONE 'UTC')"
)

TABLE: FunctionTable = (
    entry(Meaning("date_plus_days", "date integer", "date", "strict", "date_add({0}, CAST({1} AS int))",
                  "({0} + {1}::int)", outside=_RANGE),
          both("+"), both("+", 1, 0), spark("date_add, dateadd")),
    entry(Meaning("date_minus_days", "date integer", "date", "strict", "date_sub({0}, CAST({1} AS int))",
                  "({0} - {1}::int)", outside=_RANGE), both("-"), spark("date_sub")),
    entry(Meaning("day_plus_days", "timestamp integer", "date", "strict", "date_add({0}, CAST({1} AS int))",
                  "({0}::date + {1}::int)", outside=_RANGE), spark("date_add, dateadd")),
    entry(Meaning("day_minus_days", "timestamp integer", "date", "strict", "date_sub({0}, CAST({1} AS int))",
                  "({0}::date - {1}::int)", outside=_RANGE), spark("date_sub")),
    entry(Meaning("days_between", "date date", "integer", "strict", "datediff({0}, {1})", "({0} - {1})",
                  note="the first date minus the second"),
          spark("datediff, date_diff"), postgres("-")),
    entry(Meaning("days_between_moments", "moment moment", "integer", "strict", "datediff({0}, {1})",
                  "({0}::date - {1}::date)", note="counts midnights"), spark("datediff, date_diff")),
    entry(Meaning("seconds_between", "timestamp timestamp", "decimal", "strict",
                  "(CAST(unix_micros({0}) - unix_micros({1}) AS decimal(20,0)) / 1000000)",
                  "extract(epoch FROM {0} - {1})"), postgres("extract epoch -")),
    entry(Meaning("months_between", "moment moment", "float", "strict", "months_between({0}, {1})",
                  f"round({_MONTHS_BETWEEN}, 8)::float8", note="a rest counts as days of 31"),
          spark("months_between")),
    entry(Meaning("years_of_age", "moment moment", "integer", "strict", f"(({_AGE}) div 12)",
                  "extract(year FROM age({0}, {1}))::int", note="full years from the second to the first"),
          postgres("extract year of age", gives="decimal")),
    entry(Meaning("months_of_age", "moment moment", "integer", "strict", f"(({_AGE}) % 12)",
                  "extract(month FROM age({0}, {1}))::int", note="full months beyond the full years"),
          postgres("extract month of age", gives="decimal")),
    entry(Meaning("date_plus_months", "date integer", "date", "strict", "add_months({0}, CAST({1} AS int))",
                  "({0} + make_interval(months => {1}::int))::date", outside=_RANGE,
                  note="a day beyond the month's end becomes its last day"),
          spark("add_months, plus months"), postgres("plus months", gives="timestamp")),
    entry(Meaning("day_plus_months", "timestamp integer", "date", "strict", "add_months({0}, CAST({1} AS int))",
                  "({0}::date + make_interval(months => {1}::int))::date", outside=_RANGE), spark("add_months")),
    entry(Meaning("date_plus_whole_days", "date integer", "date", "strict", "date_add({0}, CAST({1} AS int))",
                  "({0} + {1}::int)", outside=_RANGE),
          spark("plus days"), postgres("plus days", gives="timestamp")),
    entry(Meaning("timestamp_plus_months", "timestamp integer", "timestamp", "strict",
                  "({0} + make_interval(0, {1}))", "({0} + make_interval(months => {1}::int))", outside=_RANGE),
          both("plus months")),
    entry(Meaning("timestamp_plus_days", "timestamp integer", "timestamp", "strict",
                  "({0} + make_interval(0, 0, 0, {1}))", "({0} + make_interval(days => {1}::int))", outside=_RANGE),
          both("plus days")),
    entry(Meaning("moment_plus_seconds", "moment integer", "timestamp", "strict",
                  "(CAST({0} AS timestamp) + make_interval(0, 0, 0, 0, 0, 0, {1}))",
                  "({0} + make_interval(secs => {1}))", outside=_RANGE), both("plus seconds")),
    entry(Meaning("last_day_of_month", "moment", "date", "strict", "last_day({0})", _LAST_DAY), spark("last_day")),
    entry(Meaning("date_of_parts", "integer integer integer", "date", "strict",
                  "make_date(nullif({0}, 0), {1}, {2})",
                  "make_date({0}::int, {1}::int, {2}::int)", outside=_NO_DATE), both("make_date")),
    entry(Meaning("timestamp_of_parts", "integer integer integer integer integer number", "timestamp", "strict",
                  "make_timestamp(nullif({0}, 0), {1}, {2}, {3}, {4}, "
                  "CAST({5} AS decimal(16,6)))",
                  "make_timestamp({0}::int, {1}::int, {2}::int, {3}::int, {4}::int, {5})",
                  outside=_NO_DATE), both("make_timestamp")),
    entry(Meaning("days_since_1970", "date", "integer", "strict", "unix_date({0})", "({0} - date '1970-01-01')"),
          spark("unix_date")),
    entry(Meaning("date_of_days_since_1970", "integer", "date", "strict", "date_from_unix_date(CAST({0} AS int))",
                  "(date '1970-01-01' + {0}::int)", outside=_RANGE), spark("date_from_unix_date")),
    entry(Meaning("whole_seconds_since_1970", "timestamp", "bigint", "strict", "unix_seconds({0})",
                  "floor(extract(epoch FROM {0}))::bigint"), spark("unix_seconds")),
    entry(Meaning("timestamp_of_seconds", "number", "timestamp", "strict", "timestamp_seconds({0})",
                  "(to_timestamp({0}) AT TIME ZONE 'UTC')", outside=_RANGE),
          spark("timestamp_seconds"), postgres("to_timestamp")),
    entry(Meaning("local_time", "timestamp zone!", "timestamp", "strict", "from_utc_timestamp({0}, {1})",
                  "({0}::timestamp AT TIME ZONE 'UTC' AT TIME ZONE {1})"),
          spark("from_utc_timestamp"), postgres("zoned at time zone")),
    entry(Meaning("utc_time_earlier", "timestamp zone!", "timestamp", "strict", _TO_UTC, _EARLIER_OF_REPEATED,
                  note="an hour that a clock shows twice is read as the first one"), spark("to_utc_timestamp")),
    entry(Meaning("utc_time_later", "timestamp zone!", "timestamp", "strict", _LATER_OF_REPEATED,
                  "({0}::timestamp AT TIME ZONE {1} AT TIME ZONE 'UTC')",
                  note="an hour that a clock shows twice is read as the second one"), postgres("at time zone")),
)  # fmt: skip
