"""Finds the map in an expression: `[f(x) for x in xs]`, `list(map(f, xs))`, and what gathers the results of one."""

from __future__ import annotations

import ast
from typing import Any, Callable, Optional, Union

#: Functions that read each element of their first argument, in order, and keep the results.
_GATHERS = {"list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "dict", "len"}
#: The same, as methods of pandas and texts.
_GATHERING_METHODS = {"DataFrame", "Series", "concat", "join"}
#: Of numpy, which takes a list, and makes one single object of a generator.
_LIST_METHODS = {"array", "asarray", "stack", "vstack", "hstack", "concatenate"}

Comprehension = Union[ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp]
#: The map, and how it is replaced in the expression around it (None: it is the whole expression).
Site = tuple[ast.expr, Optional[Callable[[ast.expr], Any]]]

IsBuiltin = Callable[[str], bool]


def find_map(expression: ast.expr, is_builtin: IsBuiltin) -> Optional[Site]:
    """`is_builtin` tells whether a name still means Python's own function there."""
    if isinstance(expression, (ast.ListComp, ast.SetComp, ast.DictComp)):
        return expression, None
    if isinstance(expression, ast.NamedExpr):
        return _inner(expression.value, lambda with_what: setattr(expression, "value", with_what), is_builtin)
    if isinstance(expression, ast.Await):
        return _gathered(expression)
    if isinstance(expression, ast.Call) and expression.args and _gathers(expression.func, is_builtin):
        return _argument(expression, is_builtin)
    return None


def is_map_call(node: ast.expr, is_builtin: IsBuiltin) -> bool:
    """`map(f, xs, ...)` without surprises."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "map"
        and is_builtin("map")
        and len(node.args) >= 2
        and not node.keywords
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
    )


def _gathers(function: ast.expr, is_builtin: IsBuiltin) -> bool:
    if isinstance(function, ast.Name):
        return function.id in _GATHERS and is_builtin(function.id)
    return isinstance(function, ast.Attribute) and function.attr in (_GATHERING_METHODS | _LIST_METHODS)


def _argument(call: ast.Call, is_builtin: IsBuiltin) -> Optional[Site]:
    first = call.args[0]

    def replace(with_what: ast.expr) -> None:
        call.args[0] = with_what

    if isinstance(first, ast.GeneratorExp) or is_map_call(first, is_builtin):
        takes_list = isinstance(call.func, ast.Attribute) and call.func.attr in _LIST_METHODS
        return None if takes_list else (first, replace)
    return _inner(first, replace, is_builtin)


def _inner(node: ast.expr, replace: Callable[[ast.expr], Any], is_builtin: IsBuiltin) -> Optional[Site]:
    found = find_map(node, is_builtin)
    if found is None:
        return None
    inner, replace_inner = found
    return inner, replace if replace_inner is None else replace_inner


def _gathered(expression: ast.Await) -> Optional[Site]:
    """`await asyncio.gather(*[f(x) for x in xs])`, as one expression: workers await what a function returns."""
    call = expression.value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "gather"):
        return None
    if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "asyncio" and len(call.args) == 1 and not call.keywords):
        return None
    starred = call.args[0]
    if not isinstance(starred, ast.Starred):
        return None
    inner = starred.value
    if isinstance(inner, (ast.ListComp, ast.GeneratorExp)) or is_map_call(inner, lambda name: name == "map"):
        return inner, None
    return None

