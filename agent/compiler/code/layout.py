"""Layout of a chain of calls: on one line where it fits, else a call a line, else an argument a line."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 100
_INDENT = "    "


@dataclass(frozen=True)
class Argument:
    """An argument on one line, and broken over lines; `broken` is empty when it cannot be broken."""

    text: str
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Call:
    """One call on a DataFrame."""

    method: str
    arguments: tuple[Argument, ...] = ()

    def text(self) -> str:
        """The call on one line."""
        return f".{self.method}({', '.join(argument.text for argument in self.arguments)})"


def statement(opening: str, receiver: str, calls: list[Call]) -> list[str]:
    """The lines of `opening receiver.calls`, as `kept = joined.where(...)`, indented once."""
    whole = f"{_INDENT}{opening}{receiver}{''.join(call.text() for call in calls)}"
    if len(whole) <= WIDTH or not calls:
        return [whole]
    start = f"{_INDENT}{opening}{receiver}{''.join(call.text() for call in calls[:-1])}"
    if len(calls) <= 2 and len(start) + len(calls[-1].method) + 2 <= WIDTH:
        return _spread(start, calls[-1], _INDENT)
    lines = [f"{_INDENT}{opening}("]
    for position, call in enumerate(calls):
        begin = _INDENT * 2 + (receiver if position == 0 else "")
        line = begin + call.text()
        lines += [line] if len(line) <= WIDTH else _spread(begin, call, _INDENT * 2)
    return [*lines, f"{_INDENT})"]


def call_of(head: Argument, method: str, members: list[str]) -> Argument:
    """A call with these arguments, as `F.col("x").isin(1, 2)`; broken, it has one argument a line."""
    whole = f"{head.text}.{method}"
    opening = head.broken if head.broken and len(whole) > WIDTH - 4 * len(_INDENT) else (head.text,)
    before, start = opening[:-1], f"{opening[-1]}.{method}"
    arguments = (f"{start}(", *(f"{_INDENT}{member}," for member in members), ")") if members else (f"{start}()",)
    return Argument(f"{whole}({', '.join(members)})", (*before, *arguments))


def comparison(left: Argument, operator: str, right: str) -> Argument:
    """A comparison; broken, the operator begins a line."""
    return Argument(f"{left.text} {operator} {right}", (*(left.broken or (left.text,)), f"{operator} {right}"))


def bracketed(inner: Argument) -> Argument:
    """The argument in parentheses."""
    return Argument(f"({inner.text})", ("(", *(f"{_INDENT}{line}" for line in inner.broken), ")"))


def joined_conditions(conditions: list[Argument], operator: str) -> Argument:
    """Conditions joined with `&` or `|`; each binds more closely than the operator."""
    if len(conditions) == 1:
        return conditions[0]
    lines: list[str] = []
    for condition in conditions:
        long = len(condition.text) > WIDTH - 3 * len(_INDENT) and condition.broken
        first, *others = condition.broken if long else (condition.text,)
        lines += [f"{operator} {first}" if lines else first, *others]
    return Argument(f" {operator} ".join(condition.text for condition in conditions), tuple(lines))


def _spread(start: str, call: Call, indent: str) -> list[str]:
    """A call with one argument a line."""
    inner = indent + _INDENT
    lines = [f"{start}.{call.method}("]
    for argument in call.arguments:
        comma = "," if len(call.arguments) > 1 else ""
        fits = len(inner) + len(argument.text) + len(comma) <= WIDTH
        broken = (argument.text,) if fits or not argument.broken else argument.broken
        lines += [f"{inner}{line}" for line in broken[:-1]] + [f"{inner}{broken[-1]}{comma}"]
    return [*lines, f"{indent})"]
