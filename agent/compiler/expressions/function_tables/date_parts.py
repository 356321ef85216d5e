"""Parts of dates and timestamps, and their beginnings."""

from __future__ import annotations

from agent.compiler.expressions.meanings import FunctionTable, Meaning, TableEntry, both, entry, postgres, spark

_SECONDS = "(CAST(unix_micros(CAST({0} AS timestamp)) AS decimal(20,0)) / 1000000)"


def _part(name: str, in_spark: str, unit: str, own: str = "") -> TableEntry:
    """An integer that extract() gives in both dialects, and that functions of Spark give."""
    meaning = Meaning(name, "moment", "integer", "strict", in_spark, f"extract({unit} FROM {{0}}::timestamp)::int")
    return entry(
        meaning,
        *([spark(own)] if own else []),
        spark(f"extract {unit}, date_part {unit}, datepart {unit}"),
        postgres(f"extract {unit}", gives="decimal"),
        postgres(f"date_part {unit}", gives="float"),
    )


def _only_postgres(name: str, unit: str, in_spark: str, takes: str = "moment", gives: str = "integer") -> TableEntry:
    cast = "::int" if gives == "integer" else ""
    meaning = Meaning(name, takes, gives, "strict", in_spark, f"extract({unit} FROM {{0}}){cast}")
    return entry(
        meaning, postgres(f"extract {unit}", gives="decimal"), postgres(f"date_part {unit}", gives="float")
    )  # fmt: skip


def _beginning(unit: str) -> TableEntry:
    meaning = Meaning(f"beginning_of_{unit}", "moment", "timestamp", "strict", f"date_trunc('{unit}', {{0}})",
                      f"date_trunc('{unit}', {{0}}::timestamp)")  # fmt: skip
    return entry(meaning, both(f"date_trunc {unit}"))


def _first_day(unit: str) -> TableEntry:
    meaning = Meaning(f"first_day_of_{unit}", "moment", "date", "strict", f"trunc({{0}}, '{unit}')",
                      f"date_trunc('{unit}', {{0}}::timestamp)::date")  # fmt: skip
    return entry(meaning, spark(f"trunc {unit}"))


TABLE: FunctionTable = (
    _part("year", "year({0})", "year", "year"),
    _part("quarter", "quarter({0})", "quarter", "quarter"),
    _part("month", "month({0})", "month", "month"),
    _part("iso_week", "weekofyear({0})", "week", "weekofyear"),
    _part("day_of_month", "day({0})", "day", "day, dayofmonth"),
    _part("day_of_year", "dayofyear({0})", "doy", "dayofyear"),
    _part("hour", "hour({0})", "hour", "hour"),
    _part("minute", "minute({0})", "minute", "minute"),
    _part("iso_year", "CAST(extract(YEAROFWEEK FROM {0}) AS int)", "isoyear"),
    _part("iso_day_of_week", "(weekday({0}) + 1)", "isodow"),
    entry(Meaning("whole_second", "moment", "integer", "strict", "second({0})",
                  "floor(extract(second FROM {0}::timestamp))::int"), spark("second")),
    entry(Meaning("second", "moment", "decimal", "strict", "extract(SECOND FROM CAST({0} AS timestamp))",
                  "extract(second FROM {0}::timestamp)"),
          spark("extract second, date_part second, datepart second"),
          postgres("extract second", gives="decimal"), postgres("date_part second", gives="float")),
    entry(Meaning("day_of_week_from_sunday_1", "moment", "integer", "strict", "dayofweek({0})",
                  "(extract(dow FROM {0})::int + 1)"), spark("dayofweek, extract dow, date_part dow, datepart dow")),
    entry(Meaning("day_of_week_from_monday_0", "moment", "integer", "strict", "weekday({0})",
                  "(extract(isodow FROM {0})::int - 1)"), spark("weekday")),
    _only_postgres("day_of_week_from_sunday_0", "dow", "(dayofweek({0}) - 1)"),
    _only_postgres("decade", "decade", "CAST(floor(year({0}) / 10) AS int)"),
    _only_postgres("century", "century", "CAST(ceil(year({0}) / 100) AS int)"),
    _only_postgres("millennium", "millennium", "CAST(ceil(year({0}) / 1000) AS int)"),
    _only_postgres("milliseconds", "millisecond",
                   "(extract(SECOND FROM CAST({0} AS timestamp)) * 1000)", "timestamp", "decimal"),
    _only_postgres("microseconds", "microsecond",
                   "CAST(extract(SECOND FROM CAST({0} AS timestamp)) * 1000000 AS int)", "timestamp"),
    _only_postgres("seconds_since_1970", "epoch", _SECONDS, "moment", "decimal"),
    *map(_beginning, ("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond",
                      "microsecond")),
    *map(_first_day, ("year", "quarter", "month", "week")),
)  # fmt: skip
