"""What a transform may call: closed lists for Glue 4.0, whose Spark is 3.3 and whose Python is 3.10.

A name that is on no list is refused. The lists of newer, random and costly names only serve to say why.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text: lists of names read better without quotes and commas."""
    return frozenset(text.split())


FUNCTIONS = words("""
    abs acos acosh add_months approx_count_distinct array array_contains array_distinct array_except array_intersect
    array_join array_max array_min array_position array_remove array_repeat array_sort array_union arrays_overlap
    arrays_zip asc asc_nulls_first asc_nulls_last ascii asin asinh atan atan2 atanh avg base64 bin bit_length
    bitwise_not broadcast bround cbrt ceil coalesce col collect_list collect_set column concat concat_ws conv corr cos
    cosh cot count countDistinct count_distinct covar_pop covar_samp crc32 create_map csc cume_dist current_date
    current_timestamp date_add date_format date_sub date_trunc datediff dayofmonth dayofweek dayofyear decode degrees
    dense_rank desc desc_nulls_first desc_nulls_last element_at encode exp explode explode_outer expm1 expr factorial
    first flatten floor format_number format_string from_csv from_json from_unixtime from_utc_timestamp
    get_json_object greatest grouping grouping_id hash hex hour hypot initcap instr isnan isnull json_tuple kurtosis
    lag last last_day lead least length levenshtein lit locate log log10 log1p log2 lower lpad ltrim make_date
    map_concat map_entries map_from_arrays map_from_entries map_keys map_values max max_by md5 mean min min_by minute
    month months_between nanvl next_day nth_value ntile octet_length overlay percent_rank percentile_approx posexplode
    posexplode_outer pow product quarter radians rank regexp_extract regexp_replace repeat reverse rint round
    row_number rpad rtrim sec second sentences sequence sha1 sha2 shiftleft shiftright shiftrightunsigned signum sin
    sinh size skewness slice sort_array soundex split sqrt stddev stddev_pop stddev_samp struct substring
    substring_index sum sumDistinct sum_distinct tan tanh timestamp_seconds to_csv to_date to_json to_timestamp
    to_utc_timestamp translate trim trunc unbase64 unhex unix_timestamp upper var_pop var_samp variance weekofyear when
    window xxhash64 year
    """)
"""Names of `pyspark.sql.functions` that exist in Spark 3.3 and give the same value when a task is retried."""

NEWER_FUNCTIONS = words("""
    any_value approx_percentile array_agg array_append array_compact array_insert array_prepend array_size bit_and
    bit_count bit_or bit_xor bool_and bool_or btrim cardinality ceiling char char_length character_length contains
    convert_timezone count_if curdate current_timezone date_diff date_part dateadd datepart day elt endswith
    equal_null every extract find_in_set first_value get ifnull ilike inline inline_outer isnotnull json_array_length
    last_value lcase left len like ln localtimestamp make_interval make_timestamp map_contains_key mask median mode
    named_struct negate negative now nullif nvl nvl2 parse_url percentile pmod position positive power printf
    regexp regexp_count regexp_extract_all regexp_instr regexp_like regexp_substr regr_slope replace right rlike sha
    sign some split_part startswith std str_to_map substr timestamp_micros timestamp_millis to_char to_number
    to_unix_timestamp to_varchar try_add try_avg try_divide try_element_at try_multiply try_subtract try_sum
    try_to_number try_to_timestamp typeof ucase unix_date unix_micros unix_millis unix_seconds url_decode url_encode
    weekday width_bucket
    """)
"""Names of `pyspark.sql.functions` that only Spark 3.4 or 3.5 has."""

UNSTABLE_FUNCTIONS = words("""
    rand randn random uuid shuffle monotonically_increasing_id spark_partition_id input_file_name
    input_file_block_start input_file_block_length
    """)
"""Functions whose value changes when Spark retries a task, which would mix rows of two computations."""

UDF_NAMES = words("""
    udf pandas_udf udtf call_udf call_function mapInPandas mapInArrow applyInPandas cogroup mapPartitions foreachBatch
    """)
"""Ways to run the author's own Python or registered code inside Spark."""

HIGHER_ORDER_FUNCTIONS = words(
    "aggregate exists filter forall map_filter map_zip_with reduce transform transform_keys transform_values zip_with"
)
"""Functions that take a Python lambda through `F`; their SQL form takes `x -> …`."""

