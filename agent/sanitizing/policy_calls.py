"""The policy for calls: the callee is known, and so is every text that Spark reads as SQL or as a schema."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent.findings import Finding
from agent.sanitizing.library import SCHEMA_READERS, SQL_READERS
from agent.sanitizing.literal_texts import has_plain_fields
from agent.sanitizing.policy_context import Context, finding
from agent.sanitizing.spark_names import AGGREGATE_WORDS
from agent.sanitizing.value_kinds import Value, certainly, kinds, literals, may_be_text

_MAX_RANGE = 1000
_MAX_SQL = 50_000
"""Characters of all SQL texts of one transform; the transform itself has the same limit."""
_CONDITION_METHODS = frozenset({"filter", "where"})
_CASTS = frozenset({"cast", "astype"})
_COLUMN_FORMS = {
    "sum": "F.sum", "max": "F.max, or F.greatest of several", "min": "F.min, or F.least of several",
    "round": "F.round", "abs": "F.abs", "any": "a condition with |", "all": "a condition with &",
    "float": '.cast("double")', "int": '.cast("int")', "bool": '.cast("boolean")', "str": '.cast("string")',
    "pow": "F.pow", "len": "F.length, or F.size of an array",
}  # fmt: skip
"""Python's own functions that fail or mislead on a Column, with the Spark form to write instead."""
_PUTS = frozenset({"append", "add", "appendleft", "extend", "insert", "update", "setdefault"})
"""Methods that put a value into a container."""
_WRITE_F = "write the expression with F functions"
_DDL = re.compile(r"\s*[A-Za-z_`](?:[\w\s<>(),:.`-]|'[^'\\]*')*\Z")
"""A schema as DDL: names, types, brackets and comments. JSON is left out: a schema in JSON can name Java classes."""


def check_call(node: ast.Call, context: Context) -> Iterator[Finding]:
    """Check that the callee is known, keywords are spelled out, and only known text is read as SQL or as a schema."""
    if any(keyword.arg is None for keyword in node.keywords) and not certainly(context.of(node.func), "function"):
        yield finding("node", "a call takes **keywords", node.lineno, "spell the keywords out")
    for dotted in context.members(node.func):
        yield from _check_member(node, dotted, context)
    if isinstance(node.func, ast.Attribute):
        owner = frozenset(a for a in context.of(node.func.value) if a.kind not in ("module", "member"))
        if owner or not context.members(node.func.value):
            yield from _check_method(node, node.func, owner, context)
    elif not certainly(context.of(node.func), "function", "member", "partial") and not context.is_unknown(node.func):
        hint = "call a function of F, a method, or a function that is defined in the reply"
        yield finding("node", "the function that is called here is not known", node.lineno, hint)


def check_uncalled(node: ast.expr, context: Context) -> Iterator[Finding]:
    """Refuse a reference to a function that reads SQL or a schema: only a call shows its text."""
    readers = (SQL_READERS | SCHEMA_READERS).intersection(context.members(node))
    if readers and isinstance(getattr(node, "ctx", None), ast.Load) and not context.is_called(node):
        name = min(readers).rpartition(".")[2]
        yield finding("sql", f"F.{name} is used without a call", node.lineno, f'write F.{name}("...")')


def check_store(node: ast.Subscript, context: Context) -> Iterator[Finding]:
    """Check that an item assignment writes to a list or dictionary of the transform's own."""
    owner = kinds(context.of(node.value))
    if isinstance(node.ctx, ast.Load) or owner and owner <= {"list", "dict"}:
        return
    if "sources" in owner:
        yield finding("node", "`sources` is assigned to", node.lineno, "keep the DataFrame in a local variable")
    elif "frame" in owner:
        yield finding("node", "a column is assigned", node.lineno, 'write df = df.withColumn("name", value)')
    else:
        yield finding(
            "node", "the target of the assignment is not known", node.lineno, "assign to a list or dictionary made here"
        )


def _check_member(node: ast.Call, dotted: str, context: Context) -> Iterator[Finding]:
    name = dotted.rpartition(".")[2]
    if dotted in SQL_READERS:
        yield from _check_texts(node, f"F.{name}", context)
    elif dotted in SCHEMA_READERS:
        yield from _check_schema(_argument(node, 1, "schema"), f"F.{name}", context)
    elif dotted == "builtins.range":
        yield from _check_range(node)
    elif dotted.startswith("builtins.") and name in _COLUMN_FORMS:
        yield from _check_builtin(node, name, context)
    elif dotted.startswith("pyspark.sql.types."):
        yield from (
            finding("sql", f"T.{name} is given text", argument.lineno, "write the type with T., as T.StringType()")
            for argument in node.args
            if name in ("ArrayType", "MapType") and may_be_text(context.of(argument))
        )


def _check_builtin(node: ast.Call, name: str, context: Context) -> Iterator[Finding]:
    """Refuse a Column in Python's own functions; `sum` of a list of Columns is allowed."""
    for argument in node.args[:1]:
        value = context.of(argument)
        within = context.values.elements(value) if name in ("max", "min", "any", "all") else value
        a_name = name in ("sum", "max", "min") and len(node.args) == 1 and certainly(value, "text")
        if certainly(value, "column") or certainly(within, "column") or a_name:
            given = "a column's name" if a_name else "a Column"
            message = f"Python's own '{name}' is given {given}"
            yield finding("name", message, node.lineno, f"write {_COLUMN_FORMS[name]}")


