"""Names of Spark that a transform may use, with the Spark version that brought them.

A name that is on no list is refused. The lists of unstable and forbidden names only serve to say why. Read off the
function registries and the `pyspark.sql.functions` of Spark 3.3.4, 3.4.4 and 3.5.6.
"""

from __future__ import annotations

from agent.sanitizing.runtime import Version


def words(text: str) -> frozenset[str]:
    """The words of a text: lists of names read better without quotes and commas."""
    return frozenset(text.split())


FUNCTIONS_SINCE: dict[Version, frozenset[str]] = {
    (3, 3): words("""
    abs acos acosh add_months aggregate approxCountDistinct approx_count_distinct array array_contains
    array_distinct array_except array_intersect array_join array_max array_min array_position array_remove
    array_repeat array_sort array_union arrays_overlap arrays_zip asc asc_nulls_first asc_nulls_last ascii asin
    asinh atan atan2 atanh avg base64 bin bit_length bitwiseNOT bitwise_not broadcast bround cbrt ceil coalesce
    col collect_list collect_set column concat concat_ws conv corr cos cosh cot count countDistinct count_distinct
    covar_pop covar_samp crc32 create_map csc cume_dist current_date current_timestamp date_add date_format
    date_sub date_trunc datediff dayofmonth dayofweek dayofyear decode degrees dense_rank desc desc_nulls_first
    desc_nulls_last element_at encode exists exp explode explode_outer expm1 expr factorial filter first flatten
    floor forall format_number format_string from_csv from_json from_unixtime from_utc_timestamp get_json_object
    greatest grouping grouping_id hash hex hour hypot initcap instr isnan isnull json_tuple kurtosis lag last
    last_day lead least length levenshtein lit locate log log10 log1p log2 lower lpad ltrim make_date map_concat
    map_entries map_filter map_from_arrays map_from_entries map_keys map_values map_zip_with max max_by md5 mean
    min min_by minute month months_between nanvl next_day nth_value ntile octet_length overlay percent_rank
    percentile_approx posexplode posexplode_outer pow product quarter radians rank regexp_extract regexp_replace
    repeat reverse rint round row_number rpad rtrim sec second sentences sequence session_window sha1 sha2
    shiftLeft shiftRight shiftRightUnsigned shiftleft shiftright shiftrightunsigned signum sin sinh size skewness
    slice sort_array soundex split sqrt stddev stddev_pop stddev_samp struct substring substring_index sum
    sumDistinct sum_distinct tan tanh timestamp_seconds to_csv to_date to_json to_timestamp to_utc_timestamp
    transform transform_keys transform_values translate trim trunc unbase64 unhex unix_timestamp upper var_pop
    var_samp variance weekofyear when window xxhash64 year zip_with
    """),
    (3, 4): words("""
    array_append array_compact array_insert get inline inline_outer map_contains_key median mode pmod
    """),
    (3, 5): words("""
    any_value approx_percentile array_agg array_prepend array_size bit_and bit_count bit_get bit_or bit_xor bool_and
    bool_or btrim cardinality ceiling char char_length character_length contains convert_timezone count_if date_diff
    date_from_unix_date date_part dateadd datepart day decimal e elt endswith equal_null every extract find_in_set
    first_value getbit histogram_numeric ifnull ilike isnotnull json_array_length json_object_keys last_value lcase
    left like ln make_dt_interval make_interval make_timestamp make_ym_interval mask named_struct negate negative
    nullif nvl nvl2 parse_url percentile pi position positive power printf reduce regexp regexp_count
    regexp_extract_all regexp_instr regexp_like regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy replace right rlike sha sign some split_part stack startswith std
    str_to_map substr timestamp_micros timestamp_millis to_char to_number to_unix_timestamp to_varchar try_add
    try_avg try_divide try_element_at try_multiply try_subtract try_sum try_to_number try_to_timestamp typeof ucase
    unix_date unix_micros unix_millis unix_seconds url_decode url_encode weekday width_bucket
    """),
}
"""Names of `pyspark.sql.functions` that give the same value when a task is retried, by Spark version."""

