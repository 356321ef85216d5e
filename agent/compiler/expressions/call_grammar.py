"""The grammar of calls: functions, aggregates, windows, and the calls with words between their arguments."""

from __future__ import annotations

from agent.compiler.expressions.expression_tokens import ExpressionToken
from agent.compiler.expressions.interval_constants import interval_of
from agent.compiler.expressions.syntax_tree import (
    AggregateCall,
    Expression,
    IntervalConstant,
    LiteralValue,
    Mention,
    NamedCall,
    SortedBy,
    Span,
    Syntax,
    WindowCall,
    WindowFrame,
)
from agent.compiler.expressions.token_reader import TokenReader
from agent.compiler.problems import USE_A_MODEL, cannot, refuse
from agent.sanitizing.spark_names import AGGREGATE_FUNCTIONS, words

AGGREGATES = AGGREGATE_FUNCTIONS | words("string_agg listagg json_agg jsonb_agg mode percentile_cont percentile_disc")
WINDOW_FUNCTIONS = words("""
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
    """)


class CallGrammar(TokenReader):
    """Reads calls. `ExpressionGrammar` reads their arguments."""

    def call(self, first: ExpressionToken) -> Syntax:
        """A call; the next token is its parenthesis."""
        function = first.value.casefold()
        self.advance()
        self.refuse_query()
        distinct = self.accept("distinct")
        everything = self.token.word == "*" and self.after.word == ")"
        if everything:
            self.advance()
        arguments = () if everything or self.token.word == ")" else self._arguments()
        order = self.sorting() if self.accept("order") else ()
        if not self.accept(")"):
            self.unreadable()
        if function in AGGREGATES | WINDOW_FUNCTIONS:
            return self._computed(function, first, arguments, distinct, order)
        if distinct or everything or order or self.token.word == "over":
            cannot(f"{function}() is no aggregate that the compiler knows; {USE_A_MODEL}")
        return NamedCall(function, arguments, self.since(first.start))

    def _arguments(self) -> tuple[Syntax, ...]:
        return tuple(self.listed(self.expression))

    def _computed(
        self,
        function: str,
        first: ExpressionToken,
        arguments: tuple[Syntax, ...],
        distinct: bool,
        order: tuple[SortedBy, ...],
    ) -> Syntax:
        """An aggregate or a window: a mention of its placeholder."""
        inner = tuple(self.part(argument) for argument in arguments)
        if self.token.word == "within" and self.after.word == "group":
            self.advance()
            self.advance()
            self.expect("(")
            self.expect("order")
            order = self.sorting()
            self.expect(")")
        condition = self._condition()
        ignore = self._nulls()
        found: AggregateCall | WindowCall
        if self.accept("over"):
            found = self._window(function, inner, first, distinct, condition, ignore)
        elif function in WINDOW_FUNCTIONS - AGGREGATES:
            refuse(f"{function}() needs OVER (…), with the order of its rows")
        elif ignore:
            cannot(f"IGNORE NULLS cannot be expressed by the compiler; {USE_A_MODEL}")
        else:
            found = AggregateCall(self.normal(first.start), function, inner, distinct, condition, order)
        return Mention(found.name, first.start, self.last_end, call=found)

    def _condition(self) -> Expression | None:
        if not (self.token.word == "filter" and self.after.word == "("):
            return None
        self.advance()
        self.advance()
        self.expect("where")
        condition = self.part(self.expression())
        self.expect(")")
        return condition

    def _nulls(self) -> bool:
        """IGNORE NULLS or RESPECT NULLS; True for the first."""
        if self.token.word not in ("ignore", "respect") or self.after.word != "nulls":
            return False
        ignore = self.advance().word == "ignore"
        self.advance()
        return ignore

    def _window(
        self,
        function: str,
        arguments: tuple[Expression, ...],
        first: ExpressionToken,
        distinct: bool,
        condition: Expression | None,
        ignore: bool,
    ) -> WindowCall:
        if self.token.word != "(":
            cannot(f"a named window cannot be expressed by the compiler; write OVER (…), or {USE_A_MODEL}")
        self.advance()
        partition: tuple[Expression, ...] = ()
        if self.accept("partition"):
            self.expect("by")
            partition = tuple(self.part(one) for one in self.listed(self.expression))
        order = self.sorting() if self.accept("order") else ()
        frame = self._frame()
        self.expect(")")
        name = self.normal(first.start)
        return WindowCall(name, function, arguments, partition, order, frame, distinct, condition, ignore)

    def sorting(self) -> tuple[SortedBy, ...]:
        """The items after ORDER."""
        self.expect("by")
        return tuple(self.listed(self._sorted))

    def _sorted(self) -> SortedBy:
        expression = self.part(self.expression())
        descending = self.accept("desc")
        if not descending:
            self.accept("asc")
        first: bool | None = None
        if self.accept("nulls"):
            first = self.accept("first")
            if not first:
                self.expect("last")
        return SortedBy(expression, descending, first)

    def _frame(self) -> WindowFrame | None:
        if self.token.word not in ("rows", "range", "groups"):
            return None
        unit = self.advance().word
        if unit == "groups":
            cannot(f"a frame of GROUPS cannot be expressed by the compiler; {USE_A_MODEL}")
        if self.accept("between"):
            start = self._bound()
            self.expect("and")
            end = self._bound()
        else:
            start, end = self._bound(), 0
        if self.token.word == "exclude":
            cannot(f"EXCLUDE in a frame cannot be expressed by the compiler; {USE_A_MODEL}")
        return WindowFrame("rows" if unit == "rows" else "range", start, end)

    def _bound(self) -> int | None:
        if self.accept("current"):
            self.expect("row")
            return 0
        unbounded = self.accept("unbounded")
        amount = None if unbounded else self._amount()
        direction = self.advance().word
        if direction not in ("preceding", "following"):
            self.unreadable()
        return amount if amount is None or direction == "following" else -amount

    def _amount(self) -> int:
        token = self.advance()
        if token.kind != "number" or not token.value.isdigit():
            cannot(f"a frame takes whole numbers of rows; {USE_A_MODEL}")
        return int(token.value)

    def interval(self) -> Syntax | None:
        """`INTERVAL '1 day'`, `INTERVAL '1' DAY` or `interval 1 day`; None where `interval` is a column."""
        if self.after.kind not in ("text", "number") and not (self.after.word == "-" and self.after.kind == "sign"):
            return None
        start = self.advance().start
        amounts: list[tuple[str, str]] = []
        minus = "-" if self.accept("-") else ""
        text = self.advance().value
        if self.is_unit(self.token):
            amounts.append((f"{minus}{text}", self.advance().word))
            while self.token.kind == "number" and self.is_unit(self.after):
                amounts.append((self.advance().value, self.advance().word))
        if self.token.word == "to" or minus and not amounts:
            cannot(f"this interval cannot be expressed by the compiler; write INTERVAL '1 day', or {USE_A_MODEL}")
        months, days, microseconds = interval_of(amounts, text)
        return IntervalConstant(months, days, microseconds, self.since(start))

    def extract(self) -> Syntax | None:
        """`EXTRACT(part FROM x)`."""
        if self.after.word != "(":
            return None
        start = self.advance().start
        self.advance()
        part = self.advance()
        if part.kind not in ("word", "text") or not self.accept("from"):
            self.unreadable()
        unit = LiteralValue("text", part.value.casefold(), Span(part.start, part.end))
        value = self.expression()
        self.expect(")")
        return NamedCall("extract", (unit, value), self.since(start))

    def trim(self) -> Syntax | None:
        """`TRIM(BOTH 'x' FROM y)`; None for a trim with commas."""
        if self.after.word != "(":
            return None
        start = self.advance().start
        self.advance()
        side = self.advance().word if self.token.word in ("both", "leading", "trailing") else ""
        first = None if self.token.word == "from" else self.expression()
        if self.accept("from"):
            arguments = (self.expression(), *((first,) if first is not None else ()))
            self.expect(")")
            return NamedCall(f"trim {side or 'both'}", arguments, self.since(start))
        if first is None or side and self.token.word != ")":
            self.unreadable()
        arguments = (first, *self.listed(self.expression)) if self.accept(",") else (first,)
        self.expect(")")
        return NamedCall(f"trim {side}" if side else "trim", arguments, self.since(start))

    def substring(self) -> Syntax | None:
        """`SUBSTRING(x FROM 2 FOR 3)`, and with commas."""
        return self._worded_call("substring", ("from", "for"))

    def overlay(self) -> Syntax | None:
        """`OVERLAY(x PLACING y FROM 2 FOR 3)`, and with commas."""
        return self._worded_call("overlay", ("placing", "from", "for"))

    def _worded_call(self, name: str, separators: tuple[str, ...]) -> Syntax | None:
        if self.after.word != "(":
            return None
        start = self.advance().start
        self.advance()
        arguments = [self.expression()]
        while self.token.word == "," or self.token.word in separators:
            self.advance()
            arguments.append(self.expression())
        self.expect(")")
        return NamedCall(name, tuple(arguments), self.since(start))

    def position(self) -> Syntax | None:
        """`POSITION(a IN b)`, and with a comma."""
        if self.after.word != "(":
            return None
        start = self.advance().start
        self.advance()
        arguments = [self.operand()]
        if self.accept("in"):
            arguments.append(self.operand())
        while self.accept(","):
            arguments.append(self.expression())
        self.expect(")")
        return NamedCall("position", tuple(arguments), self.since(start))

    def exists(self) -> Syntax | None:
        """EXISTS is refused; None where `exists` is a column."""
        if self.after.word != "(":
            return None
        return cannot(f"a subquery cannot be expressed by the compiler; {USE_A_MODEL}")

    def expression(self) -> Syntax:
        """An expression."""
        raise NotImplementedError

    def operand(self) -> Syntax:
        """An expression without comparisons."""
        raise NotImplementedError

    def part(self, tree: Syntax) -> Expression:
        """A part of the text as an expression of its own."""
        raise NotImplementedError
