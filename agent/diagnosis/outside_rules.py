"""Rules for errors of the database, the engine and the network; most certain first."""

from __future__ import annotations

from agent.diagnosis.rule import Rule, rule

_MISSHAPEN = "22P02|42804|22007|22008"

CONSTRAINT_RULES: tuple[Rule, ...] = (
    rule(
        "not_null_violation",
        [r"the key \((?P<name>[^)]+)\) is NULL"],
        "specs.target_table.keys says that {name} identifies a row, and the result has NULL there",
        "find why {name} is NULL: an outer join without a match, or a failed cast; if it may be NULL, it is no key",
    ),
    rule(
        "unique_violation",
        [r"the key \((?P<name>[^)]+)\) is not unique in the result"],
        "specs.target_table.keys says that {name} identifies a row, and the result has several rows with one such key",
        "make the key unique: a join multiplies rows, or the grouping is too fine; keep one row per key by row_number; "
        "if several rows may share it, it is no key",
    ),
    rule(
        "not_null_violation",
        [
            r"null value in column \"(?P<name>[^\"]+)\"",
            r"column \"(?P<name>[^\"]+)\" contains null values",
            r"SQLSTATE 23502",
        ],
        "the target's column {name} may not be NULL, and the result has NULL there",
        "find why {name} is NULL: an outer join without a match, a failed cast, or a missing F.coalesce",
    ),
    rule(
        "unique_violation",
        [
            r"duplicate key value violates unique constraint \"(?P<name>[^\"]+)\"",
            r"(?P<name>ON CONFLICT) DO UPDATE command cannot affect row a second time",
            r"SQLSTATE (?:23505|21000)",
        ],
        "the result has several rows with one key of the target ({name})",
        "make the key unique: a join multiplies rows, or the grouping is too fine; keep one row per key by row_number",
    ),
    rule(
        "check_violation",
        [r"violates (?:check|exclusion) constraint \"(?P<name>[^\"]+)\""],
        "the result breaks the target's check {name}",
        "compute the checked columns so that {name} holds, or filter such rows if the specification allows it",
    ),
    rule(
        "check_violation",
        [
            r"no partition of relation \"(?P<name>[^\"]+)\" found",
            r"relation \"(?P<name>[^\"]+)\" violates partition constraint",
        ],
        "the result has rows that no partition of {name} takes",
        "create the missing partition, or compute the partition key so that there is one for each row",
    ),
    rule(
        "check_violation",
        [r"SQLSTATE 23514"],
        "the result breaks a check of the target",
        "compute the checked columns so that it holds, or filter such rows if the specification allows it",
    ),
    rule(
        "foreign_key_violation",
        [r"violates foreign key constraint \"(?P<name>[^\"]+)\"", r"SQLSTATE 23503"],
        "the result names rows that the referenced table does not have ({name})",
        "keep only rows whose key exists: an inner join instead of an outer one, or the right key column",
    ),
    rule(
        "value_too_long",
        [
            r"value too long for type (?P<type>[\w ]+\(\d+\))",
            r"column ['\"](?P<name>[^'\"]+)['\"]: \d+ values are longer than (?P<type>[\w ]+\(\d+\))",
            r"SQLSTATE 22001",
        ],
        "a text of column {name} is longer than {type}",
        "check that the right column is used; shorten it with F.substring only if the specification says so",
    ),
    rule(
        "target_type_mismatch",
        [rf"SQLSTATE (?:{_MISSHAPEN})\).*?column '(?P<name>[^']+)': not every value fits (?P<type>[^\n;]+)"],
        "a value of column {name} does not have the form of its type {type} in the target",
        "return values of that type in {name}: check that the right column is used, parse or map the text first",
    ),
    rule(
        "numeric_overflow",
        [
            r"column '(?P<name>[^']+)': not every value fits "
            r"(?P<type>(?:smallint|integer|bigint|numeric|real|double precision)[\d ,()]*)",
            r"numeric field overflow",
            r"(?P<type>smallint|integer|bigint) out of range",
            r"out of range for type (?P<type>[\w ]+)",
            r"SQLSTATE 22003",
        ],
        "a number of column {name} does not fit its type {type} in the target",
        "check the unit, the aggregate and join fan-out; round or cast in a wider type only if the target allows it",
    ),
    rule(
        "target_type_mismatch",
        [r"invalid input (?:syntax|value) for (?:type|enum) (?P<type>[\w ]+)", rf"SQLSTATE (?:{_MISSHAPEN})"],
        "a text value does not have the form of the target's type {type}",
        "return a value of that type: parse or map the text first",
    ),
)
"""Rules for rows that PostgreSQL refuses."""

_BY_THE_ROWS = "compute it from the rows' own columns, or bound it by a small number"

