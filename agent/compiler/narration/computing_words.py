"""Telling words for what is computed, each with the evidence that carries it."""

from __future__ import annotations

from agent.compiler.narration.telling import telling

ARITHMETIC = "product division minus +"
"""Signs of an expression that computes."""
_STEPS = "step steps join joins stage query result results filter filters aggregation transformation to"
COMPUTING = (
    telling(
        "number of|count of|how many",
        "f:count count_distinct f:sum aggregate window f:length f:char_length minus f:datediff f:size f:cardinality",
        "",
        "phone order account invoice tail flight",
        "target aggregate",
    ),
    telling("average|averages|averaged|averaging|mean|avg", "f:avg f:mean mean", steps="aggregate"),
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
    telling("half of|twice|double the|triple the|a third of|two thirds of", "product division", "", "first second"),
    telling(
        "convert|converts|converted|converting",
        f"{ARITHMETIC} derived",
        steps="derive aggregate window target",
    ),
    telling(
        "to celsius|to fahrenheit|to kelvin|to kilometres|to kilometers|to km|to miles|to kilograms|to kg|to pounds|"
        "to euros|to dollars|to euro|to litres|to liters|to metres|to meters",
        ARITHMETIC,
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
)  # fmt: skip
