"""Names of Spark that a transform may use, with the Spark version that brought them.

A name that is on no list is refused. The lists of unstable and forbidden names only give the reason. Source: the
function registries and the `pyspark.sql.functions` of Spark 3.3.4, 3.4.4 and 3.5.6.
"""

from __future__ import annotations

from agent.sanitizing.runtime import Version


def words(text: str) -> frozenset[str]:
    """The words of a text: lists of names read better without quotes and commas."""
    return frozenset(text.split())


_ROW_FUNCTIONS = """
    ascii base64 bit_length btrim char char_length character_length concat concat_ws contains endswith
    format_number format_string initcap instr lcase left length levenshtein locate lower lpad ltrim md5 overlay
    position regexp_extract regexp_extract_all regexp_like regexp_replace repeat replace reverse right rpad rtrim
    sha1 sha2 soundex space split split_part startswith substr substring substring_index translate trim ucase
    unbase64 upper

    abs acos asin atan atan2 bround cbrt ceil ceiling cos degrees exp factorial floor greatest hypot isnan least ln
    log log10 log1p log2 mod nanvl negative pmod positive pow power radians rint round sign signum sin sqrt tan
    try_add try_divide width_bucket

    add_months current_date current_timestamp date_add date_format date_from_unix_date date_part date_sub date_trunc
    datediff day dayofmonth dayofweek dayofyear extract from_utc_timestamp hour last_day make_date make_timestamp minute
    month months_between next_day now quarter second timestamp_seconds to_date to_timestamp to_utc_timestamp
    trunc unix_date unix_seconds weekday weekofyear year

    coalesce if ifnull isnotnull isnull nullif nvl nvl2
    bigint boolean cast date decimal double float int smallint string timestamp tinyint try_cast
    array_contains array_join crc32 element_at hash size xxhash64
    """
_AGGREGATES = """
    any approx_count_distinct array_agg avg bit_and bit_or bit_xor bool_and bool_or collect_list collect_set corr count
    count_if every first first_value last last_value max max_by mean min min_by percentile percentile_approx skewness
    some std stddev stddev_pop stddev_samp sum try_avg try_sum var_pop var_samp variance
    """
_NEWER_AGGREGATES = "any_value median"
_OTHER_FUNCTIONS = """
    acosh aggregate approx_percentile array array_distinct array_except array_intersect array_max array_min
    array_position array_remove array_repeat array_size array_sort array_union arrays_overlap arrays_zip asinh atanh
    bin binary bit_count bit_get cardinality chr conv cosh cot covar_pop covar_samp csc cume_dist dateadd decode
    dense_rank e elt encode exists explode explode_outer expm1 filter find_in_set flatten forall from_csv from_json
    from_unixtime get_json_object getbit grouping grouping_id hex histogram_numeric ilike inline inline_outer
    json_array_length json_object_keys json_tuple kurtosis lag lead like make_dt_interval make_interval
    make_ym_interval map map_concat map_contains_key map_entries map_filter map_from_arrays map_from_entries
    map_keys map_values map_zip_with named_struct nth_value ntile octet_length parse_url percent_rank
    percentile_cont percentile_disc pi posexplode posexplode_outer printf rank regexp regr_avgx regr_avgy regr_count
    regr_r2 rlike row_number sec sentences sequence session_window sha shiftleft shiftright shiftrightunsigned sinh
    slice sort_array stack str_to_map struct tanh timestamp_micros timestamp_millis timestampadd timestampdiff
    to_csv to_json to_number to_unix_timestamp transform transform_keys transform_values try_element_at try_multiply
    try_subtract try_to_number typeof unhex unix_micros unix_millis unix_timestamp when window zip_with
    """

ROW_FUNCTIONS = words(_ROW_FUNCTIONS)
"""Functions of one row, which the compiler takes in a specification's expressions.

Every supported Spark has them. They are deterministic; the clock has one value for a whole query.
"""

AGGREGATE_FUNCTIONS = words(f"{_AGGREGATES} {_NEWER_AGGREGATES}")
"""Functions over the rows of a group."""

SQL_FUNCTIONS_SINCE: dict[Version, frozenset[str]] = {
    (3, 3): words(f"{_ROW_FUNCTIONS} {_AGGREGATES} {_OTHER_FUNCTIONS}"),
    (3, 4): words(f"""
    {_NEWER_AGGREGATES} array_append array_compact array_insert convert_timezone date_diff datepart equal_null get len
    mask mode reduce regexp_count regexp_instr regexp_substr regr_intercept regr_slope regr_sxx regr_sxy regr_syy
    to_char try_to_timestamp url_decode url_encode
    """),
    (3, 5): words("array_prepend luhn_check to_varchar"),
}
"""Functions in SQL text, in lower case, by the Spark version that brought them."""