OUTSIDE_RULES: tuple[Rule, ...] = (
    rule(
        "too_large_for_samples",
        [r"TooLargeForSamplesError: [^\n]*StackOverflowError"],
        "an expression or a plan is too deep for Spark",
        "build it without a loop that wraps it again and again: add up with F.aggregate or a sum over rows, name steps "
        "in one select, and join a small table of values instead of many F.when",
    ),
    rule(
        "too_large_for_samples",
        [r"TooLargeForSamplesError: "],
        "the script needs more memory than there is for a few sample rows",
        "find the text, list, array or number of rows that is huge whatever the rows are, as by F.repeat, "
        f"F.array_repeat, F.sequence, a cross join, or Python's * and range: {_BY_THE_ROWS}",
    ),
    rule(
        "too_slow_for_samples",
        [r"TooSlowForSamplesError: "],
        "the script does not end in time on a few sample rows",
        "find the work that is huge whatever the rows are, as a loop over a large range, a power of large numbers, "
        "F.sequence or F.window with very short steps, a pattern that backtracks, or a join without keys: "
        f"{_BY_THE_ROWS}",
    ),
    rule(
        "permission",
        [
            r"password authentication failed for user \"?(?P<name>[^\"\s]+)",
            r"no pg_hba\.conf entry for .*?user \"(?P<name>[^\"]+)",
        ],
        "the database refuses the login of {name}",
        "check the user's name and password in --job-database-url or in the secret of the Glue connection",
        "nobody",
    ),
    rule(
        "permission",
        [
            r"(?P<name>ExpiredToken|InvalidClientTokenId)",
            r"(?P<name>password authentication failed|no pg_hba\.conf entry)",
        ],
        "access is refused: {name}",
        "renew the credentials",
        "nobody",
    ),
    rule(
        "permission",
        [r"Role (?P<name>\S+) should be given assume role permissions"],
        "Glue may not take the role {name}",
        "name an existing role with DATAMORPH_ROLE, and let glue.amazonaws.com assume it in its trust policy",
        "nobody",
    ),
    rule(
        "permission",
        [
            r"LAUNCH ERROR.*?Access ?Denied",
            r"AccessDenied(?:Exception)?|is not authorized to perform: (?P<name>\S+)|Status Code: 403",
            r"permission denied for (?P<name>\w+ \S+)",
        ],
        "access is refused: {name}",
        "grant the job's role or the database user what the message names",
        "nobody",
    ),
    rule(
        "capacity",
        [
            r"ConcurrentRunsExceeded|Concurrent runs exceeded",
            r"Max concurrent (?:job runs|compute)[^\n]*exceeded",
            r"ResourceNumberLimitExceeded|Resource unavailable|InsufficientCapacity|ThrottlingException",
            r"number of IP addresses|insufficient free addresses",
        ],
        "the account or the service has no free capacity",
        "wait, or raise the quota",
        "retry",
    ),
    rule(
        "out_of_memory",
        [
            r"(?<!On)\bOutOfMemoryError: ",
            r"Container killed by YARN for exceeding (?:physical )?memory limits",
            r"exceeding memory limits|GC overhead limit exceeded|Unable to acquire \d+ bytes of memory",
            r"^MemoryError\b|exit(?:ed with)? (?:code|status):? 137\b|Cannot allocate memory",
        ],
        "the workers ran out of memory",
        "run on larger workers",
        "resources",
    ),
    rule(
        "launch",
        [r"LAUNCH ERROR", r"EntityNotFoundException", r"OperationTimeoutException|InternalServiceException"],
        "the engine did not start the script",
        "the run is started again",
        "retry",
    ),
    rule(
        "network",
        [
            r"UnknownHostException:? ?(?P<name>\S*)",
            r"Connection to (?P<name>\S+) refused",
            r"connection to server at \"(?P<name>[^\"]+)\"[^\n]*?(?:refused|expired|No route|unreachable|closed)",
            r"could not translate host name \"(?P<name>[^\"]+)\"",
            r"Could not find S3 endpoint or NAT gateway|At least one security group must open all ingress ports",
            r"The connection attempt failed|SocketTimeoutException|[Cc]onnect(?:ion)? timed out|Connection reset",
            r"too many clients already|remaining connection slots|terminating connection due to administrator command",
            r"the database system is (?:starting up|shutting down)",
        ],
        "the database or a service cannot be reached {name}",
        "check host, port, subnet, S3 endpoint and security group of the connection",
        "retry",
    ),
    rule(
        "lost_process",
        [
            r"ExecutorLostFailure|SparkContext was shut down|Py4JNetworkError|Answer from Java side is empty",
            r"(?:process|JVM) (?:ended|died|is gone|was lost)|ended without a (?:word|result)|the Spark JVM ended",
        ],
        "the process that ran the script is gone",
        "the run is started again",
        "retry",
    ),
    rule(
        "missing_table",
        [
            r"relation \"(?P<name>[^\"]+)\" does not exist",
            r"source (?P<name>\S+) lacks columns",
            r"schema \"(?P<name>[^\"]+)\" does not exist",
        ],
        "the database has no table {name}, or it changed since the run began",
        "check the table's name, with its schema and its upper case letters",
        "nobody",
    ),
)
"""Rules for failures outside the transform."""
