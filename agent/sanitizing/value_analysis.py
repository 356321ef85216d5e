"""The kinds of value that each expression of a transform can have: a fixpoint analysis of the whole, without recursion.

Each round visits every node once, in the order of evaluation; rounds go on until nothing is new. A variable, list or
parameter collects what any place puts into it, whatever the order in which the places run, so a certain kind is
certain. Containers are told apart by the place that makes them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from agent.sanitizing.scopes import Scopes, Variable
from agent.sanitizing.value_rules import Rules
from agent.sanitizing.values import Values

_MAX_ROUNDS = 12
_MAX_STEPS = 500_000
"""Nodes visited and container slots read in all rounds together."""


def analysed(tree: ast.Module, scopes: Scopes, imported: Mapping[Variable, set[str]], bound: set[str]) -> Values:
    """The values of a module; they are not `settled` where the analysis reached one of its limits."""
    values = Values(tree, imported, bound)
    rules = Rules(values, scopes, tree)
    order = list(_in_order(tree))
    for _ in range(_MAX_ROUNDS):
        before = values.news
        values.rounds += 1
        for node in order:
            values.steps += 1
            rules.step(node)
            if values.steps > _MAX_STEPS:
                return values
        if values.news == before:
            values.settled = True
            break
    return values


def _in_order(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes in the order of evaluation: operands before their expression, an iterable before the loop variable."""
    stack: list[tuple[ast.AST, bool]] = [(node, False) for node in reversed(tree.body)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
            continue
        first, then = _parts(node)
        stack += [(part, False) for part in reversed(then)]
        stack.append((node, True))
        stack += [(part, False) for part in reversed(first)]


def _parts(node: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """The parts of a node that are evaluated before its own effect, and those after it."""
    match node:
        case ast.For():
            return [node.target, node.iter], [*node.body, *node.orelse]
        case ast.comprehension():
            return [node.target, node.iter], list(node.ifs)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return [*node.generators, node.elt], []
        case ast.DictComp():
            return [*node.generators, node.key, node.value], []
        case ast.FunctionDef(args=args):
            return [*args.defaults, *(default for default in args.kw_defaults if default is not None)], list(node.body)
        case ast.If():
            return [node.test], [*node.body, *node.orelse]
    return list(ast.iter_child_nodes(node)), []
