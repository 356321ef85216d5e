"""Results of dry runs and job runs that went wrong."""

from __future__ import annotations

from tools.fakes import PlannedRun
from tools.records import DryRunResult

WRONG_COLUMN = DryRunResult(
    error="AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter with name `idd` "
    "cannot be resolved. Did you mean one of the following? [`id`, `amount`].",
    phase="transform",
)


AMBIGUOUS = DryRunResult(
    error="AnalysisException: [AMBIGUOUS_REFERENCE] Reference `id` is ambiguous, could be: [`o`.`id`, `c`.`id`].",
    phase="transform",
)


_CONTROL = "while a control script ran through"


TOO_LARGE = DryRunResult(error=f"TooLargeForSamplesError: Spark's JVM ran out of memory, twice, {_CONTROL}", line=7)


TOO_SLOW = DryRunResult(error=f"TooSlowForSamplesError: the script did not finish within 9 s, {_CONTROL}")


MISSING_AGGREGATION = DryRunResult(
    error='AnalysisException: [MISSING_AGGREGATION] The non-aggregating expression "amount" is based on columns '
    "which are not participating in the GROUP BY clause.",
    phase="transform",
)


NO_CAPACITY = PlannedRun("FAILED", "Max concurrent job runs per account exceeded")


OUT_OF_MEMORY = PlannedRun(
    "FAILED", "Error Category: OUT_OF_MEMORY_ERROR; Container killed by YARN for exceeding memory limits."
)
