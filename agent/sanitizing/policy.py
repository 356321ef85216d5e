"""The policy for a transform: a closed allow-list over its syntax tree.

The policy is a tripwire and a quality gate; identity, network and database grants are the security boundary. It refuses
constructs that no transform needs, and each refusal names the form to write instead. Column references are left to the
dry run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent.findings import Finding
from agent.sanitizing.policy_attributes import check_attribute
from agent.sanitizing.policy_calls import check_call, check_store, check_uncalled
from agent.sanitizing.policy_context import Context, Purpose, finding
from agent.sanitizing.policy_names import check_import, check_name, imported, module_names
from agent.sanitizing.python_grammar import MAX_CHARACTERS, parse, without_annotations
from agent.sanitizing.runtime import NEWEST, OLDEST, Runtime
from agent.sanitizing.scopes import Scopes, arguments
from agent.sanitizing.spark_names import IDENTITY_NAMES
from agent.sanitizing.value_analysis import analysed
from agent.sanitizing.value_kinds import certainly, literals

__all__ = ["MAX_CHARACTERS", "analyse", "check_policy", "checked_texts"]

_PRIMARY_RULES = ("name", "python_operator")
"""Rules whose findings are sorted first within a line: an unknown name or an `and` causes further findings there."""

_ALLOWED_NODES = (
    ast.FunctionDef, ast.Lambda, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.If, ast.Pass,
    ast.Expr, ast.While, ast.Continue, ast.Break, ast.Raise, ast.Assert, ast.Import, ast.ImportFrom,
    ast.alias, ast.arguments, ast.arg,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Dict, ast.Set, ast.List, ast.Tuple, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp, ast.NamedExpr, ast.Compare, ast.Call, ast.JoinedStr, ast.FormattedValue,
    ast.Constant, ast.Attribute, ast.Subscript, ast.Starred, ast.Name, ast.Slice,
    ast.comprehension, ast.keyword, ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip

_REFUSED_NODES: dict[type[ast.AST], tuple[str, str]] = {
    ast.ClassDef: ("a class", "use functions, and constants or a dictionary"),
    ast.AsyncFunctionDef: ("an async function", "write a plain `def`"),
    ast.Try: ("try", "let the error rise: the script reports it with its phase"),
    ast.With: ("with", "nothing is opened in a transform"),
    ast.Global: ("global", "use local variables"),
    ast.Nonlocal: ("nonlocal", "use local variables"),
    ast.Delete: ("del", "leave the variable alone"),
    ast.Match: ("match", "use if and elif, or F.when on columns"),
    ast.Yield: ("yield", "return one DataFrame"),
    ast.YieldFrom: ("yield from", "return one DataFrame"),
    ast.Await: ("await", "write plain calls"),
}


def check_policy(source: str, allow_udfs: bool = False, runtime: Runtime = OLDEST) -> list[Finding]:
    """The findings against a transform, in the order of its lines; empty when it passes.

    The source defines `transform`, and may have imports, constants and helper functions beside it. UDFs are always
    refused; `allow_udfs` only changes the message.
    """
    tree, found = parse(source, runtime)
    if tree is not None:
        found = [*found, *_check_structure(tree), *_check_nodes(tree)]
        if not any(one["rule"] in ("syntax_error", "size") for one in found):
            found += _check_names_and_values(source, runtime, allow_udfs)
    return sorted(found, key=lambda one: (one["line"] or 0, one["rule"] not in _PRIMARY_RULES))


def analyse(source: str, runtime: Runtime = OLDEST) -> Context:
    """The scopes and values of a transform that Python can parse.

    Raises LookupError, SyntaxError, RecursionError or ValueError where its names cannot be resolved.
    """
    parsed = ast.parse(without_annotations(source, ast.parse(source)))
    tree = ast.Module([_RemoveRefused().visit(statement) for statement in parsed.body], [])
    scopes = Scopes(tree)
    bound, _ = module_names(tree)
    values = analysed(tree, scopes, imported(tree, scopes, runtime), bound | {"transform"})
    return Context(tree, scopes, values, runtime)


def checked_texts(source: str) -> dict[Purpose, list[str]]:
    """The texts that a transform may give Spark, by their purpose; at run time the script refuses all others."""
    context = analyse(source, NEWEST)
    for node in ast.walk(context.tree):
        if isinstance(node, ast.Call):
            list(check_call(node, context))  # fills `context.checked`
    return {purpose: sorted(texts) for purpose, texts in context.checked.items()}


def _check_names_and_values(source: str, runtime: Runtime, allow_udfs: bool) -> Iterator[Finding]:
    """Findings that need the values of names; nodes that were refused already are left out of the analysis."""
    try:
        context = analyse(source, runtime)
    except (LookupError, SyntaxError, RecursionError, ValueError) as error:
        yield finding("syntax_error", f"the names cannot be resolved: {error}", 1, "write plain local variables")
        return
    context.allow_udfs = allow_udfs
    bound, found = module_names(context.tree)
    yield from found
    if not context.values.settled:
        hint = "use fewer variables that are made from one another"
        yield finding("size", "too many variables depend on one another", 1, hint)
    for node in ast.walk(context.tree):
        yield from _check_node(node, context, bound)


def _check_structure(tree: ast.Module) -> Iterator[Finding]:
    """Check for one plain `transform`, and beside it only imports, functions and unconditional assignments."""
    transforms = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "transform"]
    if len(transforms) != 1:
        yield finding("node", f"transform is defined {len(transforms)} times", 1, "define it exactly once")
    for function in transforms[:1]:
        yield from _check_transform(function)
    for node in tree.body:
        beside = isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.Assign | ast.AnnAssign)
        comment = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (beside or comment) and _refuse_node(node) is None:
            yield finding("node", "a statement stands outside transform", node.lineno, "move it into transform")
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef) and part.decorator_list:
            yield finding("node", f"{part.name} has a decorator", part.lineno, "leave the decorator out")
        if isinstance(part, ast.FunctionDef | ast.Lambda):
            yield from _check_parameters(part)


def _check_transform(function: ast.FunctionDef) -> Iterator[Finding]:
    args = function.args
    plain = [argument.arg for argument in args.posonlyargs + args.args] == ["sources"]
    if not plain or any([*args.kwonlyargs, *args.defaults, args.vararg, args.kwarg]):
        yield finding("node", "transform takes exactly one argument", function.lineno, "def transform(sources):")
    if not any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function)):
        yield finding("node", "transform returns nothing", function.lineno, "end with `return` and the DataFrame")


def _check_parameters(function: ast.FunctionDef | ast.Lambda) -> Iterator[Finding]:
    for default in [*function.args.defaults, *function.args.kw_defaults]:
        if default is not None and not _is_literal(default):
            yield finding(
                "node", "a default value is no literal", default.lineno, "write None, and the value in the body"
            )
    for argument in arguments(function):
        if argument.arg.startswith("__") or argument.arg in ("F", "T", "Window", "DataFrame"):
            message = f"the name {argument.arg!r} is taken and cannot be assigned"
            yield finding("name", message, argument.lineno, "choose another")


def _is_literal(node: ast.expr) -> bool:
    """True for a literal, and for a name, which `check_name` checks."""
    if isinstance(node, ast.Name):
        return True
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _check_nodes(tree: ast.Module) -> Iterator[Finding]:
    """Refuse nodes outside the allow-list, without a look at their children."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        refusal = None if isinstance(node, ast.Module) else _refuse_node(node)
        if refusal is not None:
            yield refusal
        else:
            stack.extend(ast.iter_child_nodes(node))


