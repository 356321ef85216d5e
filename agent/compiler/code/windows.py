"""Windows in generated code: `window = Window.partitionBy(...)`, then `F.rank().over(window)`."""

from __future__ import annotations

from agent.compiler.code.averages import average_code, is_exact_average
from agent.compiler.code.columns import column_code
from agent.compiler.code.layout import Argument, Call, statement
from agent.compiler.code.spelling import python_value
from agent.compiler.expressions.column_kinds import wraps
from agent.compiler.expressions.references import Reference
from agent.compiler.plan.steps import SortKey, WindowStep
from agent.elements import Frame


class WindowVariables:
    """The windows of one transform; equal ones share a variable, so that Spark sorts once for them."""

    def __init__(self) -> None:
        self._names: dict[tuple[Call, ...], str] = {}
        self._new: list[str] = []

    def name(
        self, partition_by: tuple[Reference, ...], order_by: tuple[SortKey, ...], frame: Frame | None = None
    ) -> str:
        """The variable of a window."""
        calls = tuple(_window(partition_by, order_by, frame))
        if calls not in self._names:
            count = len(self._names) + 1
            self._names[calls] = "window" if count == 1 else f"window_{count}"
            self._new += statement(f"{self._names[calls]} = ", "Window", list(calls))
        return self._names[calls]

    def new_lines(self) -> list[str]:
        """The statements of the windows named since the last call."""
        lines, self._new = self._new, []
        return lines


def _window(partition_by: tuple[Reference, ...], order_by: tuple[SortKey, ...], frame: Frame | None) -> list[Call]:
    calls = []
    if partition_by or not order_by:
        calls.append(Call("partitionBy", tuple(column_code(one) for one in partition_by)))
    if order_by:
        calls.append(Call("orderBy", tuple(sort_code(key) for key in order_by)))
    if frame is not None:
        bounds = (_bound(frame.start, "Window.unboundedPreceding"), _bound(frame.end, "Window.unboundedFollowing"))
        calls.append(Call(f"{frame.unit}Between", tuple(Argument(bound) for bound in bounds)))
    return calls


def window_code(step: WindowStep, windows: WindowVariables) -> Argument:
    """The window's value as a column."""
    over = f".over({windows.name(step.partition_by, step.order_by, step.frame)})"
    if step.function in ("rank", "dense_rank", "row_number"):
        return Argument(f"F.{step.function}(){over}")
    if step.function in ("lag", "lead") and step.column is not None:
        return _neighbour(step, step.column, over)
    column = step.column
    if column is not None and is_exact_average(step.function, column.kind):
        return average_code(column.kind, lambda function: aggregated(function, column, f"F.{function}(", f"){over}"))
    return aggregated(step.function, column, f"F.{step.function}(", f"){over}")


def aggregated(function: str, column: Reference | None, begin: str, end: str) -> Argument:
    """The aggregated column between `begin` and `end`. 64-bit integers are summed as decimals without overflow."""
    if column is None:
        return Argument(f"{begin}F.lit(1){end}")
    wide = '.cast("decimal(20,0)")' if function == "sum" and wraps(column.kind) else ""
    return column_code(column, begin, f"{wide}{end}")


def sort_code(key: SortKey) -> Argument:
    """A sort column with the place of its NULLs, because Spark's default is not PostgreSQL's."""
    direction, nulls = "desc" if key.descending else "asc", "first" if key.nulls_first else "last"
    return column_code(key.column, after=f".{direction}_nulls_{nulls}()")


def _neighbour(step: WindowStep, column: Reference, over: str) -> Argument:
    """The value of another row. The default is given where there is no such row; a NULL value stays NULL."""
    head, tail = f"F.{step.function}(", f", {step.offset}){over}"
    value = column_code(column, head, tail)
    if step.default is None:
        return value
    found, otherwise = f"{head}F.lit(1){tail}.isNotNull()", f".otherwise({python_value(step.default)})"
    *inner, last = value.broken or (value.text,)
    lines = ("F.when(", f"    {found},", *(f"    {line}" for line in inner), f"    {last},", f"){otherwise}")
    return Argument(f"F.when({found}, {value.text}){otherwise}", lines)


def _bound(offset: int | None, unbounded: str) -> str:
    return unbounded if offset is None else "Window.currentRow" if offset == 0 else str(offset)