SQL_FUNCTIONS_SINCE: dict[Version, frozenset[str]] = {
    (3, 3): words("""
    abs acos acosh add_months aggregate any approx_count_distinct approx_percentile array array_agg array_contains
    array_distinct array_except array_intersect array_join array_max array_min array_position array_remove
    array_repeat array_size array_sort array_union arrays_overlap arrays_zip ascii asin asinh atan atan2 atanh avg
    base64 bigint bin binary bit_and bit_count bit_get bit_length bit_or bit_xor bool_and bool_or boolean bround
    btrim cardinality cast cbrt ceil ceiling char char_length character_length chr coalesce collect_list
    collect_set concat concat_ws contains conv corr cos cosh cot count count_if covar_pop covar_samp crc32 csc
    cume_dist current_date current_timestamp date date_add date_format date_from_unix_date date_part date_sub
    date_trunc dateadd datediff day dayofmonth dayofweek dayofyear decimal decode degrees dense_rank double e
    element_at elt encode endswith every exists exp explode explode_outer expm1 extract factorial filter
    find_in_set first first_value flatten float floor forall format_number format_string from_csv from_json
    from_unixtime from_utc_timestamp get_json_object getbit greatest grouping grouping_id hash hex
    histogram_numeric hour hypot if ifnull ilike initcap inline inline_outer instr int isnan isnotnull isnull
    json_array_length json_object_keys json_tuple kurtosis lag last last_day last_value lcase lead least left
    length levenshtein like ln locate log log10 log1p log2 lower lpad ltrim make_date make_dt_interval
    make_interval make_timestamp make_ym_interval map map_concat map_contains_key map_entries map_filter
    map_from_arrays map_from_entries map_keys map_values map_zip_with max max_by md5 mean min min_by minute mod
    month months_between named_struct nanvl negative next_day now nth_value ntile nullif nvl nvl2 octet_length
    overlay parse_url percent_rank percentile percentile_approx percentile_cont percentile_disc pi pmod posexplode
    posexplode_outer position positive pow power printf quarter radians rank regexp regexp_extract
    regexp_extract_all regexp_like regexp_replace regr_avgx regr_avgy regr_count regr_r2 repeat replace reverse
    right rint rlike round row_number rpad rtrim sec second sentences sequence session_window sha sha1 sha2
    shiftleft shiftright shiftrightunsigned sign signum sin sinh size skewness slice smallint some sort_array
    soundex space split split_part sqrt stack startswith std stddev stddev_pop stddev_samp str_to_map string
    struct substr substring substring_index sum tan tanh timestamp timestamp_micros timestamp_millis
    timestamp_seconds timestampadd timestampdiff tinyint to_csv to_date to_json to_number to_timestamp
    to_unix_timestamp to_utc_timestamp transform transform_keys transform_values translate trim trunc try_add
    try_avg try_cast try_divide try_element_at try_multiply try_subtract try_sum try_to_number typeof ucase
    unbase64 unhex unix_date unix_micros unix_millis unix_seconds unix_timestamp upper var_pop var_samp variance
    weekday weekofyear when width_bucket window xxhash64 year zip_with
    """),
    (3, 4): words("""
    any_value array_append array_compact array_insert convert_timezone date_diff datepart equal_null get len mask
    median mode reduce regexp_count regexp_instr regexp_substr regr_intercept regr_slope regr_sxx regr_sxy regr_syy
    to_char try_to_timestamp url_decode url_encode
    """),
    (3, 5): words("""
    array_prepend luhn_check to_varchar
    """),
}
"""Functions in SQL text, in lower case; Spark knows more of them there than `F` does."""

UNSTABLE_FUNCTIONS = words("""
    rand randn random uuid shuffle monotonically_increasing_id spark_partition_id input_file_name
    input_file_block_length input_file_block_start
    """)
"""Functions whose value changes when Spark retries a task, which would mix rows of two computations."""

UDF_NAMES = words("""
    udf pandas_udf udtf call_udf call_function mapInPandas mapInArrow applyInPandas cogroup mapPartitions foreachBatch
    """)
"""Ways to run the author's own Python or registered code inside Spark."""

HIGHER_ORDER_FUNCTIONS = words(
    "aggregate exists filter forall map_filter map_zip_with reduce transform transform_keys transform_values zip_with"
)
"""Functions of `F` that take Python functions of Columns; their SQL form takes `x -> …`."""

IDENTITY_NAMES = words("current_user current_catalog current_database current_schema session_user")
"""Words that Spark reads as a function, also as a column's name in quotes, where no column has that name."""

TYPES = words("""
    ArrayType BinaryType BooleanType ByteType DataType DateType DecimalType DoubleType FloatType IntegerType LongType
    MapType NullType NumericType ShortType StringType StructField StructType TimestampType
    """)
"""Names of `pyspark.sql.types`."""


def functions(spark: Version) -> frozenset[str]:
    """Names of `F` that this Spark has."""
    return _up_to(FUNCTIONS_SINCE, spark)


def sql_functions(spark: Version) -> frozenset[str]:
    """Functions in SQL text that this Spark has."""
    return _up_to(SQL_FUNCTIONS_SINCE, spark)


def since(name: str, table: dict[Version, frozenset[str]]) -> Version | None:
    """The Spark version that brought a name; None for one that is not listed."""
    return next((version for version, names in table.items() if name in names), None)


def _up_to(table: dict[Version, frozenset[str]], spark: Version) -> frozenset[str]:
    return frozenset().union(*(names for version, names in table.items() if version <= spark))


FUNCTIONS = functions((3, 3))
"""Names of `F` that every supported Glue version has."""
SQL_FUNCTIONS = sql_functions((3, 3))
"""Functions in SQL text that every supported Glue version has."""
