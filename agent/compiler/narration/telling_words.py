"""Telling words: words of a description that could change rows, each with the evidence that carries it."""

from __future__ import annotations

from agent.compiler.narration.computing_words import ARITHMETIC, COMPUTING
from agent.compiler.narration.telling import telling

_PICKS = "limit dedup rank_filter f:first_value f:last_value f:first f:last f:nth_value f:lag f:lead"
_HIGH = "f:max f:max_by f:greatest"
_LOW = "f:min f:min_by f:least"
_SHRINKS = "filter inner case limit dedup distinct aggregate union anti"
_MISSING = "negation null is_null anti"
_OTHER_ROWS = "join_to_itself window exists semi anti f:lag f:lead"
"""Elements that look at more rows than one."""


_PURPOSE = (
    "name names day days of half letter letters character characters line step join filter we is and term semester time"
)
TELLING = (
    *COMPUTING,
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
        ARITHMETIC,
        named=True,
    ),
    telling(
        "that were not|that was not|that are not|that is not|which were not|which are not|who were not|who are not|"
        "who have not|that have not",
        f"{_MISSING} case filter",
        named=True,
    ),
    telling(
        "must not|must never|may not|shall not|should not|not be counted|not counted|not be included|not included|"
        "not appear|do not count|does not count",
        "negation anti",
    ),
    telling("no", f"{_MISSING} eq", "earlier later more less fewer longer greater matter matching match", "", "filter"),
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
    telling("missing", f"{_MISSING} coalesce outer minus", steps="derive"),
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
        "busiest|best-selling|bestselling|most popular|most frequent|most common",
        f"{_PICKS} f:mode f:max_by",
        steps="target",
        direction="any",
    ),
    telling(
        "worst|best|best-selling|bestselling|busiest|fastest|slowest|heaviest|most frequent|most popular|"
        "least frequent|most common|most frequently|youngest",
        f"{_PICKS} {_HIGH} {_LOW} f:mode",
        "practice effort",
        direction="any",
    ),
    telling("at the top|on top|at the bottom", "sort order rank"),
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
