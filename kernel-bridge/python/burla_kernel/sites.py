"""Finds the maps in a statement: `[f(x) for x in xs]`, `list(map(f, xs))`, and what gathers the results of one."""

from __future__ import annotations

import ast
import builtins
from typing import Callable, Optional, Union

from .meaning import Meaning
from .names import last_name

#: Functions that read each element of their first argument, in order, and keep the results.
_GATHERS = {"list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "dict", "Counter", "deque", "fsum"}
#: The same, as methods of containers, texts and modules.
_GATHERING_METHODS = {"DataFrame", "Series", "concat", "join", "extend", "update", "fromiter", "fsum", "Counter", "deque"}
#: What passes on each element of its arguments, as it is asked for them.
_PASSES_ON = {"zip", "enumerate", "tqdm", "reversed"}

Comprehension = Union[ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp]
Site = Union[ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Call]
#: Says what stands in the place of a map; None: it stays.
Replace = Callable[[Site, ast.expr], Optional[ast.expr]]


class SiteReplacer(ast.NodeTransformer):
    """Goes over what a statement evaluates itself, and offers each map in it, the outermost first, in the order of the text.

    A map is one only where all of it is consumed: a generator in `list(…)`, `dict(zip(xs, …))`, or in the head of a `for`.
    """

    def __init__(self, meaning: Meaning, replace: Replace, call: Callable[[ast.Call], Optional[ast.expr]]) -> None:
        self._meaning = meaning
        self._replace = replace
        self._call = call

    def expression(self, node: ast.expr) -> ast.expr:
        return self.visit(node)  # type: ignore[no-any-return]

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._offer(node, node)

    visit_SetComp = visit_DictComp = visit_ListComp  # type: ignore[assignment]

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        """A generator whose consumer is not known is lazy, and stays."""
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        site = _gathered(node, self._meaning)
        return self._offer(site, node) if site is not None else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        for at, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred):
                argument.value = self._consumed(argument.value)
            elif at == 0 and self._gathers(node.func):
                node.args[0] = self._consumed(argument)
        # What is in it comes first, as it is evaluated: `pd.Series([f(x) for x in xs]).map(g)`.
        self.generic_visit(node)
        made = self._call(node)
        return node if made is None else made

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        node.value = self._consumed(node.value)
        return self.generic_visit(node)

    def consumed(self, node: ast.expr) -> ast.expr:
        """Of a place that reads all of it, such as the head of a `for` without `break`."""
        return self.visit(self._consumed(node))  # type: ignore[no-any-return]

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_Lambda = visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _leave

    def _consumed(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.GeneratorExp) or is_map_call(node, self._meaning):
            return self._offer(node, node)  # type: ignore[arg-type, return-value]
        if isinstance(node, ast.Call) and last_name(node.func) in _PASSES_ON:
            node.args = [argument if isinstance(argument, ast.Starred) else self._consumed(argument) for argument in node.args]
        return node

    def _offer(self, site: Site, whole: ast.expr) -> ast.AST:
        """What is not taken stays as it is; there may be a map in what it is made of."""
        made = self._replace(site, whole)
        if made is not None:
            return made
        if isinstance(site, ast.Call):
            site.args = [self.visit(argument) for argument in site.args]
        else:
            site.generators[0].iter = self.visit(site.generators[0].iter)
        return whole

    def _gathers(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in _GATHERS and (self._meaning.is_builtin(function.id) or not hasattr(builtins, function.id))
        return isinstance(function, ast.Attribute) and function.attr in _GATHERING_METHODS


def is_map_call(node: ast.AST, meaning: Meaning) -> bool:
    """`map(f, xs, ...)` without surprises."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "map"
        and meaning.is_builtin("map")
        and len(node.args) >= 2
        and not node.keywords
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
    )


def _gathered(expression: ast.Await, meaning: Meaning) -> Optional[Site]:
    """`await asyncio.gather(*[f(x) for x in xs])`, as one expression: workers await what a function returns."""
    call = expression.value
    if not (isinstance(call, ast.Call) and last_name(call.func) == "gather" and len(call.args) == 1 and not call.keywords):
        return None
    if isinstance(call.func, ast.Attribute) and not (isinstance(call.func.value, ast.Name) and call.func.value.id in ("asyncio", "tqdm_asyncio")):
        return None
    starred = call.args[0]
    if not isinstance(starred, ast.Starred):
        return None
    inner = starred.value
    if isinstance(inner, (ast.ListComp, ast.GeneratorExp)) or is_map_call(inner, meaning):
        return inner  # type: ignore[return-value]
    return None
