"""Rules for Spark's and Python's errors in a transform; most certain first.

Each rule knows the words of Spark 3.3 (Glue 4.0, without `[CLASS]` prefixes) and of 3.5 (Glue 5.0, embedded engine).
"""

from __future__ import annotations

from agent.diagnosis.rule import Rule, rule

_QUALIFY = "alias every source and write F.col('alias.{name}')"

CODE_RULES: tuple[Rule, ...] = (
    rule(
        "value_does_not_fit",
        [r"column (?P<name>[^\n:]+?): a value does not fit (?P<type>numeric\([\d,]+\)), as all did when the run began"],
        "the source's column {name} holds more digits than {type} since the run began, and computing relies on it",
        "start the run again; it looks at the column's values anew",
        "nobody",
    ),
    rule(
        "value_does_not_fit",
        [r"column (?P<name>[^\n:]+?): (?P<count>\d+) values do not fit (?P<type>[\w ]+(?:\([\d, ]+\))?)"],
        "{count} values of column {name} do not fit {type}",
        "compute {name} so that it fits {type}: check the unit and the aggregate, round, or filter such rows if the "
        "specification allows it",
    ),
    rule(
        "target_type_mismatch",
        [r"column (?P<name>\S+) is a time of day, which the target cannot hold as (?P<type>.+)"],
        "the column {name} is a time of day, in Spark a timestamp of 1970-01-01, which is no value of {type}",
        "give the target's column the type time, or write date_format(..., 'HH:mm:ss') where it is a text",
    ),
    rule(
        "output_columns",
        [
            r"the result lacks columns \[(?P<name>[^\]]*)\]; it has \[(?P<names>[^\]]*)\]",
            r"staging lacks columns? (?P<name>[^\n;]+)",
        ],
        "the result lacks the columns {name}; it has {names}",
        "return a DataFrame that has the columns {name}, named with .alias(...)",
    ),
    rule(
        "output_columns",
        [r"the result has columns \[(?P<name>[^\]]*)\], which the target does not take; it takes \[(?P<names>[^\]]*)"],
        "the result has the columns {name}, which the target does not take; it takes {names}",
        "leave the columns {name} out, or rename each with .alias(...) to the target's column that it is meant for",
    ),
    rule(
        "output_columns",
        [
            r"COLUMN_ALREADY_EXISTS\] The column (?P<name>`[^`]+`) already exists",
            r"Found duplicate column\(s\)[^\n:]*: (?P<name>[`\w, ]+)",
            r"Column (?P<name>\S+) not found in schema Some",
        ],
        "the column {name} does not stand exactly once in what is written",
        "end with one select that names every output column once",
    ),
    rule(
        "target_type_mismatch",
        [
            r"column (?P<name>\S+) is (?P<other>[^\n]+?), which the target cannot hold as (?P<type>[\w ,()]+)",
            r"column \"(?P<name>[^\"]+)\" is of type (?P<type>[\w ]+?) but expression is of type (?P<other>[\w ]+)",
            r"Can't get JDBC type for (?P<other>[^\n]+)",
        ],
        "the column {name} is {other}, which the target cannot take {type}",
        "return a plain value: cast it, take one field or element, or use F.to_json",
    ),
    rule(
        "ambiguous_reference",
        [r"Reference (?P<name>[`'][^\n]*?[`']) is ambiguous, could be: \[?(?P<names>[^\]\n;]+)"],
        "the name {name} means several columns: {names}",
        "write one of {names}, with its alias",
    ),
    rule(
        "ambiguous_reference",
        [r"Column (?P<name>\w+)#\d+ (?:are|is) ambiguous", r"Column (?P<name>\w+) is ambiguous"],
        "the name {name} means columns of two DataFrames that come from the same source",
        _QUALIFY,
    ),
    rule(
        "unknown_column",
        [
            r"USING column (?P<name>`[^\n]*?`) cannot be resolved on the (?P<side>left|right) side of the join\. "
            r"The \w+-side columns: \[(?P<names>[^\]]*)\]"
        ],
        "the {side} side of the join has no column {name}; it has {names}",
        "join on an explicit condition, F.col('a.x') == F.col('b.y'); did you mean {nearest}?",
    ),
    rule(
        "unknown_column",
        [
            r"with name (?P<name>`[^\n]*?`) cannot be resolved\. Did you mean one of the following\? "
            r"\[(?P<names>[^\]]*)\]",
            r"Column '(?P<name>[^']+)' does not exist\. Did you mean one of the following\? \[(?P<names>[^\]]*)\]",
            r"cannot resolve '(?P<name>[^']+)' given input columns: \[(?P<names>[^\]]*)\]",
            r"Cannot resolve column name \"(?P<name>[^\"]+)\" among \((?P<names>[^)]*)\)",
        ],
        "there is no column {name} here; there are {names}",
        "did you mean {nearest}? The columns here are {names}",
    ),
    rule(
        "unknown_column",
        [
            r"with name (?P<name>`[^\n]*?`) cannot be resolved",
            r"Column '(?P<name>[^'\n]+)' does no",
            r"Resolved attribute\(s\) (?P<name>[^\n]+?) missing from",
            r"resolved attribute\(s\) (?P<name>\w+)#\d+L? missing from",
            r"'DataFrame' object has no attribute '(?P<name>[A-Za-z]\w*)'",
            r"Spark Error Class: (?:MISSING|UNRESOLVED)_COLUMN",
        ],
        "there is no column {name} here",
        "use a column that the sources have, as F.col('alias.column')",
    ),
    rule(
        "missing_aggregation",
        [
            r"non-aggregating expression \"(?P<name>[^\n]*?)\" is based on columns",
            r"expression '(?P<name>[^\n]*?)' is neither present in the group by",
            r"grouping expressions sequence is empty, and '(?P<name>[^\n]*?)' is not an aggregate function",
        ],
        "{name} is neither grouped by nor aggregated",
        "add {name} to groupBy, or aggregate it, as F.max('{name}')",
    ),
    rule(
        "missing_aggregation",
        [
            r"MISSING_GROUP_BY\]",
            r"NESTED_AGGREGATE_FUNCTION\]|not allowed to use an aggregate function in the argument of another",
            r"INVALID_WHERE_CONDITION\]|Aggregate/Window/Generate expressions are not valid in where clause",
            r"It is not allowed to use window functions inside WHERE",
            r"Window function (?P<name>\S+) requires an OVER clause",
            r"Window function (?P<name>\S+) requires window to be ordered",
        ],
        "an aggregate or window function stands where Spark cannot compute it",
        "aggregate in groupBy(...).agg(...), give a window function .over(...) with orderBy, and filter its result "
        "in a later step",
    ),
    rule(
        "type_mismatch",
        [
            r"(?i)cannot resolve [\"'](?P<name>[^\n]*?)[\"'] due to data ?type mismatch: (?P<why>[^\n;]*)",
            r"INCOMPATIBLE_COLUMN_TYPE\] (?P<why>[^\n;]*)",
            r"NUM_COLUMNS_MISMATCH\] (?P<why>[^\n;]*)",
            r"(?P<why>Union can only be performed on tables with (?:the same number|the compatible|compatible)[^\n;]*)",
            r"INVALID_EXTRACT_BASE_FIELD_TYPE\] (?P<why>[^\n;]*)",
            r"(?P<why>Can't extract value from [^\n;]*)",
        ],
        "the types do not go together: {name} {why}",
        "cast to matching types first, as CAST(x AS int) in an expression or F.col('x').cast('int') in Python; "
        "for unions give both sides the same columns",
    ),
    rule(
        "value_does_not_fit",
        [
            r"The value (?P<name>[^\n]*?) of the type \"?(?P<other>\w+)\"? cannot be cast to "
            r"\"?(?P<type>[\w(), ]+?)\"? (?:because it is malformed|due to an overflow)",
        ],
        "the value {name} cannot be cast from {other} to {type}",
        "cast only what can be cast, as F.when(F.col('x').rlike('^[0-9]+$'), F.col('x').cast('int')), if the "
        "specification allows NULL for the others; or compute in a wider type",
    ),
    rule(
        "value_does_not_fit",
        [
            r"(?P<name>[^\s,]+?)(?:, \d+, \d+\))? cannot be represented as (?P<type>Decimal\(\d+, ?\d+\))",
            r"(?P<name>)(?P<type>)(?:NUMERIC_VALUE_OUT_OF_RANGE|CANNOT_CHANGE_DECIMAL_PRECISION)\]",
        ],
        "the number {name} of a computation does not fit {type}: a product has the decimals of both factors",
        "cast factors to fewer decimals first, as .cast('decimal(20,4)'), or compute in a wider type",
    ),
    rule(
        "value_does_not_fit",
        [
            r"java\.lang\.ArithmeticException: (?P<why>(?:integer|long) overflow)",
            r"(?P<why>Too long sequence: [^\n]*|Cannot grow BufferHolder[^\n]*|Unsuccessful try to [^\n]*|"
            r"COLLECTION_SIZE_LIMIT_EXCEEDED[^\n]*)",
        ],
        "a number, the length of a text or list, or a date is larger than Spark can hold: {why}",
        "check what is made larger by a number, as F.repeat, F.sequence or a date moved by many days; compute numbers "
        "in a wider type, as .cast('decimal(38,6)')",
    ),
    rule(
        "value_does_not_fit",
        [
            r"(?P<why>DIVIDE_BY_ZERO|ARITHMETIC_OVERFLOW)\]",
            r"(?P<why>(?i:division by zero|divide by zero|(?:integer|long|short|byte) overflow))",
        ],
        "a computation has no value of its type: {why}",
        "divide by F.when(divisor != 0, divisor), which gives NULL; compute in a wider type, as .cast('decimal(38,6)')",
    ),
    rule(
        "value_does_not_fit",
        [r"(?:The index (?P<name>\d+) is out of bounds|(?P<why>INVALID_ARRAY_INDEX)\])"],
        "an array has no element at index {name}",
        "take the element only where it is there, as F.when(F.size(parts) > 1, parts.getItem(1))",
    ),
    rule(
        "datetime_parse",
        [
            r"(?:PARSE_DATETIME_BY_NEW_PARSER|SparkUpgradeException).*?Fail to parse '(?P<name>[^']*)'",
            r"(?:DATETIME_PATTERN_RECOGNITION|SparkUpgradeException).*?Fail to recognize '(?P<name>[^']*)' pattern",
            r"INCONSISTENT_BEHAVIOR_CROSS_VERSION|SparkUpgradeException",
            r"Text '(?P<name>[^']*)' could not be parsed|CANNOT_PARSE_TIMESTAMP\]|DateTimeParseException",
            r"DateTimeException: (?P<name>Invalid (?:value|date)[^\n.]*)",
        ],
        "a date or timestamp does not match its pattern: {name}",
        "use a pattern of Spark 3 for the text as it is, such as 'yyyy-M-d' for one-digit days, or F.coalesce of "
        "several F.to_date patterns; spark.sql.legacy.timeParserPolicy cannot be set",
    ),
    rule(
        "python_operator",
        [
            r"Cannot convert column into bool",
            r"Cannot apply 'in' operator against a column",
            r"Method (?:and|or)\(\[class [\w.]+\]\) does not exist",
            r"unsupported operand type\(s\) for [&|]:",
        ],
        "Python's and, or, not, in or if is used on a Column, or & and | lack parentheses",
        "write (F.col('a') > 1) & (F.col('b') > 1) with each comparison in parentheses, ~ for not, .isin(...) for in",
    ),
    rule(
        "policy",
        [r"(?P<name>\w+) is given a text that was not checked as (?:sql|type|aggregate)"],
        "{name} is given a text that was put together when the job ran",
        "write the SQL text, type or aggregate's name literally, or use F functions on Columns",
    ),
    rule(
        "python_name",
        [
            r"the name '(?P<name>\w+)' is not defined in a transform",
            r"name '(?P<name>\w+)' is not defined",
            r"local variable '(?P<name>\w+)' (?:referenced before|where it is not associated)",
        ],
        "the name {name} is not defined",
        "write F.{name}, T.{name} or define it: nothing else can be imported",
    ),
    rule(
        "python_name",
        [
            r"Column is not iterable",
            r"Python's own '(?P<name>\w+)' is given",
            r"type Column doesn't define __(?P<name>round|trunc|floor|ceil)__ method",
            r"bad operand type for (?P<name>abs)\(\): 'Column'",
        ],
        "a built-in function of Python is used on a Column",
        "use F.sum, F.max, F.min, F.round and F.abs, not Python's own",
    ),
    rule(
        "python_name",
        [
            r"Cannot resolve function (?P<name>`\w+`)",
            r"Undefined function: '?(?P<name>\w+)'?",
            r"(?:module 'pyspark\.sql\.functions'|'module' object) has no attribute '(?P<name>\w+)'",
        ],
        "there is no function {name} in this Spark",
        "use a function of Spark 3.3",
    ),
    rule(
        "missing_table",
        [
            r"TABLE_OR_VIEW_NOT_FOUND\] The table or view (?P<name>`[^\n]*?`) cannot be found",
            r"Table or view not found: (?P<name>[\w.`]+)",
            r"KeyError: '(?P<name>[^'\n]*)'",
        ],
        "there is no source {name}",
        "take tables from `sources` by the aliases of the specification",
    ),
    rule(
        "syntax_error",
        [
            r"(?P<why>PARSE_SYNTAX_ERROR\][^\n]*)",
            r"ParseException:\s*(?P<why>[^\n]*)",
            r"(?:SyntaxError|IndentationError|TabError): (?P<why>[^\n]*)",
        ],
        "the code or its SQL text cannot be read: {why}",
        "write the expression with F functions and Column methods",
    ),
    rule(
        "python_error",
        [r"An exception was thrown from the Python worker.*?\n(?P<why>\w+(?:Error|Exception): [^\n]*)"],
        "a user-defined function failed: {why}",
        "use the functions of F",
    ),
    rule(
        "python_error",
        [
            r"\b(?P<why>(?:PySpark)?(?:TypeError|AttributeError|IndexError|ValueError|AssertionError|RecursionError)"
            r": [^\n]*)",
            r"\b(?P<why>(?:UnboundLocalError|ZeroDivisionError|Py4JError|IllegalArgumentException): [^\n]*)",
        ],
        "{why}",
        "",
    ),
)
"""Rules for errors that the transform's code causes."""
