"""Elements of a map that are more than a value for each input: those mean the same only where all of them run in one place."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from typing import Mapping, Optional, Sequence

from . import names as scopes
from .local_only import Refusal

#: Methods by which containers are changed.
_CHANGING = {
    *("append", "appendleft", "extend", "extendleft", "insert", "pop", "popleft", "popitem", "remove", "discard", "add", "update"),
    *("clear", "setdefault", "sort", "reverse", "rotate", "__setitem__", "__delitem__"),
}


class Earlier:
    """What names mean where the last statement begins: some are in the session, some get their value in this very cell."""

    def __init__(self, statements: Sequence[ast.stmt], namespace: Mapping[str, object]) -> None:
        nodes = [node for statement in statements for node in scopes.own_nodes(statement)]
        self._namespace = namespace
        self._assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        self._async = {node.name: isinstance(node, ast.AsyncFunctionDef) for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}

    def may_be(self, name: str, kinds: tuple[type, ...]) -> bool:
        """Values that this cell assigns are not known before it runs."""
        return name in self._assigned or isinstance(self._namespace.get(name), kinds)

    def is_async(self, name: str) -> bool:
        here = self._async.get(name)
        return here if here is not None else name not in self._assigned and inspect.iscoroutinefunction(self._namespace.get(name))


def needs_one_place(parts: Sequence[ast.expr], targets: Sequence[str], earlier: Earlier) -> bool:
    """For what is evaluated for each input: it changes something of the session, or makes functions that share its variables."""
    own = {*targets, *(name for part in parts for name in _own_names(part))}
    return any(_makes_function(part) for part in parts) or any(_changes(node, own, earlier) for part in parts for node in ast.walk(part))


def refuse_coroutines(called: Optional[ast.expr], earlier: Earlier) -> None:
    """Workers await what an async function returns; here nobody does."""
    if isinstance(called, ast.Name) and earlier.is_async(called.id):
        name = called.id
        raise Refusal(
            f"Line {called.lineno}: `{name}` is async, so that here each result is a coroutine which nobody awaits. "
            f"Write `[await {name}(x) for x in inputs]`, or `await asyncio.gather(*[{name}(x) for x in inputs])`."
        )


def _own_names(part: ast.AST) -> set[str]:
    """Names that the element itself binds, in comprehensions and lambdas within it."""
    lambdas = [node.args for node in ast.walk(part) if isinstance(node, ast.Lambda)]
    return {*scopes.stored(part), *(node.arg for arguments in lambdas for node in ast.walk(arguments) if isinstance(node, ast.arg))}


def _makes_function(node: ast.AST) -> bool:
    """A `lambda` that is a result, not one that is handed to a call: `[lambda: x for x in xs]` all see the last `x`."""
    return isinstance(node, ast.Lambda) or (not isinstance(node, ast.Call) and any(map(_makes_function, ast.iter_child_nodes(node))))


def _changes(node: ast.AST, own: set[str], earlier: Earlier) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "next" and node.args:
        return _means(node.args[0], own, earlier, (Iterator,))
    if isinstance(node, ast.Attribute) and node.attr in _CHANGING:
        return _means(node.value, own, earlier, (MutableSequence, MutableMapping, MutableSet))
    return False


def _means(node: ast.expr, own: set[str], earlier: Earlier, kinds: tuple[type, ...]) -> bool:
    """`rows`, or something within it: `rows["a"]`."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name) and node.id not in own and earlier.may_be(node.id, kinds)