_ONLY_IN_SQL = words("""
    any bigint binary boolean cast chr date double float if int map mod now percentile_cont percentile_disc smallint
    space string timestamp timestampadd timestampdiff tinyint try_cast
    """)
_ONLY_IN_F = words("""
    approxCountDistinct asc asc_nulls_first asc_nulls_last bitwiseNOT bitwise_not broadcast col column countDistinct
    count_distinct create_map desc desc_nulls_first desc_nulls_last expr lit product shiftLeft shiftRight
    shiftRightUnsigned sumDistinct sum_distinct
    """)
_NEWER_IN_F: dict[Version, frozenset[str]] = {
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
"""Functions of SQL that reached `pyspark.sql.functions` in a later version."""

FUNCTIONS_SINCE: dict[Version, frozenset[str]] = {
    (3, 3): SQL_FUNCTIONS_SINCE[(3, 3)].difference(_ONLY_IN_SQL, *_NEWER_IN_F.values()) | _ONLY_IN_F,
    **_NEWER_IN_F,
}
"""Names of `pyspark.sql.functions` that give the same value when a task is retried, by Spark version."""

UNSTABLE_FUNCTIONS = words("""
    rand randn random uuid shuffle monotonically_increasing_id spark_partition_id input_file_name
    input_file_block_length input_file_block_start
    """)
"""Functions whose value changes when Spark retries a task: the result would mix rows of two computations."""

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

WINDOW_METHODS = words("orderBy partitionBy rangeBetween rowsBetween")
WINDOW_VALUES = words("currentRow unboundedFollowing unboundedPreceding")

FRAME_METHODS = words("""
    agg coalesce colRegex crossJoin cube distinct drop dropDuplicates drop_duplicates dropna exceptAll fillna
    filter groupBy groupby hint intersect intersectAll join limit melt offset orderBy pivot repartition
    repartitionByRange rollup select selectExpr sort sortWithinPartitions subtract to toDF transform union
    unionAll unionByName unpivot where withColumn withColumnRenamed withColumns withColumnsRenamed
    """)
"""Methods that give a DataFrame or a grouped one; of plain Python values only `str` shares a name, `join`."""

GROUPING = words("cube groupBy groupby pivot rollup")
"""Methods among these that give a grouped DataFrame."""

ORDERING = words("orderBy sort")
KEEPS_ORDER = words("""
    alias drop fillna dropna filter hint select selectExpr toDF where withColumn withColumnRenamed withColumns
    cache persist
    """)
"""Methods that keep the order of rows."""

COLUMN_METHODS = words("""
    asc asc_nulls_first asc_nulls_last astype between bitwiseAND bitwiseOR bitwiseXOR cast contains desc
    desc_nulls_first desc_nulls_last dropFields endswith eqNullSafe getField getItem ilike isNotNull isNull isin
    like otherwise over rlike startswith substr when withField
    """)
"""Methods of a Column that give a Column."""

GROUPED_METHODS = words("agg avg count max mean min pivot sum")
NA_METHODS = words("drop fill replace")

TYPE_METHODS = words("add fieldNames simpleString typeName")
"""Methods of `pyspark.sql.types` objects."""

TYPE_PROPERTIES = words(
    "dataType elementType fields keyType name names nullable precision scale valueType containsNull"
)
FRAME_PROPERTIES = words("columns dtypes na schema")
"""Attributes that are read, not called."""

NEWER_METHODS: dict[str, Version] = {name: (3, 4) for name in words("melt offset to unpivot withColumnsRenamed")}
"""Methods by the Spark version that brought them."""

CACHING_METHODS = words("cache persist unpersist")
"""Methods that extraction drops from a reply: the script caches the result itself."""

ACTIONS = words("""
    approxQuantile cache checkpoint collect corr count cov crosstab describe explain first foreach
    foreachPartition freqItems head isEmpty localCheckpoint persist printSchema show summary tail take
    toLocalIterator toPandas to_pandas_on_spark pandas_api unpersist
    """)
"""Methods that start a job or move rows to the driver; the script counts, keeps and writes the result once."""

ESCAPES = words("""
    createGlobalTempView createOrReplaceGlobalTempView createOrReplaceTempView createTempView inputFiles observe
    rdd registerTempTable saveAsTable sparkSession sql sql_ctx toJSON write writeStream writeTo insertInto jdbc
    withMetadata withWatermark
    """)
"""Methods that lead out of the transform: to storage, to the session, to the raw rows."""

UNSTABLE_METHODS = words("randomSplit sample sampleBy")
"""Methods that choose other rows each time."""

AGGREGATE_WORDS = words(
    "avg collect_list collect_set count first last max mean min stddev sum variance approx_count_distinct"
)
"""Function names in `agg({"column": "sum"})`."""


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
