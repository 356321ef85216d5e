"""Methods and attributes of DataFrames, Columns, windows and types that a transform may use.

A name that is on no list is refused. The lists of actions, ways out and newer names only serve to say why.
"""

from __future__ import annotations

from agent.sanitizing.runtime import Version
from agent.sanitizing.spark_names import words

WINDOW_METHODS = words("orderBy partitionBy rangeBetween rowsBetween")
WINDOW_VALUES = words("currentRow unboundedFollowing unboundedPreceding")

FRAME_METHODS = words("""
    agg coalesce colRegex crossJoin cube distinct drop dropDuplicates drop_duplicates dropna exceptAll fillna
    filter groupBy groupby hint intersect intersectAll join limit melt offset orderBy pivot repartition
    repartitionByRange rollup select selectExpr sort sortWithinPartitions subtract to toDF transform union
    unionAll unionByName unpivot where withColumn withColumnRenamed withColumns withColumnsRenamed
    """)
"""Methods that give a DataFrame or a grouped one, and that no plain Python value but `str.join` shares."""

GROUPING = words("cube groupBy groupby pivot rollup")
"""Methods among these that give a grouped DataFrame."""

ORDERING = words("orderBy sort")
KEEPS_ORDER = words("""
    alias drop fillna dropna filter hint select selectExpr toDF where withColumn withColumnRenamed withColumns
    cache persist
    """)
"""Methods after which rows are in the order that they were in."""

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

KEPT = words("cache persist unpersist")
"""Methods that are dropped from a reply: the script keeps the result itself."""

ACTIONS = words("""
    approxQuantile cache checkpoint collect corr count cov crosstab describe explain first foreach
    foreachPartition freqItems head isEmpty localCheckpoint persist printSchema show summary tail take
    toLocalIterator toPandas to_pandas_on_spark pandas_api unpersist
    """)
"""Methods that start a job or move rows to the driver; the script counts, keeps and writes the result once."""

OUTSIDE = words("""
    createGlobalTempView createOrReplaceGlobalTempView createOrReplaceTempView createTempView inputFiles observe
    rdd registerTempTable saveAsTable sparkSession sql sql_ctx toJSON write writeStream writeTo insertInto jdbc
    withMetadata withWatermark
    """)
"""Ways out of the transform: to storage, to the session, to the raw rows."""

UNSTABLE_METHODS = words("randomSplit sample sampleBy")
"""Methods that choose other rows each time."""

AGGREGATE_WORDS = words(
    "avg collect_list collect_set count first last max mean min stddev sum variance approx_count_distinct"
)
"""Function names in `agg({"column": "sum"})`."""
