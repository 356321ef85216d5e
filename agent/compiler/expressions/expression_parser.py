"""The grammar of expressions: PostgreSQL's and Spark's operators, by how strongly they bind (precedence climbing)."""

from __future__ import annotations

from collections.abc import Callable

from agent.compiler.expressions.call_grammar import CallGrammar
from agent.compiler.expressions.operator_strengths import (
    BINARY,
    COMPARED,
    COMPARISONS,
    IS,
    MATCHED,
    MATCHES,
    NOT,
    OR,
    OTHER,
    SIGN,
    SPARK_BINARY,
    SPELLINGS,
    TESTS,
    ZONE,
)
from agent.compiler.expressions.syntax_tree import (
    CaseWhen,
    LiteralValue,
    NamedCall,
    Operation,
    Span,
    Syntax,
    TypeCast,
)
from agent.compiler.problems import USE_A_MODEL, cannot, refuse


class ExpressionGrammar(CallGrammar):
    """Reads an expression from its tokens."""

    def expression(self, least: int = OR) -> Syntax:
        """An expression whose operators bind at least as strongly as `least`."""
        with self.deeper():
            left = self._prefixed()
            while (after := self._continued(left, least)) is not None:
                left = after
            return left

    def operand(self) -> Syntax:
        """An expression without comparisons, as the bounds of BETWEEN."""
        return self.expression(OTHER)

    def _prefixed(self) -> Syntax:
        token = self.token
        if token.word in ("not", "!"):
            self.advance()
            inner = self.expression(NOT if token.word == "not" else SIGN)
            return Operation("not", (inner,), self.since(token.start))
        if token.word in ("-", "+") and token.kind == "sign":
            self.advance()
            inner = self.expression(SIGN)
            return self._signed(token.word, inner, token.start)
        return self.primary()

    def _signed(self, sign: str, inner: Syntax, start: int) -> Syntax:
        if sign == "+":
            return inner
        if isinstance(inner, LiteralValue) and inner.family == "number" and isinstance(inner.value, str):
            negative = inner.value[1:] if inner.value.startswith("-") else f"-{inner.value}"
            return LiteralValue("number", negative, self.since(start))
        return Operation("-", (inner,), self.since(start))

    def _continued(self, left: Syntax, least: int) -> Syntax | None:
        """The expression with the operator that follows; None where none follows that binds strongly enough."""
        word = self.token.word
        if word == "::":
            return self._cast(left)
        if word == "[":
            return self._subscript(left)
        if word == "at" and least <= ZONE:
            return self._at_zone(left)
        if word in ("is", "isnull", "notnull") and least <= IS:
            return self._test(left)
        if (word in MATCHES or (word == "not" and self.after.word in MATCHES)) and least <= MATCHED:
            return self._match(left)
        strength = (SPARK_BINARY if self.dialect == "spark" else BINARY).get(word)
        if strength is None or strength < least:
            return None
        self.advance()
        return self._binary(left, SPELLINGS.get(word, word), strength)

    def _binary(self, left: Syntax, operator: str, strength: int) -> Syntax:
        if operator == "=" and self.token.word in ("any", "some") and self.after.word == "(":
            return self._any_of(left)
        right = self.expression(strength + 1)
        chained = strength == COMPARED and isinstance(left, Operation) and left.operator in COMPARISONS
        if chained and not self.in_parentheses(left):
            refuse(f"{self.text_of(left)} {operator} … compares a truth value; write AND between two comparisons")
        if operator == "||" and self.dialect == "auto" and self._mixed(left, right):
            refuse(f"{self.text_of(left)} || {self.text_of(right)} is read in two ways; put parentheses around the sum")
        return Operation(operator, (left, right), self.between(left, right))

    def _mixed(self, left: Syntax, right: Syntax) -> bool:
        """True for a sum without parentheses beside `||` where Spark joins first: `a || b + c`."""
        return isinstance(right, Operation) and right.operator in ("+", "-") and not self.in_parentheses(right)

    def _cast(self, value: Syntax) -> Syntax:
        self.advance()
        return TypeCast(value, self.type_name(), False, self.since(self.start_of(value)))

    def _subscript(self, value: Syntax) -> Syntax:
        self.advance()
        index = self.expression()
        self.expect("]")
        return Operation("[]", (value, index), self.since(self.start_of(value)))

    def _at_zone(self, left: Syntax) -> Syntax:
        self.advance()
        self.expect("time")
        self.expect("zone")
        zone = self.expression(SIGN)
        return Operation("at time zone", (left, zone), self.between(left, zone))

    def _test(self, left: Syntax) -> Syntax:
        """IS [NOT] NULL, TRUE, FALSE or DISTINCT FROM."""
        word, start = self.advance().word, self.start_of(left)
        if word != "is":
            return Operation("is null" if word == "isnull" else "is not null", (left,), self.since(start))
        negated = "not " if self.accept("not") else ""
        if self.accept("distinct"):
            self.expect("from")
            right = self.expression(OTHER)
            return Operation(f"is {negated}distinct from", (left, right), self.between(left, right))
        if self.token.word not in TESTS:
            self.unreadable()
        tested = self.advance().word
        return Operation(f"is {negated}{'null' if tested == 'unknown' else tested}", (left,), self.since(start))

    def _match(self, left: Syntax) -> Syntax:
        negated = "not " if self.accept("not") else ""
        word = self.advance().word
        match word:
            case "between":
                return self._between(left, negated)
            case "in":
                return self._in(left, negated)
            case "similar":
                cannot(f"SIMILAR TO cannot be expressed by the compiler; write LIKE, or {USE_A_MODEL}")
        pattern = self.expression(OTHER)
        parts = (left, pattern)
        if self.accept("escape"):
            parts = (*parts, self.primary())  # type: ignore[assignment]
        word = "rlike" if word == "regexp" else word
        return Operation(f"{negated}{word}", parts, self.since(self.start_of(left)))

    def _between(self, left: Syntax, negated: str) -> Syntax:
        symmetric = " symmetric" if self.accept("symmetric") else ""
        if not symmetric:
            self.accept("asymmetric")
        low = self.operand()
        self.expect("and")
        high = self.operand()
        return Operation(f"{negated}between{symmetric}", (left, low, high), self.between(left, high))

    def _in(self, left: Syntax, negated: str) -> Syntax:
        self.expect("(")
        self.refuse_query()
        members = self.listed(self.expression)
        self.expect(")")
        return Operation(f"{negated}in", (left, *members), self.since(self.start_of(left)))

    def _any_of(self, left: Syntax) -> Syntax:
        """`x = ANY(ARRAY[a, b])` as `x IN (a, b)`."""
        self.advance()
        self.expect("(")
        self.refuse_query()
        found = self.expression()
        self.expect(")")
        if not isinstance(found, NamedCall) or found.name != "array":
            return NamedCall("array_contains", (found, left), self.since(self.start_of(left)))
        return Operation("in", (left, *found.arguments), self.since(self.start_of(left)))

    def primary(self) -> Syntax:
        """A value without operators around it."""
        token = self.token
        match token.kind:
            case "number":
                return self.number()
            case "text":
                self.advance()
                return self.text_literal(token.value, token.spark_value, token.start)
            case "name":
                return self._named()
            case "word":
                return self._worded()
        if token.word == "(":
            return self._grouped()
        if token.word == "*":
            cannot(f"`*` cannot be expressed by the compiler; {USE_A_MODEL}")
        return self.unreadable()

    def _grouped(self) -> Syntax:
        start = self.advance().start
        self.refuse_query()
        inner = self.expression()
        if self.token.word == ",":
            cannot(f"a row of several values cannot be expressed by the compiler; {USE_A_MODEL}")
        self.expect(")")
        self.remember_parentheses(inner, self.since(start))
        return inner

    def _worded(self) -> Syntax:
        token, after = self.token, self.after
        special = self._SPECIAL.get(token.word)
        if special is not None and (found := special(self)) is not None:
            return found
        if after.kind == "text" and token.word in self.TYPED:
            self.advance()
            text = self.primary()
            return TypeCast(text, token.word, False, self.since(token.start))
        if self.is_reserved(token):
            self.unreadable()
        return self._named()

    def _named(self) -> Syntax:
        """A column or a call."""
        first = self.advance()
        if self.token.word == "(" and not first.in_double_quotes:
            return self.call(first)
        names = [first.value]
        while self.token.word == ".":
            self.advance()
            if self.token.word == "*":
                cannot(f"`*` cannot be expressed by the compiler; {USE_A_MODEL}")
            if self.token.kind not in ("word", "name"):
                self.unreadable()
            names.append(self.advance().value)
        if len(names) > 1 and self.token.word == "(":
            cannot(f"{'.'.join(names)}() is a function of a schema; {USE_A_MODEL}")
        return self.mention(".".join(names), first, quoted=first.in_double_quotes and len(names) == 1)

    def _now(self) -> Syntax | None:
        if self.after.word in ("(", "."):
            return None
        token = self.advance()
        return NamedCall(token.word, (), Span(token.start, token.end))

    def _case(self) -> Syntax:
        start = self.advance().start
        subject = None if self.token.word == "when" else self.expression()
        branches = []
        while self.accept("when"):
            condition = self.expression()
            self.expect("then")
            branches.append((condition, self.expression()))
        otherwise = self.expression() if self.accept("else") else None
        if not branches:
            self.unreadable()
        self.expect("end")
        return CaseWhen(subject, tuple(branches), otherwise, self.since(start))

    def _cast_call(self) -> Syntax | None:
        if self.after.word != "(":
            return None
        token = self.advance()
        self.advance()
        value = self.expression()
        self.expect("as")
        kind = self.type_name()
        self.expect(")")
        return TypeCast(value, kind, token.word == "try_cast", self.since(token.start))

    def _array(self) -> Syntax | None:
        if self.after.word != "[":
            return None
        start = self.advance().start
        self.advance()
        members = [] if self.token.word == "]" else self.listed(self.expression)
        self.expect("]")
        return NamedCall("array", tuple(members), self.since(start))

    _SPECIAL: dict[str, Callable[[ExpressionGrammar], Syntax | None]] = {
        "case": _case, "true": CallGrammar.truth, "false": CallGrammar.truth, "null": CallGrammar.truth,
        "cast": _cast_call, "try_cast": _cast_call,
        "array": _array, "interval": CallGrammar.interval, "extract": CallGrammar.extract, "trim": CallGrammar.trim,
        "substring": CallGrammar.substring, "overlay": CallGrammar.overlay, "position": CallGrammar.position,
        "exists": CallGrammar.exists, "current_date": _now, "current_timestamp": _now, "localtimestamp": _now,
        "current_user": _now, "session_user": _now,
    }  # fmt: skip