def _refuse_node(node: ast.AST) -> Finding | None:
    line = getattr(node, "lineno", None)
    if isinstance(node, ast.comprehension) and node.is_async:
        return finding("node", "an async comprehension", node.target.lineno, "write a plain one")
    if isinstance(node, ast.AnnAssign) and not node.simple:
        return finding("node", "an annotation on something that is not a name", line, "leave the annotation out")
    if isinstance(node, _ALLOWED_NODES):
        return None
    what, hint = _REFUSED_NODES.get(type(node), (f"{type(node).__name__}", "use assignments, calls, for and if"))
    return finding("node", f"{what} is not allowed in a transform", line, hint)


class _RemoveRefused(ast.NodeTransformer):
    """Replaces refused nodes by `pass` and None."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = []
        if isinstance(node, ast.Module) or _refuse_node(node) is None:
            return super().generic_visit(node)
        empty: ast.AST = ast.Pass() if isinstance(node, ast.stmt) else ast.Constant(None)
        if isinstance(node, ast.comprehension):
            node.is_async = 0
            return super().generic_visit(node)
        return ast.copy_location(empty, node)


def _check_node(node: ast.AST, context: Context, bound: set[str]) -> Iterator[Finding]:
    match node:
        case ast.Name():
            yield from check_name(node, context, bound)
            yield from check_uncalled(node, context)
        case ast.Attribute():
            yield from check_attribute(node, context)
            yield from check_uncalled(node, context)
        case ast.Subscript():
            yield from check_store(node, context)
        case ast.Call():
            yield from check_call(node, context)
            yield from _check_identity(node, context)
        case ast.Import() | ast.ImportFrom():
            yield from check_import(node, context)
        case ast.Constant() | ast.JoinedStr():
            yield from _check_identity(node, context)
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int() as exponent)) if exponent > 64:
            yield finding("node", f"the power {exponent} is too large", node.lineno, "use F.pow on a column")
        case _:
            yield from _check_operator(node, context)


def _check_identity(node: ast.expr, context: Context) -> Iterator[Finding]:
    """Refuse a text that Spark reads as a function, such as `current_user`, also when it is built from literals."""
    put_together = isinstance(node, ast.Call) and certainly(context.of(node), "text")
    texts = context.texts.of(node) if put_together else literals(context.of(node))
    for text in texts or []:
        if text.strip("` ").casefold() in IDENTITY_NAMES:
            hint = "a column of this name is read as a function; rename it in a view of the source"
            yield finding("function", f"{text!r} may be read as a function", node.lineno, hint)
            return


def _check_operator(node: ast.AST, context: Context) -> Iterator[Finding]:
    match node:
        case ast.BoolOp(values=values):
            word = "and" if isinstance(node.op, ast.And) else "or"
            yield from _column_as_bool(values[:-1], word, context)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _column_as_bool([operand], "not", context)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            yield from _column_as_bool([test], "if", context)
        case ast.BinOp():
            yield from _check_identity(node, context)
        case ast.Compare(left=left, comparators=[first, _, *_]):
            yield from _column_as_bool([left, first], "a chained comparison", context)


_INSTEAD = {
    "and": "& with parentheses round each comparison",
    "or": "| with parentheses round each comparison",
    "not": "~ with parentheses",
    "if": "F.when(condition, value).otherwise(other)",
    "a chained comparison": ".between(low, high)",
}


def _column_as_bool(values: list[ast.expr], word: str, context: Context) -> Iterator[Finding]:
    for value in values:
        if certainly(context.of(value), "column"):
            hint = f"use {_INSTEAD[word]}"
            yield finding("python_operator", f"a Column is used with Python's {word}", value.lineno, hint)
            return
