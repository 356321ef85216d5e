"""How strongly the operators of both dialects bind, and their other spellings."""

from __future__ import annotations

OR, AND, NOT, IS, COMPARED, MATCHED, OTHER, SUM, PRODUCT, POWER, ZONE, SIGN = range(1, 13)
BINARY = {
    "or": OR, "and": AND,
    "=": COMPARED, "==": COMPARED, "!=": COMPARED, "<>": COMPARED, "<": COMPARED, "<=": COMPARED,
    ">": COMPARED, ">=": COMPARED, "<=>": COMPARED,
    "||": OTHER, "&": OTHER, "|": OTHER, "->": OTHER, "->>": OTHER, "~": OTHER, "~*": OTHER, "!~": OTHER,
    "!~*": OTHER, "~~": OTHER, "~~*": OTHER, "!~~": OTHER, "!~~*": OTHER,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT, "div": PRODUCT, "^": POWER,
}  # fmt: skip
"""PostgreSQL's order, which is Spark's but for `||`, `&`, `|` and `^`."""
SPARK_BINARY = BINARY | {"||": SUM, "^": OTHER}
SPELLINGS = {
    "==": "=", "<>": "!=", "<=>": "is not distinct from", "~~": "like", "~~*": "ilike", "!~~": "not like",
    "!~~*": "not ilike",
}  # fmt: skip
MATCHES = ("like", "ilike", "rlike", "regexp", "between", "in", "similar")
TESTS = ("null", "true", "false", "unknown")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "is not distinct from")
