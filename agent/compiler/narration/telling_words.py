"""Telling words: words of a description that could change rows, each with the evidence that carries it."""

from __future__ import annotations

from agent.compiler.narration.telling import telling

_PICKS = "limit dedup rank_filter f:first_value f:last_value f:first f:last f:nth_value f:lag f:lead"
_HIGH = "f:max f:max_by f:greatest"
_LOW = "f:min f:min_by f:least"
_SHRINKS = "filter inner case limit dedup distinct aggregate union anti"
_MISSING = "negation null is_null anti"
_OTHER_ROWS = "join_to_itself window exists semi anti f:lag f:lead"
"""Elements that look at more rows than one."""
_ARITHMETIC = "product division minus +"


_PURPOSE = (
    "name names day days of half letter letters character characters line step join filter we is and term semester time"
)
_STEPS = "step steps join joins stage query result results filter filters aggregation transformation to"
TELLING = (
    # which rows stay
    telling(
        "only|solely|exclusively",
        f"{_SHRINKS} select",
        not_after="read not if digits letters numbers",
        not_before="if when",
    ),
    telling("keep|keeps|retain|retains", f"{_SHRINKS} outer", "all every track the only", "to"),
    telling("filter|filters|filtered|restrict|restricts|restricted|narrow", "filter inner case anti rank dedup limit"),
    telling(
        "discard|discards|skip|skips|skipping|omit|omits|omitting|ignore|ignores|ignoring|ignored",
        f"{_MISSING} filter inner case aggregate dedup",
        "case whitespace",
    ),
    telling(
        "remove|removes|removing|removed",
        "f:trim f:btrim f:ltrim f:rtrim f:replace f:regexp_replace f:translate f:substring f:substr f:left f:right "
        "f:split f:split_part f:nullif f:lstrip cast :: f:date f:date_trunc case",
        steps="derive",
    ),
    telling(
        "remove|removes|removing|removed|drop|drops|dropping|dropped|eliminate|eliminating",
        f"{_SHRINKS} select f:trim f:btrim f:ltrim f:rtrim f:replace f:regexp_replace f:translate f:substring "
        "f:substr f:lstrip",
    ),
    telling(
        "exclude|excludes|excluding|excluded|other than|unless|except|except for",
        f"{_MISSING} case f:regexp_replace f:translate",
        "tax taxes vat shipping discount discounts",
        named=True,
    ),
    telling(
        "excluding tax|excluding taxes|excluding vat|excluding discount|excluding discounts|excluding shipping|"
        "without tax|without vat|net of tax|including tax|including vat|including taxes|tax included|tax added|"
        "vat added|plus tax|plus vat",
        _ARITHMETIC,
        named=True,
    ),
    telling(
        "that were not|that was not|that are not|that is not|which were not|which are not|who were not|who are not|"
        "who have not|that have not",
        f"{_MISSING} case filter",
        named=True,
    ),
    # which other rows a row is compared with
    telling(
        "another|no other|every other|any other|each other|one another",
        f"{_OTHER_ROWS} count_distinct",
        "table source column columns dataset field way name reading file",
        "or and than",
    ),
    telling("the same|same", f"{_OTHER_ROWS} partition group join eq", "as time way", "", "filter"),
    telling("on every|in every|on each and every", "partition window", named=True),
    telling("none of|not any|all of their|all of its|all of whose|every one of", f"{_OTHER_ROWS} negation group in"),
    telling("on both|in both|at both|both of", "inner union between join_to_itself exists gt ge le lt"),
    telling("consecutive|consecutively|successive|in a row|back-to-back", "window f:lag f:lead"),
    telling("next|subsequent", "f:lead frame_after", "step steps", "", "window"),
    telling(
        "the next day|the next month|the next year|the next order|the next row|the next quarter|the following day|"
        "the following month|the following year|the subsequent order",
        "f:lead interval f:date_add f:add_months + join_to_itself",
    ),
    telling(
        "without|lacking|no matching|no match|unmatched|missing|never|absent",
        f"{_MISSING} coalesce outer",
        "tax taxes vat shipping discount duplicates duplication losing changing",
    ),
    telling(
        "is null|are null|not null|non-null|null values|null value|nulls",
        f"{_MISSING} inner coalesce f:nullif",
        steps="filter",
    ),
    telling("positive|negative|non-negative|nonzero|non-zero", "gt ge lt le negation", "", "", "filter"),
    telling("empty|blank|non-empty", f"{_MISSING} f:trim f:nullif f:length f:char_length gt", "", "", "filter"),
    telling("even if|even when|including those without|including those with no|even those", "outer coalesce"),
    telling("keep all|keeps all|retain all|keep every", "outer union coalesce distinct dedup filter"),
    # which one of several
    telling("latest|most recent|newest", "dedup rank_filter", steps="deduplicate", direction="desc"),
    telling("earliest|oldest", "dedup rank_filter", steps="deduplicate", direction="asc"),
    telling(
        "latest|most recent|newest|first|last|earliest",
        "limit dedup rank_filter f:row_number",
        "name names step",
        "at from",
        "join",
    ),
    telling(
        "first|last",
        f"{_PICKS} max_day",
        f"{_PURPOSE} updated modified changed seen login one's digit",
        "at from",
        direction="any",
    ),
    telling(
        "latest|most recent|most recently|newest|most current",
        f"{_PICKS} max_day f:max_by",
        "version of-the-art",
        direction="desc",
    ),
    telling("earliest|oldest", f"{_PICKS} max_day f:min_by", direction="any"),
    telling("recent|recently", "filter limit dedup rank_filter max_day"),
    telling(
        "top|bottom",
        "limit rank_filter dedup f:ntile f:percent_rank f:percentile",
        "level-of level line down",
        "on at",
        direction="any",
    ),
    telling("highest|largest|biggest|longest|greatest|most expensive|maximal", f"{_PICKS} {_HIGH}", direction="desc"),
    telling(
        "lowest|smallest|shortest|cheapest|least expensive|minimal",
        f"{_PICKS} {_LOW}",
        "effort",
        direction="asc",
    ),
    telling(
        "worst|best|best-selling|bestselling|busiest|fastest|slowest|heaviest|most frequent|most popular|"
        "least frequent|most common|most frequently|youngest",
        f"{_PICKS} {_HIGH} {_LOW} f:mode",
        "practice effort",
        direction="any",
    ),
    telling("most|fewest", f"{_PICKS} {_HIGH} {_LOW} f:mode", "of", "at", direction="any"),
    telling(
        "rank|ranks|ranked|ranking",
        "rank f:rank f:dense_rank f:row_number f:ntile f:percent_rank sort rank_name",
    ),
    telling("row number|row numbers", "f:row_number"),
    telling("ties|tied", "ties f:rank f:dense_rank order"),
    telling("random|randomly|sampled at", "f:rand f:random"),
    telling(
        "distinct|unique|different",
        "count_distinct distinct dedup union rank f:count_distinct",
        "identifier identifiers id ids key keys code number reference from index constraint type types kinds "
        "kind than",
        "each every per is are be",
    ),
    telling(
        "duplicate|duplicates|deduplicate|deduplicated|deduplicates|deduplication|dedupe|de-duplicate|deduped|"
        "duplicated",
        "distinct dedup rank group union count_distinct gt",
        "",
        "without avoid avoids avoiding not prevent prevents no",
    ),
    telling(
        "did not|do not|does not|have not|has not|had not|didn't|don't|doesn't",
        "anti outer is_null exists",
        "match exist count",
        "that which if",
        "join",
    ),
    telling("without duplicates|no duplicates", "distinct dedup rank group union", steps="select target filter"),
    # what is computed
    telling(
        "number of|count of|how many",
        "f:count count_distinct f:sum aggregate window f:length f:char_length minus f:datediff f:size f:cardinality",
        "",
        "phone order account invoice tail flight",
        "target aggregate",
    ),
    telling("average|averages|averaged|averaging|mean|avg", "f:avg f:mean division"),
    telling("median", "f:median f:percentile f:percentile_cont f:percentile_approx f:approx_percentile"),
    telling(
        "percentile|percentiles|quartile|quartiles|decile|deciles|quintile|quintiles",
        "f:percentile f:percentile_cont f:percentile_disc f:percentile_approx f:ntile f:percent_rank f:cume_dist",
    ),
    telling(
        "standard deviation|stddev|variance",
        "f:stddev f:stddev_samp f:stddev_pop f:variance f:var_samp f:var_pop f:std",
    ),
    telling("sum|sums|summed|summing|sum up", "f:sum"),
    telling("total|totals|totaled", "f:sum f:count aggregate + product", steps="aggregate"),
    telling("maximum|max", "f:max f:greatest order"),
    telling("minimum|min", "f:min f:least order case gt ge"),
    telling("running|cumulative|cumulatively|rolling|moving|trailing", "running", "time times cost costs late year"),
    telling("previous|prior", "f:lag frame f:last_value f:first_value join_to_itself interval", _STEPS, "", "window"),
    telling(
        "previous|preceding|prior",
        "f:lag f:lead window interval f:date_sub f:date_add f:add_months join_to_itself",
        _STEPS,
        "",
        "target filter",
    ),
    telling(
        "previous|preceding|prior",
        "f:lag f:lead window interval f:date_sub f:date_add f:add_months minus join_to_itself",
        _STEPS,
    ),
    telling(
        "year-over-year|month-over-month|year over year|month over month|week-over-week|day-over-day|"
        "quarter-over-quarter",
        "f:lag f:lead window minus",
    ),
    telling(
        "rounded|round|rounding|rounds",
        "f:round f:bround f:floor f:ceil f:ceiling f:trunc f:truncate scale",
        "trip trips",
    ),
    telling(
        "truncate|truncated|truncates",
        "f:date_trunc f:trunc f:truncate f:floor f:substring f:left cast f:substr",
    ),
    telling("absolute", "f:abs"),
    telling(
        "convert|converts|converted|converting",
        f"{_ARITHMETIC} derived",
        steps="derive aggregate window target",
    ),
    telling(
        "to celsius|to fahrenheit|to kelvin|to kilometres|to kilometers|to km|to miles|to kilograms|to kg|to pounds|"
        "to euros|to dollars|to euro|to litres|to liters|to metres|to meters",
        _ARITHMETIC,
    ),
    telling("multiply|multiplies|multiplied|multiplying", "product"),
    telling("divide|divides|divided by|dividing", "division f:avg f:mean", "into"),
    telling("subtract|subtracts|subtracted|subtracting", "minus f:date_sub f:datediff f:age"),
    telling(
        "percentage|percent|percentages|ratio|ratios",
        "division product f:percent_rank f:cume_dist f:ratio_to_report",
        "point points change",
    ),
    telling(
        "share|proportion",
        "division product case f:percent_rank f:cume_dist f:ratio_to_report",
        "price prices",
        "we to and",
    ),
    telling(
        "difference|differences|days between|hours between|minutes between|months between|years between",
        "minus f:abs f:datediff f:date_diff f:age f:months_between f:timestampdiff f:timediff",
    ),
    telling(
        "normalise|normalises|normalised|normalize|normalizes|normalized|standardise|standardised|standardize|"
        "standardized|harmonise|harmonised|harmonize|harmonized",
        "f:upper f:lower f:trim f:btrim f:replace f:regexp_replace f:initcap f:translate division case coalesce cast "
        "f:cast :: f:lpad f:substring",
    ),
    telling("capped|cap|clamp|clamped|capping", "f:least f:greatest case"),
    telling("uppercase|upper-case|upper case|uppercased", "f:upper f:ucase"),
    telling("capitalize|capitalized|title case", "f:initcap f:upper"),
    telling("lowercase|lower-case|lower case|lowercased", "f:lower f:lcase"),
    telling(
        "case-insensitive|case-insensitively|case insensitive|ignoring case|ignore case|regardless of case",
        "f:lower f:upper like",
    ),
    telling(
        "trim|trimmed|trims|strip|stripped|strips|whitespace",
        "f:trim f:btrim f:ltrim f:rtrim f:regexp_replace f:replace",
    ),
    telling(
        "concatenate|concatenated|concatenates|concatenation|concatenating",
        "concat f:concat f:concat_ws f:format f:format_string f:string_agg f:array_agg f:listagg f:collect_list",
    ),
    telling(
        "default|defaults|defaulting|fallback|falls back|fill|filled|impute|imputed|replace|replaced|replacing|"
        "substitute|substituted",
        "coalesce case f:replace f:regexp_replace f:translate f:nullif",
    ),
    telling("pivot|pivoted|one column per", "pivot case"),
    telling("unpivot|unpivoted|explode|exploded|flatten|flattened|unnest", "f:explode f:unnest f:stack f:posexplode"),
    telling("union|unioned|stacked", "union"),
    telling("inclusive|inclusively", "between ge le", not_before="of"),
    # how tables meet
    telling("left join|left joins|left joined|left outer join|left-join|left outer", "left outer"),
    telling("right join|right outer join", "right outer"),
    telling("full outer join|full join|outer join", "outer"),
    telling("inner join|inner joins|inner joined|inner-join", "inner"),
    telling("cross join|cartesian product", "cross"),
    telling("anti join|anti-join|left anti", "anti"),
    telling("semi join|semi-join|left semi", "semi exists"),
    # what depends on today
    telling(
        "today|yesterday|current date|current month|current year|this month|this year|this week|this quarter|"
        "year to date|year-to-date|ytd|month to date|last month|last year|last week|last quarter|past year|"
        "past month|past week|rolling year",
        "f:current_date f:now f:current_timestamp f:getdate f:lag f:date_trunc interval",
    ),
)  # fmt: skip
