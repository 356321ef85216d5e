"""The spellings of keys, types and words in the entries of a specification: closed tables."""

from __future__ import annotations

import re

from agent.key_names import words as words


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """`name: spelling spelling …`, for each name."""
    found: dict[str, tuple[str, ...]] = {}
    for part in re.findall(r"(\w+):([^:]*)(?=\s\w+:|$)", text):
        found[part[0]] = tuple(part[1].split())
    return found


ENTRY = _table("""
    type: transformation_type step_type operation action kind transform transformation op
    description: desc
    details: config configuration params parameters options spec properties settings args arguments logic
    """)
"""Keys of an entry of `transformations`."""

_CONDITION = """
    column: field col column_name field_name attribute left left_operand lhs key
    operator: op comparison comparator operation relation comparison_operator
    value: values val right right_operand rhs compare_to comparison_value threshold target_value literal list
    low: min minimum lower lower_bound from start start_value min_value value1 value_from
    high: max maximum upper upper_bound to end end_value max_value value2 value_to
    condition: expression sql clause predicate where filter having filter_condition filter_expression where_clause
        having_clause filter_clause condition_expression having_condition expr criteria query
    conditions: filters rules criterion clauses predicates filter_conditions conditions_list groups
        having_conditions
    connector: logical_operator logic logical conjunction combinator combine_with bool boolean_operator
        logic_operator condition_logic match connector_type condition_type
    or: any any_of or_conditions $or
    and: all all_of and_conditions $and
    not: none negate $not
    table: table_name table_alias alias source source_table entity
    function: aggregate aggregate_function agg func aggregation
    columns: fields
    """

KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "entry": ENTRY,
    "filter": _table(_CONDITION),
    "join": _table("""
        left_table: left left_source left_dataset left_df left_relation table1 primary_table left_side from_table
            frame1 dataset1
        left_alias: left_table_alias
        right_table: right right_source right_dataset right_df right_relation table2 secondary_table right_side
            frame2 dataset2 join_table joined_table to_table lookup_table with with_table
        right_alias: right_table_alias
        table: table_name source source_table target name
        alias: table_alias as
        base: base_table driving_table main_table from
        join_type: how join type kind join_kind method mode type_of_join
        on_columns: columns using keys join_keys on_column join_columns join_on common_columns key join_key
            join_column on_keys using_columns match_columns on_fields
        left_column: left_on left_key left_columns left_keys left_field left_col left_join_key left_on_columns
            left_join_column source_column keys1 key1
        right_column: right_on right_key right_columns right_keys right_field right_col right_join_key
            right_on_columns right_join_column lookup_column keys2 key2
        condition: join_condition on_condition on_clause expression on_expression sql predicate join_expression
        on: conditions join_conditions join_criteria criteria
        additional: additional_condition additional_conditions extra_condition extra_conditions and and_condition
        tables: sources datasets source_tables tables_joined
        joins: join_list steps
        operator: op comparison
        """),
    "aggregate": _table("""
        function: func fn agg aggregate aggregate_function aggregation_function aggregation agg_function operation
            method agg_func
        column: field col source_column input_column input argument expression expr value_column aggregate_column
            aggregation_column measure column_name field_name
            field_to_aggregate column_to_aggregate aggregate_field agg_column
        table: table_name table_alias source_table
        alias: as output output_column new_column result output_name alias_name column_alias target_column
            result_column output_alias output_field new_name result_name as_name new_column_name column_as
        weak_alias: name
        weak_function: type
        group_by: groupby groups group_by_columns group_columns group groupings by dimensions grouping
            grouping_columns group_keys group_by_fields groupby_columns group_fields keys
            fields_to_group_by columns_to_group_by group_by_field group_column group_key
        distinct: is_distinct unique
        where: filter condition filter_where where_clause filter_condition filter_clause filters conditions
        having: having_condition having_clause having_conditions
        aggregations: aggregates aggs metrics measures functions calculations columns aggregate_functions computations
            values outputs result_columns aggregated_columns kpis
        order_by: sort_by
        """),
    "derive": _table("""
        name: new_column output_column alias column_name target_column new_column_name output field_name
            result_column output_name derived_column new_field output_field as column_alias target new_name result
        weak_name: column field col
        expression: formula sql value expr calculation logic definition computation sql_expression rule compute
            transformation case_expression
        columns: derived_columns derivations new_columns calculations expressions output_columns
            calculated_columns computed_columns fields added_columns derive
        data_type: dtype column_type datatype return_type output_type result_type sql_type
        sources: source_columns source_column input_columns inputs input_column based_on from columns_used
            source_fields source_field input
        """),
    "window": _table("""
        function: window_function func fn window_func ranking_function rank_function rank_type method
            function_name analytic_function aggregate aggregation
        name: alias output_column new_column output column_name target_column result_column output_name as
            new_column_name output_alias rank_column ranking_column new_name
        column: field col source_column input_column value_column argument target on expression
            column_to_aggregate input sql expr formula
        partition_by: partition partition_columns partitionby group_by partitions partition_keys
            partition_by_columns partition_column per
        order_by: order orderby sort_by order_columns order_by_columns sort order_column sort_columns
        direction: sort_order sort_direction order_direction ascending
        offset: lag_offset lead_offset periods shift
        default: default_value fill_value
        frame: window_frame frame_clause frame_spec rows rows_between range
        window: over window_spec window_definition over_clause
        windows: window_functions columns functions
        limit: top_n n top keep max_rank
        """),
    "sort": _table("""
        columns: column by order_by sort_by fields keys orderby sort sort_columns order_columns order_by_columns
            ordering orderings sort_keys field sort_column
        direction: order ascending sort_order asc direction_order sort_direction order_direction directions orders
        nulls: nulls_position null_order nulls_order na_position null_position
        limit: n rows count top
        """),
    "limit": _table("""
        rows: n limit count top top_n max_rows row_count number k first num_rows row_limit limit_count
            number_of_rows take size value head limit_rows max_records limit_value
        with_ties: ties keep_ties include_ties
        order_by: order_by_columns sort_by by columns column orderby sort_columns sort order_columns order_column
            sort_column ordering
        direction: order ascending sort_order order_direction sort_direction
        nulls: nulls_position nulls_order
        partition_by: group_by partition per partition_columns within
        offset: skip start
        function: ranking_function rank_function method rank_method
        name: alias rank_column output_column rank_alias rank_name
        """),
    "select": _table("""
        columns: fields column select output_columns keep selected_columns column_list projections projection
            include columns_to_keep keep_columns output expressions
        mapping: column_mapping columns_mapping mappings
        exclude: drop except drop_columns excluded_columns remove exclude_columns columns_to_drop
        distinct: unique
        """),
    "rename": _table("""
        from: old old_name from_column source source_column old_column column_name column field current_name
            original_name original
        to: new new_name to_column target target_column new_column renamed_to alias as
        columns: mapping mappings renames column_mapping rename columns_mapping renamed_columns rename_map
            column_mappings fields
        """),
    "deduplicate": _table("""
        partition_by: columns keys subset by key_columns on unique_columns partition dedup_columns group_by key
            column partition_columns unique_key dedupe_columns deduplicate_by distinct_columns unique_by dedup_keys
            unique_on deduplication_keys
        order_by: sort_by order orderby order_columns sort sort_columns order_column order_by_columns tie_breaker
        direction: sort_order order_direction ascending sort_direction
        keep: retain keep_rule strategy keep_strategy keep_record
        """),
    "cast": _table("""
        column: field name column_name source_column col
        to: data_type target_type new_type type to_type dtype cast_to as target_data_type
        columns: casts mapping conversions types columns_mapping fields type_mapping
        name: alias output_column new_column
        """),
    "fill": _table("""
        column: field name column_name col
        value: fill_value default default_value replacement replace_with fill with
        columns: mapping values fields defaults
        name: alias output_column new_column
        """),
    "union": _table("""
        tables: sources inputs datasets source_tables input_tables with
        alias: name output as result
        columns: fields
        all: keep_all keep_duplicates union_all include_duplicates allow_duplicates
        distinct: remove_duplicates deduplicate
        mode: union_type kind
        """),
    "pivot": _table("""
        column: pivot_column pivot spread pivot_col columns_from names_from on
        values: pivot_values value_list in
        function: agg aggregate aggregate_function aggfunc agg_function aggregation func
        value_column: values_column value values_from aggregate_column measure agg_column
        group_by: index groupby group_columns group_by_columns id_columns rows
        """),
}  # fmt: skip
"""Canonical name to further spellings of each key, by kind of entry."""

TYPES = {
    alias: name
    for name, aliases in _table("""
        join: joins merge lookup join_tables left_join right_join inner_join full_join outer_join full_outer_join
            left_outer_join join_condition enrich joining multi_join
        filter: filters where having filtering filter_rows row_filter post_filter post_aggregation_filter
            filter_aggregate filter_after_aggregation filter_condition where_clause having_filter query
        aggregate: aggregation aggregations aggregates group group_by groupby agg summarize summarise summary
            grouping group_aggregate group_and_aggregate group_by_aggregate aggregate_by rollup_by
        derive: derived derived_column derived_columns derive_column derive_columns calculate calculated_column
            calculation add_column add_columns compute computed_column with_column withcolumn mutate expression
            new_column column_expression formula derivation case case_when conditional map transform_column
            create_column computation extract apply_expression
            assign derived_field calculated_columns calculated_field add_field computed_columns
        window: window_function windowing rank ranking row_number dense_rank lag lead analytic analytic_function
            window_functions running_total cumulative_sum cumulative moving_average percentile_rank
        sort: order order_by orderby sorting arrange ordering sort_by sort_values sort_rows
        limit: top_n top topn head take top_rows limit_rows first_n top_k topk sort_and_limit order_and_limit
        select: project projection select_columns choose_columns keep_columns column_selection final_select output
            output_columns reorder_columns reorder drop drop_columns drop_column
        rename: rename_columns rename_column renaming alias
        distinct: unique distinct_rows select_distinct
        deduplicate: dedup dedupe deduplication drop_duplicates remove_duplicates distinct_on keep_latest
            keep_first latest_record
        cast: convert type_cast type_conversion cast_column cast_columns change_type convert_type
        fill: fill_null fillna fill_nulls fill_na coalesce replace_null replace_nulls handle_nulls null_handling
            default_value
        union: union_all append stack union_tables
        pivot: pivot_table crosstab
        """).items()
    for alias in (name, *aliases)
}  # fmt: skip
"""Type of a transformation, in any spelling, to the canonical one."""