TYPES = words("""
    ArrayType BinaryType BooleanType ByteType DateType DecimalType DoubleType FloatType IntegerType LongType MapType
    NullType ShortType StringType StructField StructType TimestampType
    """)
"""Names of `pyspark.sql.types`."""

WINDOW_METHODS = words("orderBy partitionBy rangeBetween rowsBetween")
WINDOW_VALUES = words("currentRow unboundedFollowing unboundedPreceding")

FRAME_METHODS = words("""
    agg coalesce colRegex crossJoin cube distinct drop dropDuplicates drop_duplicates dropna exceptAll fillna filter
    groupBy groupby hint intersect intersectAll join limit orderBy pivot repartition rollup select selectExpr sort
    sortWithinPartitions subtract toDF union unionAll unionByName where withColumn withColumnRenamed withColumns
    """)
"""Methods that give a DataFrame or a grouped one, and that no plain Python value but `str.join` shares."""

COLUMN_METHODS = words("""
    asc asc_nulls_first asc_nulls_last astype between bitwiseAND bitwiseOR bitwiseXOR cast contains desc
    desc_nulls_first desc_nulls_last dropFields endswith eqNullSafe getField getItem ilike isNotNull isNull isin like
    otherwise over rlike startswith substr when withField
    """)
"""Methods of a Column that give a Column; none of them gives text on a plain Python value."""

SHARED_METHODS = words("alias avg fill max mean min name replace sum") | WINDOW_METHODS
"""Methods that stand for more than one kind of object: Column and DataFrame, grouped data, `df.na`, windows."""

PLAIN_METHODS = words("append extend get items keys lower lstrip rstrip split strip title upper values")
"""Methods of Python's own text, lists and dictionaries."""

METHODS = FRAME_METHODS | COLUMN_METHODS | SHARED_METHODS | PLAIN_METHODS

PROPERTIES = words("columns dtypes na")
"""Attributes that are read, not called."""

NEWER_METHODS = words("melt offset to unpivot withColumnsRenamed")
"""Methods that only Spark 3.4 or later has."""

ACTIONS = words("""
    cache checkpoint collect count describe explain first foreach foreachPartition head isEmpty localCheckpoint persist
    printSchema show summary tail take toLocalIterator toPandas to_pandas_on_spark pandas_api unpersist
    """)
"""Methods that start a job or move rows to the driver; the script counts, keeps and writes the result once."""

OUTSIDE = words("""
    createGlobalTempView createOrReplaceGlobalTempView createOrReplaceTempView createTempView rdd registerTempTable
    saveAsTable sparkSession sql sql_ctx toJSON write writeStream writeTo insertInto jdbc
    """)
"""Ways out of the transform: to storage, to the session, to the raw rows."""

BUILTINS = words("bool dict enumerate float int len list range reversed set sorted str tuple zip")
"""Python's own names that a transform may use on plain values."""

AGGREGATE_WORDS = words(
    "avg collect_list collect_set count first last max mean min stddev sum variance approx_count_distinct"
)
"""Function names in `agg({"column": "sum"})`."""

_ONLY_IN_F = {"col", "column", "broadcast", "expr", "lit"}
SQL_FUNCTIONS = frozenset(name.lower() for name in FUNCTIONS - _ONLY_IN_F) | words("""
    aggregate any approx_percentile array_agg array_size bigint binary bit_and bit_count bit_or bit_xor bool_and bool_or
    boolean btrim cardinality cast ceiling char char_length character_length contains count_if  date 
    date_from_unix_date date_part day decimal double element_at elt endswith every exists extract filter find_in_set
    first_value float forall if ifnull ilike inline inline_outer int isnotnull json_array_length json_object_keys
    last_value lcase left  like ln make_interval make_timestamp map map_contains_key map_filter mod named_struct
    negative now nullif nvl nvl2 parse_url percentile pi pmod position positive power printf regexp regexp_extract_all
    regexp_like replace  right rlike sha shiftright sign smallint some space split_part stack startswith std
    str_to_map string substr timestamp timestamp_micros timestamp_millis tinyint to_char to_number to_unix_timestamp
    transform transform_keys transform_values try_add try_avg try_cast try_divide try_element_at try_multiply
    try_subtract try_sum typeof ucase unix_date unix_micros unix_millis unix_seconds weekday width_bucket zip_with
    """)
"""Functions in SQL text; Spark 3.3 knows more of them there than `F` does."""