def _check_method(node: ast.Call, func: ast.Attribute, owner: Value, context: Context) -> Iterator[Finding]:
    name, of = func.attr, kinds(owner)
    frame = not of or bool(of & {"frame", "any", "other", "grouped"})
    if name == "selectExpr" and frame:
        yield from _check_texts(node, "selectExpr", context)
    elif name in _CONDITION_METHODS and frame:
        yield from _check_conditions(node, name, context)
    elif name == "agg" and frame:
        yield from _check_aggregate_words(node, context)
    elif name in _CASTS:
        yield from _check_schema(_argument(node, 0, "dataType"), f".{name}", context)
    elif name == "add" and of & {"type", "any", "other"}:
        yield from _check_schema(_argument(node, 1, "data_type"), ".add", context)
    elif name == "to" and frame:
        yield from _check_schema(_argument(node, 0, "schema"), ".to", context)
    elif name == "format":
        yield from _check_format(node, func, context)
    if name in ("alias", "name") and any(keyword.arg == "metadata" for keyword in node.keywords):
        yield finding("sql", f".{name}() is given metadata", node.lineno, "leave metadata out: the target has none")
    if name in _PUTS and not (of and of <= {"list", "dict", "type"}):
        message = f"the list or dictionary of .{name}() is not known"
        yield finding(
            "node", message, node.lineno, "put it into a list or dictionary that is made in the same function"
        )


def _argument(node: ast.Call, index: int, name: str) -> ast.expr | None:
    named = [keyword.value for keyword in node.keywords if keyword.arg == name]
    starred = [argument for argument in node.args[: index + 1] if isinstance(argument, ast.Starred)]
    if named or starred:
        return (named or starred)[0]
    return node.args[index] if index < len(node.args) else None


def _check_range(node: ast.Call) -> Iterator[Finding]:
    for argument in node.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int) and argument.value > _MAX_RANGE:
            yield finding("node", "range over a large number", node.lineno, "loop over a list")
            return


def _check_texts(node: ast.Call, what: str, context: Context) -> Iterator[Finding]:
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        value = _spread(argument, context)
        found = literals(value)
        if found is None or kinds(value) - {"text"}:
            found = context.texts.of(argument.value if isinstance(argument, ast.Starred) else argument)
        if found is None:
            message = f"{what} takes only literal text"
            hint = f"{_WRITE_F}, or build the text from literals only"
            yield finding("sql", message, argument.lineno, hint)
            continue
        for text in found:
            yield from _check_sql(text, argument.lineno, context)


def _spread(argument: ast.expr, context: Context) -> Value:
    """An argument's value; for a starred argument or a list, the value of its elements."""
    if isinstance(argument, ast.Starred):
        return context.values.elements(context.of(argument.value))
    value = context.of(argument)
    return context.values.elements(value) if certainly(value, "list") else value


def _check_sql(text: str, line: int, context: Context) -> list[Finding]:
    # Imported here: the parser takes a tenth of a second, and most transforms hold no SQL.
    from agent.sanitizing.sql_policy import check_sql

    if text in context.checked["sql"]:
        return []
    context.checked["sql"].add(text)
    if sum(map(len, context.checked["sql"])) > _MAX_SQL:
        return [finding("size", f"SQL texts have over {_MAX_SQL} characters together", line, _WRITE_F)]
    return check_sql(text, line, context.runtime)


def _check_conditions(node: ast.Call, method: str, context: Context) -> Iterator[Finding]:
    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        value = _spread(argument, context) if isinstance(argument, ast.Starred) else context.of(argument)
        if not may_be_text(value):
            continue
        found = context.texts.of(argument) if literals(value) is None else literals(value)
        if found is None:
            hint = f"write the condition inside .{method}(...) with F.col, or as one literal text"
            yield finding(
                "sql", f".{method}() may be given text that is built when the job runs", argument.lineno, hint
            )
            continue
        for text in found:
            yield from _check_sql(text, argument.lineno, context)


def _check_schema(argument: ast.expr | None, what: str, context: Context) -> Iterator[Finding]:
    if argument is None:
        return
    value = _spread(argument, context)
    found = context.texts.of(argument) if certainly(value, "text") and literals(value) is None else literals(value)
    context.checked["type"].update(found or [])
    if not certainly(value, "type", "member", "text") or found is None:
        message = f"{what} is given a type that is not known"
        hint = 'write the type as T.…, as df.schema["column"].dataType, or as a literal text'
        yield finding("sql", message, argument.lineno, hint)
    elif any(not dotted.startswith("pyspark.sql.types.") for dotted in _member_names(value)):
        yield finding("sql", f"{what} is given something that is no type", argument.lineno, "write T.StringType()")
    elif any(not _DDL.match(text) for text in found):
        yield finding(
            "sql", f"{what} is given a schema that is not DDL", argument.lineno, 'write DDL, as "a int, b string"'
        )


def _member_names(value: Value) -> list[str]:
    return [str(atom.of) for atom in value if atom.kind == "member"]


def _check_aggregate_words(node: ast.Call, context: Context) -> Iterator[Finding]:
    hint = 'write F.sum("amount").alias("total")'
    for argument in node.args:
        value = _spread(argument, context)
        if kinds(value) & {"any", "other", "sources"} or not value:
            yield finding("function", "the argument of agg is not known", argument.lineno, hint)
        elif "dict" in kinds(value):
            words = literals(context.values.items(value))
            context.checked["aggregate"].update(words or [])
            if words is None or not AGGREGATE_WORDS.issuperset(words):
                yield finding("function", "agg takes a dictionary with an unknown function", argument.lineno, hint)


def _check_format(node: ast.Call, func: ast.Attribute, context: Context) -> Iterator[Finding]:
    """Check that `format` is called on a known text with plain fields: its fields can read attributes of arguments."""
    text = context.texts.constant(func.value)
    if text is None or not has_plain_fields(text):
        hint = 'write an f-string, or a literal with plain fields, as "{}_total".format(name)'
        yield finding("node", "format is given a text that may reach into objects", node.lineno, hint)