JOIN_TYPES = {
    spelling: name
    for name, spellings in {
        "inner": ("inner", "inner join", "join", "equi", "equijoin", "equi join", "default"),
        "left": ("left", "left outer", "left join", "left outer join", "leftouter", "l", "lookup"),
        "right": ("right", "right outer", "right join", "right outer join", "rightouter", "r"),
        "outer": ("outer", "full", "full outer", "full join", "full outer join", "outer join", "fullouter"),
    }.items()
    for spelling in spellings
}
FURTHER_JOINS = frozenset(
    name.replace("_", " ")
    for name in words("""
        cross cross_join crossjoin cartesian semi left_semi leftsemi semi_join left_semi_join anti left_anti leftanti
        anti_join left_anti_join right_semi right_anti natural natural_join asof as_of exists not_exists
        lateral self self_join left_exclusive right_exclusive theta
        """)
)
"""Joins that exist and that only the compiler cannot express."""

OPERATORS = {
    spelling: name
    for name, spellings in {
        "=": "=, ==, eq, equal, equals, is, equal to, equals to, is equal to, ===, same as",
        "!=": "!=, <>, ne, neq, not equal, not equals, not equal to, is not, does not equal, noteq, ≠, not eq, "
        "is not equal to",
        ">": ">, gt, greater than, greater, after, more than, is greater than, above, exceeds, later than",
        ">=": ">=, ≥, gte, ge, greater than or equal, greater than or equal to, greater or equal, at least, "
        "on or after, greater equal, geq, =>, not less than, greaterthanorequal",
        "<": "<, lt, less than, less, before, is less than, below, fewer than, lower than, earlier than",
        "<=": "<=, ≤, lte, le, less than or equal, less than or equal to, less or equal, at most, on or before, "
        "less equal, leq, =<, not greater than, lessthanorequal",
        "LIKE": "like",
        "NOT LIKE": "not like, notlike",
        "ILIKE": "ilike, like ignore case, case insensitive like, like case insensitive",
        "NOT ILIKE": "not ilike, notilike",
        "IN": "in, is in, any of, one of, in list, isin, is one of, is any of, is in list",
        "NOT IN": "not in, nin, notin, none of, is not in, not in list, not one of, not any of, isnotin",
        "BETWEEN": "between, is between, in range, range, between inclusive, between and",
        "NOT BETWEEN": "not between, is not between, outside, not in range",
        "IS NULL": "is null, null, isnull, isna, is none, missing, is missing, equals null, is na",
        "IS NOT NULL": "is not null, not null, notnull, isnotnull, notna, is notnull, exists, not missing, is present, "
        "not is null, notnull, non null, not equals null",
        "contains": "contains, includes",
        "not contains": "not contains, does not contain, notcontains",
        "starts with": "starts with, startswith, begins with, beginswith, prefix",
        "not starts with": "not starts with, does not start with",
        "ends with": "ends with, endswith, suffix",
        "not ends with": "not ends with, does not end with",
        "IS NOT DISTINCT FROM": "is not distinct from, <=>, null safe equal, eqnullsafe, equal null safe",
        "IS DISTINCT FROM": "is distinct from",
        "true": "is true",
        "false": "is false",
        "~": "~, regex, regexp, rlike, matches, matches regex, regexp like, similar to, regexp match",
        "!~": "!~, not regexp, not rlike, not regex, not matches",
    }.items()
    for spelling in spellings.split(", ")
}
"""Operator in small letters, with blanks for `_`, to the canonical one."""

FUNCTIONS = {
    spelling: name
    for name, spellings in {
        "sum": "sum total summation",
        "avg": "avg mean average",
        "count": "count cnt count_rows row_count count_all size",
        "min": "min minimum",
        "max": "max maximum",
        "count_distinct": "count_distinct countdistinct distinct_count nunique count_unique unique_count "
        "approx_count_distinct_exact n_unique distinctcount",
    }.items()
    for spelling in spellings.split()
}
"""Aggregate in small letters, with `_` for blanks, to the canonical one."""
