"""Telling words: words of a description that could change rows, each with the evidence that carries it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.compiler.narration.word_tokens import word_set

_PICKS = "limit dedup rank_filter f:first_value f:last_value f:first f:last f:nth_value f:lag f:lead"
_HIGH = "f:max f:max_by f:greatest"
_LOW = "f:min f:min_by f:least"
_SHRINKS = "filter inner case limit dedup distinct aggregate union anti"
_MISSING = "negation null is_null anti"


@dataclass(frozen=True)
class Telling:
    """Words of one meaning."""

    phrases: tuple[str, ...]
    facts: frozenset[str]
    """The words are carried where one of these facts holds."""
    not_before: frozenset[str] = frozenset()
    """Words after which nothing is told, as `name` after `first`."""
    not_after: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    """The kinds of steps that they count in; all texts where it is empty."""
    direction: str = ""
    """The direction of an order that picks such rows."""


def _telling(
    phrases: str, facts: str, not_before: str = "", not_after: str = "", steps: str = "", direction: str = ""
) -> Telling:
    return Telling(
        tuple(phrases.split("|")),
        word_set(facts),
        word_set(not_before),
        word_set(not_after),
        word_set(steps),
        direction,
    )


_PURPOSE = (
    "name names day days of half letter letters character characters line step join filter we is and term semester time"
)
TELLING = (
    # which rows stay
    _telling(
        "only|solely|exclusively",
        f"{_SHRINKS} select",
        not_after="read not if digits letters numbers",
        not_before="if when",
    ),
    _telling("keep|keeps|retain|retains", f"{_SHRINKS} outer", "all every track the only", "to"),
    _telling("filter|filters|filtered|restrict|restricts|restricted|narrow", "filter inner case anti rank dedup limit"),
    _telling(
        "discard|discards|skip|skips|skipping|omit|omits|omitting|ignore|ignores|ignoring|ignored",
        f"{_MISSING} filter inner case aggregate dedup",
        "case whitespace",
    ),
    _telling(
        "remove|removes|removing|removed|drop|drops|dropping|dropped|eliminate|eliminating",
        f"{_SHRINKS} select f:trim f:btrim f:ltrim f:rtrim f:replace f:regexp_replace f:translate f:substring "
        "f:substr f:lstrip",
    ),
    _telling(
        "exclude|excludes|excluding|excluded|other than|unless|except|except for",
        f"{_MISSING} case f:regexp_replace f:translate",
        "tax taxes vat shipping discount discounts",
    ),
    _telling(
        "without|lacking|no matching|no match|unmatched|missing|never|absent",
        f"{_MISSING} coalesce outer",
        "tax taxes vat shipping discount duplicates duplication losing changing",
    ),
    _telling(
        "is null|are null|not null|non-null|null values|null value|nulls",
        f"{_MISSING} inner coalesce f:nullif",
        steps="filter",
    ),
    _telling("positive|negative|non-negative|nonzero|non-zero", "gt ge lt le negation", "", "", "filter"),
    _telling("empty|blank|non-empty", f"{_MISSING} f:trim f:nullif f:length f:char_length gt", "", "", "filter"),
    _telling("even if|even when|including those without|including those with no|even those", "outer coalesce"),
    _telling("keep all|keeps all|retain all|keep every", "outer union coalesce distinct dedup filter"),
    # which one of several
    _telling(
        "first|last",
        f"{_PICKS} max_day",
        f"{_PURPOSE} updated modified changed seen login one's digit",
        "at from",
        direction="any",
    ),
    _telling(
        "latest|most recent|most recently|newest|most current",
        f"{_PICKS} max_day f:max_by",
        "version of-the-art",
        direction="desc",
    ),
    _telling("earliest|oldest", f"{_PICKS} max_day f:min_by", direction="any"),
    _telling("recent|recently", "filter limit dedup rank_filter max_day"),
    _telling(
        "top|bottom",
        "limit rank_filter dedup f:ntile f:percent_rank f:percentile",
        "level-of level line down",
        "on at",
        direction="any",
    ),
    _telling("highest|largest|biggest|longest|greatest|most expensive|maximal", f"{_PICKS} {_HIGH}", direction="desc"),
    _telling(
        "lowest|smallest|shortest|cheapest|least expensive|minimal",
        f"{_PICKS} {_LOW}",
        "effort",
        direction="asc",
    ),
    _telling(
        "worst|best|best-selling|bestselling|busiest|fastest|slowest|heaviest|most frequent|most popular|"
        "least frequent|most common|most frequently|youngest",
        f"{_PICKS} {_HIGH} {_LOW} f:mode",
        "practice effort",
        direction="any",
    ),
    _telling("most|fewest", f"{_PICKS} {_HIGH} {_LOW} f:mode", "of", "at", direction="any"),
    _telling(
        "rank|ranks|ranked|ranking",
        "rank f:rank f:dense_rank f:row_number f:ntile f:percent_rank sort rank_name",
    ),
    _telling("row number|row numbers", "f:row_number"),
    _telling("ties|tied", "ties f:rank f:dense_rank order"),
    _telling("random|randomly|sampled at", "f:rand f:random"),
    _telling(
        "distinct|unique|different",
        "count_distinct distinct dedup union rank f:count_distinct",
        "identifier identifiers id ids key keys code number reference from index constraint type types kinds "
        "kind than",
        "each every per is are be",
    ),
    _telling(
        "duplicate|duplicates|deduplicate|deduplicated|deduplicates|deduplication|dedupe|de-duplicate|deduped|"
        "duplicated",
        "distinct dedup rank group union count_distinct gt",
        "",
        "without avoid avoids avoiding not prevent prevents no",
    ),
    # what is computed
    _telling("average|averages|averaged|averaging|mean|avg", "f:avg f:mean division window"),
    _telling("median", "f:median f:percentile f:percentile_cont f:percentile_approx f:approx_percentile"),
    _telling(
        "percentile|percentiles|quartile|quartiles|decile|deciles|quintile|quintiles",
        "f:percentile f:percentile_cont f:percentile_disc f:percentile_approx f:ntile f:percent_rank f:cume_dist",
    ),
    _telling(
        "standard deviation|stddev|variance",
        "f:stddev f:stddev_samp f:stddev_pop f:variance f:var_samp f:var_pop f:std",
    ),
    _telling("sum|sums|summed|summing|sum up", "f:sum"),
    _telling("total|totals|totaled", "f:sum f:count aggregate + product", steps="aggregate"),
    _telling("maximum|max", "f:max f:greatest order"),
    _telling("minimum|min", "f:min f:least order case gt ge"),
    _telling("running|cumulative|cumulatively|rolling|moving|trailing", "running", "time times cost costs late year"),
    _telling(
        "previous|preceding|prior",
        "f:lag f:lead window interval f:date_sub f:date_add f:add_months minus join_to_itself",
        "step steps join joins stage query result results filter filters aggregation transformation to",
        "",
        "window derive",
    ),
    _telling(
        "year-over-year|month-over-month|year over year|month over month|week-over-week|day-over-day|"
        "quarter-over-quarter",
        "f:lag f:lead window minus",
    ),
    _telling(
        "rounded|round|rounding|rounds",
        "f:round f:bround f:floor f:ceil f:ceiling f:trunc f:truncate scale",
        "trip trips",
    ),
    _telling(
        "truncate|truncated|truncates",
        "f:date_trunc f:trunc f:truncate f:floor f:substring f:left cast f:substr",
    ),
    _telling("absolute", "f:abs"),
    _telling("capped|cap|clamp|clamped|capping", "f:least f:greatest case"),
    _telling("uppercase|upper-case|upper case|uppercased", "f:upper f:ucase"),
    _telling("capitalize|capitalized|title case", "f:initcap f:upper"),
    _telling("lowercase|lower-case|lower case|lowercased", "f:lower f:lcase"),
    _telling(
        "case-insensitive|case-insensitively|case insensitive|ignoring case|ignore case|regardless of case",
        "f:lower f:upper like",
    ),
    _telling(
        "trim|trimmed|trims|strip|stripped|strips|whitespace",
        "f:trim f:btrim f:ltrim f:rtrim f:regexp_replace f:replace",
    ),
    _telling(
        "concatenate|concatenated|concatenates|concatenation|concatenating",
        "concat f:concat f:concat_ws f:format f:format_string f:string_agg f:array_agg f:listagg f:collect_list",
    ),
    _telling(
        "default|defaults|defaulting|fallback|falls back|fill|filled|impute|imputed|replace|replaced|replacing|"
        "substitute|substituted",
        "coalesce case f:replace f:regexp_replace f:translate f:nullif",
    ),
    _telling("pivot|pivoted|one column per", "pivot case"),
    _telling("unpivot|unpivoted|explode|exploded|flatten|flattened|unnest", "f:explode f:unnest f:stack f:posexplode"),
    _telling("union|unioned|stacked", "union"),
    _telling("inclusive|inclusively", "between ge le", not_before="of"),
    # how tables meet
    _telling("left join|left joins|left joined|left outer join|left-join|left outer", "left outer"),
    _telling("right join|right outer join", "right outer"),
    _telling("full outer join|full join|outer join", "outer"),
    _telling("inner join|inner joins|inner joined|inner-join", "inner"),
    _telling("cross join|cartesian product", "cross"),
    _telling("anti join|anti-join|left anti", "anti"),
    _telling("semi join|semi-join|left semi", "semi exists"),
    # what depends on today
    _telling(
        "today|yesterday|current date|current month|current year|this month|this year|this week|this quarter|"
        "year to date|year-to-date|ytd|month to date|last month|last year|last week|last quarter|past year|"
        "past month|past week|rolling year",
        "f:current_date f:now f:current_timestamp f:getdate f:lag f:date_trunc interval",
    ),
)  # fmt: skip
