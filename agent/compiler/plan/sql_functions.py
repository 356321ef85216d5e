"""The Spark SQL functions that an expression may call.

All are built in since Spark 3.3, work on one row, and give the same answer every time; the three clock functions
give one answer for a whole query (https://spark.apache.org/docs/3.3.0/api/sql/index.html).
"""

from __future__ import annotations

_TEXT = """
ascii base64 bit_length btrim char char_length character_length concat concat_ws contains endswith
format_number format_string initcap instr lcase left length levenshtein locate lower lpad ltrim md5 overlay
position regexp_extract regexp_extract_all regexp_like regexp_replace repeat replace reverse right rpad rtrim
sha1 sha2 soundex space split split_part startswith substr substring substring_index translate trim ucase
unbase64 upper
"""
_NUMBERS = """
abs acos asin atan atan2 bround cbrt ceil ceiling cos degrees exp factorial floor greatest hypot isnan least ln
log log10 log1p log2 mod nanvl negative pmod positive pow power radians rint round sign signum sin sqrt tan
try_add try_divide width_bucket
"""
_DATES = """
add_months current_date current_timestamp date_add date_format date_from_unix_date date_part date_sub date_trunc
datediff day dayofmonth dayofweek dayofyear extract from_utc_timestamp hour last_day make_date make_timestamp minute
month months_between next_day now quarter second timestamp_seconds to_date to_timestamp to_utc_timestamp
trunc unix_date unix_seconds weekday weekofyear year
"""
_CHOICES = "coalesce if ifnull isnotnull isnull nullif nvl nvl2"
_CASTS = "bigint boolean cast date decimal double float int smallint string timestamp tinyint try_cast"
_HASHES = "crc32 hash xxhash64"
_ARRAYS = "array_contains array_join element_at size"

_AGGREGATES = """
any any_value approx_count_distinct array_agg avg bit_and bit_or bit_xor bool_and bool_or collect_list
collect_set corr count count_if every first first_value last last_value max max_by mean median min min_by
percentile percentile_approx skewness some std stddev stddev_pop stddev_samp sum try_avg try_sum
var_pop var_samp variance
"""
_BY_RUN = """
current_catalog current_database current_user input_file_block_length input_file_block_start input_file_name
monotonically_increasing_id rand randn random shuffle spark_partition_id unix_timestamp uuid
"""
_SYNTAX = """
and between case distinct div else escape from ilike in is like not or over regexp rlike then when
"""
_BARE = """
and as between both case current_date current_timestamp distinct div else end escape false for from ilike in
interval is leading
like not null or placing regexp rlike then trailing true when
"""
_UNITS = "year quarter month week day dayofweek dow doy hour minute second millisecond microsecond"
_DATE_UNITS = "year yyyy yy quarter month mm mon week"
_TIMESTAMP_UNITS = f"{_DATE_UNITS} day dd hour minute second millisecond microsecond"
_PARTS = """
year years yr yrs y yearofweek quarter qtr month months mon mons week weeks w day days d dayofweek dow
dayofweek_iso dow_iso doy hour hours hr hrs h minute minutes min mins m second seconds sec secs s
"""
_WEEKDAYS = """
monday mon mo tuesday tue tu wednesday wed we thursday thu th friday fri fr saturday sat sa sunday sun su
"""
_SIZED = "dec numeric varchar"
_TYPES = """
bigint boolean date dec decimal double float int integer long numeric real short smallint string timestamp
tinyint varchar
"""

ALLOWED_FUNCTIONS = frozenset(" ".join((_TEXT, _NUMBERS, _DATES, _CHOICES, _CASTS, _HASHES, _ARRAYS)).split())

AGGREGATE_FUNCTIONS = frozenset(_AGGREGATES.split())

RANDOM_FUNCTIONS = frozenset(_BY_RUN.split())
"""Functions whose answer depends on the run: on chance, on the machine, or on how the data is cut up."""

SYNTAX_BEFORE_PARENTHESIS = frozenset(f"{_SYNTAX} {_SIZED}".split())
"""Words that may stand before a parenthesis without being a function's name."""

BARE_WORDS = frozenset(_BARE.split())
"""Words that stand by themselves and are no columns."""

UNITS = frozenset(f"{unit}{plural}" for unit in _UNITS.split() for plural in ("", "s"))
"""Units that stand without quotes in an INTERVAL."""

TIMESTAMP_UNITS = frozenset(_TIMESTAMP_UNITS.split())
"""Units of date_trunc(); any other one gives NULL."""

DATE_UNITS = frozenset(_DATE_UNITS.split())
"""Units of trunc(); any other one gives NULL."""

PARTS = frozenset(_PARTS.split())
"""What date_part() and extract() take out of a date or timestamp."""

WEEKDAYS = frozenset(_WEEKDAYS.split())
"""Days that next_day() knows; any other one gives NULL."""

CAST_TYPES = frozenset(_TYPES.split())
"""Type names that CAST accepts in every Spark since 3.3."""
