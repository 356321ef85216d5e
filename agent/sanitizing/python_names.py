"""Names of Python that a transform may use: builtins, members of modules, and methods by the kind of their owner.

Each library member has a rule for the kind of value that a call of it gives (read by `library_rules.py`). Names that
are not listed are refused.
"""

from __future__ import annotations

from agent.sanitizing.spark_names import words

PROVIDED = {
    "F": "pyspark.sql.functions",
    "T": "pyspark.sql.types",
    "Window": "pyspark.sql.Window",
    "DataFrame": "pyspark.sql.DataFrame",
}
"""Names that the script imports for every transform."""


def _rules(prefix: str, **names: str) -> dict[str, str]:
    return {f"{prefix}.{name}": rule for rule, listed in names.items() for name in words(listed)}


CALLS: dict[str, str] = {
    **_rules(
        "builtins",
        plain="abs all any bool divmod float int isinstance issubclass len ord pow round",
        text="chr repr str",
        copy="frozenset iter list reversed set sorted tuple",
        one="max min next",
        total="sum",
        dict="dict",
        pairs="enumerate",
        zip="zip",
        numbers="range slice",
        map="map",
        same="filter",
    ),
    **_rules("builtins.dict", dict="fromkeys"),
    **_rules("functools", reduce="reduce", partial="partial"),
    **_rules(
        "itertools",
        chain="chain",
        zip="zip_longest",
        rows="combinations combinations_with_replacement pairwise permutations product",
        copy="islice",
        same="dropwhile filterfalse takewhile",
        accumulate="accumulate",
        any="groupby starmap",
    ),
    **_rules("itertools.chain", flatten="from_iterable"),
    **_rules(
        "operator",
        operator="add and_ floordiv inv invert mod mul neg or_ pos sub truediv xor",
        compare="eq ge gt le lt ne",
        plain="contains is_ is_not not_ truth",
        item="getitem",
        other="itemgetter",
    ),
    **_rules("datetime", moment="date datetime time timedelta timezone"),
    **_rules("datetime.date", moment="fromisoformat fromordinal"),
    **_rules("datetime.datetime", moment="combine fromisoformat strptime"),
    **_rules("datetime.time", moment="fromisoformat"),
    **_rules("decimal", moment="Decimal"),
    **_rules(
        "math",
        plain="""
        acos asin atan atan2 ceil comb copysign cos degrees exp fabs factorial floor fmod fsum gcd hypot isclose
        isfinite isinf isnan log log10 log1p log2 pow radians sin sqrt tan trunc
        """,
    ),
    **_rules(
        "re", regex="compile match search fullmatch", text="escape sub", texts="findall split", any="finditer subn"
    ),
    **_rules("typing", any="cast"),
}
"""Members that may be called: dotted name → rule."""

VALUES: frozenset[str] = frozenset(
    f"{module}.{name}"
    for module, names in {
        "datetime": "UTC MAXYEAR MINYEAR",
        "datetime.timezone": "utc",
        "datetime.date": "max min",
        "datetime.datetime": "max min",
        "decimal": "ROUND_CEILING ROUND_DOWN ROUND_FLOOR ROUND_HALF_DOWN ROUND_HALF_EVEN ROUND_HALF_UP ROUND_UP",
        "math": "e inf nan pi tau",
        "re": "A ASCII DOTALL I IGNORECASE M MULTILINE S VERBOSE X",
        "typing": """
        Any Callable Dict Final FrozenSet Iterable Iterator List Literal Mapping Optional Sequence Set Tuple Union
        """,
        "pyspark.sql.Window": "currentRow unboundedFollowing unboundedPreceding",
    }.items()
    for name in words(names)
)
"""Members that are read: constants, and names for annotations."""

MODULES = words("functools itertools operator datetime decimal math re typing")
"""Modules of Python that may be imported; of each only what is listed above."""

SPARK_MODULES = {
    "pyspark": words("sql"),
    "pyspark.sql": words("Column DataFrame SparkSession Window dataframe functions types window column"),
    "pyspark.sql.dataframe": words("DataFrame"),
    "pyspark.sql.column": words("Column"),
    "pyspark.sql.window": words("Window WindowSpec"),
}
"""Names that may be imported from PySpark beside the members of `functions` and `types`."""

BUILTINS = frozenset(name.split(".")[1] for name in CALLS if name.startswith("builtins.") and name.count(".") == 1)
"""Python's own names that a transform may use, without the exceptions."""

EXCEPTIONS = words("AssertionError Exception KeyError NotImplementedError RuntimeError TypeError ValueError")
"""Exceptions that a transform may raise."""

UNCALLED_FRAME_METHODS = words("crossJoin intersect join subtract union unionAll unionByName exceptAll")
"""Methods that may be passed as `DataFrame.name`, as to `reduce`: none of them reads text as SQL."""

TEXT_METHODS: dict[str, str] = {
    **dict.fromkeys(
        words("""
        capitalize casefold center expandtabs join ljust lower lstrip removeprefix removesuffix replace rjust rstrip
        strip swapcase title translate upper zfill format
        """),
        "text",
    ),
    **dict.fromkeys(words("partition rpartition rsplit split splitlines"), "texts"),
    **dict.fromkeys(
        words("""
        count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isspace
        istitle isupper rfind rindex startswith
        """),
        "plain",
    ),
}
"""Methods of text, with the kind of their result."""

UNCALLED_TEXT_METHODS = TEXT_METHODS.keys() - {"format", "join", "translate"}
"""Methods that may be passed as `str.name`, as to `map` or as a key."""

CONTAINER_METHODS: dict[str, str] = {
    "append": "put", "add": "put", "appendleft": "put", "extend": "put_all", "insert": "put_second",
    "update": "put_all", "setdefault": "default", "get": "get", "pop": "get", "items": "items", "keys": "keys",
    "values": "values", "copy": "copy", "union": "merge", "intersection": "merge", "difference": "merge",
    "symmetric_difference": "merge", "index": "plain", "count": "plain", "issubset": "plain", "issuperset": "plain",
    "isdisjoint": "plain", "sort": "none", "reverse": "none", "remove": "none", "discard": "none", "clear": "none",
    "popitem": "pair",
}  # fmt: skip
"""Methods of lists, sets, tuples and dictionaries."""

PLAIN_METHODS: dict[str, str] = {
    **dict.fromkeys(words("isoformat strftime ctime tzname group"), "text"),
    **dict.fromkeys(words("groups findall split"), "texts"),
    **dict.fromkeys(words("sub"), "text"),
    **dict.fromkeys(words("match search fullmatch"), "regex"),
    **dict.fromkeys(
        words("""
        as_integer_ratio bit_length date end is_integer isocalendar isoweekday normalize quantize replace span
        start time timedelta timetuple to_eng_string to_integral_value toordinal total_seconds utcoffset weekday
        astimezone combine
        """),
        "moment",
    ),
}
"""Methods of numbers, dates, decimals, patterns and matches."""

PLAIN_PROPERTIES = words(
    "day days hour imag max microsecond microseconds min minute month real second seconds tzinfo year"
)
