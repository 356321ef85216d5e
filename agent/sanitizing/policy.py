"""The policy for a transform: a closed allow-list over its syntax tree.

It is a tripwire and a quality gate, not the boundary: identity, network and database grants are that. It keeps
out what a transform has no need of, and says for each refusal what to write instead. Column references are not
judged here.
"""

from __future__ import annotations

import ast
import io
import tokenize
import unicodedata
from collections.abc import Iterator

from agent.diagnosis.findings import Finding
from agent.sanitizing.policy_attributes import check_attribute
from agent.sanitizing.policy_calls import check_call
from agent.sanitizing.policy_context import Context, finding
from agent.sanitizing.policy_names import check_name

PYTHON_GRAMMAR = (3, 10)
"""Glue 4.0 runs Python 3.10."""
MAX_CHARACTERS = 50_000
_CAUSES = ("name", "python_operator")
"""Rules whose findings explain others of the same line: a method of an unknown name, a condition joined by `and`."""
_MAX_DEPTH = 250

_ALLOWED_NODES = (
    ast.FunctionDef, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.If, ast.Pass, ast.Expr,
    ast.Continue, ast.Break,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Set, ast.List, ast.Tuple, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp, ast.Compare, ast.Call, ast.JoinedStr, ast.FormattedValue, ast.Constant,
    ast.Attribute, ast.Subscript, ast.Starred, ast.Name, ast.Slice,
    ast.comprehension, ast.keyword, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip

_REASONS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lambda: ("a lambda", 'write the expression inline; for arrays use F.expr("transform(items, x -> x + 1)")'),
    ast.ClassDef: ("a class", "a transform needs no class"),
    ast.AsyncFunctionDef: ("an async function", "write a plain `def`"),
    ast.Try: ("try", "let the error rise: the script reports it with its phase"),
    ast.While: ("while", "loop with `for` over a list"),
    ast.With: ("with", "nothing is opened in a transform"),
    ast.Global: ("global", "use local variables"),
    ast.Nonlocal: ("nonlocal", "use local variables"),
    ast.Delete: ("del", "leave the variable alone"),
    ast.Assert: ("assert", "the script checks the result itself"),
    ast.Raise: ("raise", "the script checks the result itself"),
    ast.NamedExpr: ("the operator :=", "assign on a line of its own"),
    ast.Match: ("match", "use if and elif, or F.when on columns"),
    ast.Yield: ("yield", "return one DataFrame"),
    ast.YieldFrom: ("yield from", "return one DataFrame"),
    ast.Await: ("await", "write plain calls"),
}


def check_policy(source: str, allow_udfs: bool = False) -> list[Finding]:
    """What the policy holds against the source of a transform, in the order of its lines; empty when it passes.

    UDFs are refused whatever `allow_udfs` says; it only changes the wording.
    """
    if len(source) > MAX_CHARACTERS:
        hint = "write the transform shorter; build repeated columns in a loop"
        return [finding("size", f"the transform has {len(source)} characters, over {MAX_CHARACTERS}", None, hint)]
    try:
        tree = ast.parse(source, feature_version=PYTHON_GRAMMAR)
    except SyntaxError as error:
        return [finding("syntax_error", f"not Python 3.10: {error.msg}", error.lineno, "")]
    except (ValueError, RecursionError, MemoryError) as error:
        return [finding("size", f"the transform cannot be parsed: {error}", None, "write shorter expressions")]
    found = [*_check_characters(source), *_check_module(tree, allow_udfs)]
    return sorted(found, key=lambda one: (one["line"] or 0, one["rule"] not in _CAUSES))


def _check_characters(source: str) -> Iterator[Finding]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and unicodedata.normalize("NFKC", token.string) != token.string:
            message = f"the name {token.string!r} is read by Python as another name"
            yield finding("name", message, token.start[0], "write names in plain letters")


def _check_module(tree: ast.Module, allow_udfs: bool) -> Iterator[Finding]:
    transforms = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "transform"]
    for node in tree.body:
        yield from _check_outside(node)
    if len(transforms) != 1:
        yield finding("node", f"transform is defined {len(transforms)} times", None, "define it exactly once")
    for function in transforms[:1]:
        yield from _check_function(function, Context(function, allow_udfs))


def _check_outside(node: ast.stmt) -> Iterator[Finding]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield _import(node)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if node.name != "transform" or not isinstance(node, ast.FunctionDef):
            message = f"{node.name} is defined beside transform"
            yield finding("node", message, node.lineno, "write its body inside transform")
    elif not _is_text(node):
        yield finding("node", "a statement stands outside transform", node.lineno, "move it into transform")


