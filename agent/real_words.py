"""Real words, which a message never takes for slips of each other, and words that mean the same.

The words of the field are those of PostgreSQL's SQL, of Spark and of pandas; the others are usual in names of columns.
"""

from __future__ import annotations

_SAME = (
    "avg mean average",
    "count n_rows row_count",
    "count_distinct nunique distinct_count countdistinct approx_distinct",
    "min minimum",
    "max maximum",
    "sum total",
    "stddev std stddev_samp stdev",
    "variance var var_samp",
    "power pow",
    "ceil ceiling",
    "length len char_length character_length",
    "lower lcase lowercase",
    "upper ucase uppercase",
    "trim strip",
    "ltrim lstrip",
    "rtrim rstrip",
    "coalesce nvl ifnull fillna",
    "substring substr",
    "ln loge",
    "outer full full_outer full_join outer_join",
    "left left_outer left_join",
    "right right_outer right_join",
    "inner inner_join",
    "left_anti anti anti_join",
    "left_semi semi semi_join",
    "filter where",
    "sort order order_by sort_values orderby",
    "limit head take",
    "distinct drop_duplicates dedup deduplicate dedupe",
    "derive with_column withcolumn assign computed_column",
    "aggregate group_by groupby group agg summarize summarise",
    "rename rename_columns withcolumnrenamed",
    "union union_all unionbyname concat_rows",
    "integer int int4 integer4",
    "bigint long int8 int64",
    "smallint short int2",
    "double float8 float64",
    "text string str",
    "boolean bool",
    "numeric decimal number",
    "row_number rownumber row_num",
    "dense_rank denserank",
    "overwrite replace truncate_insert",
    "append insert add",
    "merge upsert",
    "name column_name",
    "expression formula",
)
"""Each line holds words of one meaning, the usual one first."""

SYNONYMS = {word: tuple(other for other in line.split() if other != word) for line in _SAME for word in line.split()}
"""The words that mean the same as a word."""

_FIELD = """
abs acos add add_months age agg aggregate alias all anti any any_value append array array_agg arrow as asc ascending
asin astype at atan avg backfill base64 before between bigint bin binary bit bool bool_and bool_or boolean both bround
btrim by bytea case cast cat cbrt ceil ceiling char character check chr clip coalesce collate collect collect_list
collect_set column combine concat concat_ws condition contains conv corr cos cosh cot count count_distinct count_if
covar_pop covar_samp create cross csv cube cume_dist cumsum cummax cummin current current_date current_time
current_timestamp cut data date date_add date_diff date_format date_part date_sub date_trunc dateadd datediff datetime
day dayofmonth dayofweek dayofyear days decimal decode dedupe deduplicate default degrees delete dense_rank derive desc
descending describe details diff difference distinct div divide double drop dropna duplicated element element_at else
encode end endswith enum epoch eq equals error eval every except exclude exists exp expand explode explode_outer expr
expression extract factorial ffill field fillna filter first first_value flatten float float4 float8 floor follow
following for forall format format_number format_string from full function ge generate geometry get glob greatest group
group_by grouping gt hash having head hex hour identity if ifnull ilike in include index initcap inner input insert
instr int integer intersect interval into inverse isin isna isnan isnull items join json jsonb keep key kurtosis label
lag last last_day last_value lateral lcase lead least left left_anti left_outer left_semi len length level levenshtein
like limit line list ln loc locate log log10 log2 lookup lower lpad lstrip lt ltrim make_date map mask match max max_by
md5 mean median melt merge method min min_by minus minute minutes mod mode money month months months_between
multiply name natural negative next_day not notnull now nth nth_value ntile null nullif number numeric nunique nvl nvl2
object of offset on one only operation operator option or order order_by outer over overlay overwrite pad page
partition partition_by path pct_change percent percent_rank percentile percentile_approx percentile_cont
percentile_disc pipe pivot plus position positive pow power preceding prod product qualify quantile quarter query rand
random range rank real reduce regexp regexp_extract regexp_replace regexp_substr reindex relation remove rename
repartition repeat replace resample reset result reverse right right_anti right_outer right_semi rint rlike role roll
rolling rollup round row row_number rows rpad rstrip rtrim sample schema second seconds select self sem semi sequence
series session set sets sha1 sha2 shape shift shuffle sign signum similar sin sinh size skewness slice smallint some
sort source space split split_part sql sqrt stack start startswith std stddev stddev_pop stddev_samp step str string
string_agg strip strpos struct stuff subquery subset substr substring subtract sum swap switch table tail take tan tanh
target temp text then time timestamp timestamptz timetz tinyint title to to_char to_date to_json to_number to_timestamp
top total transform translate transpose trim trunc truncate type ucase unbounded union union_all unique unnest unpivot
unstack update upper upsert use user using uuid value values var var_pop var_samp varchar variance view week weekday
weekofyear when where window with within xor year years zip
"""

_OF_COLUMNS = """
account active actual address agent amount area arrival average balance band bank batch bill billing bin birth block
book branch brand budget building buyer card carrier cart cash category cell cent channel charge child city class
client close closed code color comment commission company component contact content contract contrast control cost
country county course cover created credit currency customer daily deal debit delay delivery department departure
depth destination detail device discount district dose dust duration duty early effect email employee entry estimate
event expense export external fact factor fare fee female file final fine fleet flight floor form fraud freight game
gender gift goods grade gross guest height hire holiday home hotel house hub inactive income internal import invoice
issue item late later latitude league lease letter lime line liner link liter loan local location long longitude loss
lot mail male manager margin market meal medal member metal metric mile mode model mouth net node note notice nurse
offer office online open opened origin owner packet page paid parent part party past path patient payee payer payment
peak pending person phone place plan plane plant platform player plot point policy pool port post postal power present
price prime prior priority prize process produce profile profit progress project property province provision purchase
quality quantity query quota quote race rate rating ratio reason receipt record refund region register reign release
religion rent report request reserve resource retail return revenue review ride risk road role room root route row run
salary sale sales scale scene score sea season seat sector seller sender sent serial service share sheet shift shipping
shop shopping shot side site skill skin sku slot source speed staff stage star starts state statement station status
stay stock stop storage store story stream street student style subject supplier supply support tag tank task tax team
tenant term test ticket tier title token tool topic trace track trade trading train trip truck unit unpaid updated
usage user vendor vehicle version vessel visit visitor volume voucher wage ward warehouse weather weight width worker
zip zone
"""

OF_THE_FIELD = frozenset(_FIELD.split()) | SYNONYMS.keys()
"""Words of SQL, Spark and pandas."""

REAL_WORDS = OF_THE_FIELD | frozenset(_OF_COLUMNS.split())
"""Words with a meaning of their own."""