def _import(node: ast.Import | ast.ImportFrom) -> Finding:
    names = ", ".join(alias.name for alias in node.names)
    origin = f"{node.module}.{names}" if isinstance(node, ast.ImportFrom) and node.module else names
    hint = "leave imports out; F (functions), T (types), Window and DataFrame are there: write F.col, T.DecimalType"
    return finding("import", f"import of {origin}", node.lineno, hint)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _check_function(function: ast.FunctionDef, context: Context) -> Iterator[Finding]:
    arguments = function.args
    plain = [argument.arg for argument in arguments.posonlyargs + arguments.args] == ["sources"]
    extra = [*arguments.kwonlyargs, *arguments.defaults, arguments.vararg, arguments.kwarg, *function.decorator_list]
    if not plain or any(extra):
        yield finding("node", "transform takes exactly one argument", function.lineno, "def transform(sources):")
    annotations = [arguments.args[0].annotation if plain and arguments.args else None, function.returns]
    for annotation in annotations:
        if annotation is not None and not _plain_annotation(annotation):
            yield finding("node", "an annotation holds code", function.lineno, "annotate with plain type names")
    if not any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function)):
        yield finding("node", "transform returns nothing", function.lineno, "end with `return` and the DataFrame")
    for statement in function.body:
        yield from _walk(statement, context)


def _plain_annotation(node: ast.expr) -> bool:
    kinds = (ast.Name, ast.Subscript, ast.Tuple, ast.Constant, ast.expr_context)
    return all(isinstance(part, kinds) for part in ast.walk(node))


def _walk(statement: ast.stmt, context: Context) -> Iterator[Finding]:
    """All findings of a statement; what a refused node holds is not looked at."""
    stack: list[tuple[ast.AST, int]] = [(statement, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _MAX_DEPTH:
            message = "an expression is nested too deeply"
            yield finding("size", message, getattr(node, "lineno", None), "split it with local variables")
            return
        refusal = _refuse_node(node)
        if refusal is not None:
            yield refusal
            continue
        yield from _check_node(node, context)
        stack.extend((child, depth + 1) for child in _children(node))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that run: the annotation of a local variable does not."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.AnnAssign) and child is node.annotation):
            yield child


def _refuse_node(node: ast.AST) -> Finding | None:
    line = getattr(node, "lineno", None)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _import(node)
    if isinstance(node, ast.FunctionDef):
        return finding("node", f"the function {node.name} stands inside transform", line, "write its body inline")
    if isinstance(node, ast.comprehension) and node.is_async:
        return finding("node", "an async comprehension", node.target.lineno, "write a plain one")
    if isinstance(node, ast.AnnAssign) and not node.simple:
        return finding("node", "an annotation on something that is not a name", line, "leave the annotation out")
    if isinstance(node, _ALLOWED_NODES):
        return None
    what, hint = _REASONS.get(type(node), (f"{type(node).__name__}", "use assignments, calls, for and if"))
    return finding("node", f"{what} is not allowed in a transform", line, hint)


def _check_node(node: ast.AST, context: Context) -> Iterator[Finding]:
    match node:
        case ast.Name():
            yield from check_name(node, context)
        case ast.Attribute():
            yield from check_attribute(node, context)
        case ast.Call():
            yield from check_call(node, context)
        case ast.BoolOp(values=values):
            word = "and" if isinstance(node.op, ast.And) else "or"
            yield from _column_as_bool(values[:-1], word, context)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _column_as_bool([operand], "not", context)
        case ast.If(test=test) | ast.IfExp(test=test):
            yield from _column_as_bool([test], "if", context)
        case ast.Compare(left=left, comparators=[first, _, *_]):
            yield from _column_as_bool([left, first], "a chained comparison", context)
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int() as exponent)) if exponent > 64:
            yield finding("node", f"the power {exponent} is too large", node.lineno, "use F.pow on a column")


_INSTEAD = {
    "and": "& with parentheses round each comparison",
    "or": "| with parentheses round each comparison",
    "not": "~ with parentheses",
    "if": "F.when(condition, value).otherwise(other)",
    "a chained comparison": ".between(low, high)",
}


def _column_as_bool(values: list[ast.expr], word: str, context: Context) -> Iterator[Finding]:
    for value in values:
        if context.kinds.of(value) == "column":
            hint = f"use {_INSTEAD[word]}"
            yield finding("python_operator", f"a Column is used with Python's {word}", value.lineno, hint)
            return
