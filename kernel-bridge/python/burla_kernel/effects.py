"""What a piece of code does besides giving a value: code that changes the session means the same only where all of it runs in one place.

Read from the text of the cell and of the functions that it calls, as far as they are the user's own. What an installed
package does is known by convention only: `fit`, `append`, `write` change what they are called on.
"""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from dataclasses import dataclass, field
from typing import Iterable, Optional, Sequence

from . import names as scopes
from .meaning import UNKNOWN, FunctionNode, Meaning, is_own, root_of

#: Methods by which containers are changed.
_CHANGING = {
    *("append", "appendleft", "extend", "extendleft", "insert", "pop", "popleft", "popitem", "remove", "discard", "add", "update"),
    *("clear", "setdefault", "sort", "reverse", "rotate", "__setitem__", "__delitem__"),
}
_CONTAINERS = (MutableSequence, MutableMapping, MutableSet)
#: Methods by which other objects are, whatever their class.
_CHANGING_ANY = {
    *("fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample", "train_on_batch", "load_state_dict", "zero_grad", "backward", "step"),
    *("write", "writelines", "writerow", "writerows", "seed", "shuffle", "__setattr__", "set_params", "commit", "executemany"),
}
#: How deep calls are followed: a function that calls a function that changes something.
_MAX_DEPTH = 6


@dataclass
class Effects:
    #: Global names that it changes, with the words for it.
    changed: dict[str, str] = field(default_factory=dict)
    #: Its own parameters, and what is within them.
    parameters: set[str] = field(default_factory=set)
    #: The first use of the random numbers that all code of the process shares.
    draws: Optional[str] = None


def why_in_one_place(parts: Sequence[ast.AST], inputs: Iterable[str], meaning: Meaning) -> Optional[str]:
    """For what is evaluated for each input, whose parts have the names `inputs`. None when each may run anywhere."""
    if any(isinstance(part, ast.expr) and _makes_function(part) for part in parts):
        return "it makes functions that share its variables"
    effects = _Reader(meaning).of_code(parts, set(inputs))
    for words in effects.changed.values():
        return f"it {words}"
    for name in sorted(effects.parameters):
        return f"it changes its input `{name}`"
    return None


def draws_random(parts: Sequence[ast.AST], meaning: Meaning) -> bool:
    """Whether it takes numbers of the generator that all code of the process shares."""
    return _Reader(meaning).of_code(parts, set()).draws is not None


def seeds_random(statement: ast.stmt) -> bool:
    """`random.seed(0)`, `np.random.seed(0)`: what follows takes its numbers in turn."""
    return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("seed", "manual_seed") for node in scopes.own_nodes(statement))


def _makes_function(node: ast.AST) -> bool:
    """A `lambda` that is a result, not one that is handed to a call: `[lambda: x for x in xs]` all see the last `x`."""
    return isinstance(node, ast.Lambda) or (not isinstance(node, ast.Call) and any(map(_makes_function, ast.iter_child_nodes(node))))


def _gives_in_turn(value: object) -> bool:
    """A generator of random numbers: copies of it would all give the same ones."""
    if isinstance(value, random.Random):
        return True
    numpy = sys.modules.get("numpy.random")
    return numpy is not None and isinstance(value, (getattr(numpy, "Generator", ()), getattr(numpy, "RandomState", ())))


@dataclass
class _Code:
    """Names of one function's body, or of an element."""

    parameters: set[str]
    #: Of its own, and made by itself.
    local: set[str]
    #: Line from which on a parameter is another value.
    rebound: dict[str, int]
    #: Names for what is within something else: `for row in rows`, `first = rows[0]`.
    aliases: dict[str, str]

    def root_of(self, node: ast.AST) -> Optional[str]:
        name = root_of(node)
        seen: set[str] = set()
        while name in self.aliases and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return name


class _Reader:
    """Follows calls. What a function does is read once."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._known: dict[int, Effects] = {}
        self._depth = 0

    def of_function(self, node: FunctionNode) -> Effects:
        known = self._known.get(id(node))
        if known is not None:
            return known
        # A function that calls itself adds nothing to what its text says.
        self._known[id(node)] = Effects()
        if self._depth >= _MAX_DEPTH:
            return self._known[id(node)]
        self._depth += 1
        try:
            body = node.body if isinstance(node.body, list) else [node.body]
            effects = self._known[id(node)] = self.of_code(body, {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)})
        finally:
            self._depth -= 1
        return effects

    def of_code(self, body: Sequence[ast.AST], parameters: set[str]) -> Effects:
        effects = Effects()
        nodes = [node for part in body for node in ast.walk(part)]
        declared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
        code = _code(nodes, parameters, declared)
        for name in sorted(declared & code.rebound.keys()):
            effects.changed.setdefault(name, f"assigns the global `{name}`")
        for node in nodes:
            for root in self._changed(node, code):
                self._note(root, getattr(node, "lineno", 0), code, effects)
            self._note_random(node, code, effects)
            if isinstance(node, ast.Call):
                self._note_call(node, code, effects)
        return effects

    def _note(self, root: str, line: int, code: _Code, effects: Effects) -> None:
        if root in code.parameters:
            if code.rebound.get(root, sys.maxsize) >= line:
                effects.parameters.add(root)
        elif root not in code.local:
            effects.changed.setdefault(root, f"changes `{root}`")

    def _changed(self, node: ast.AST, code: _Code) -> list[str]:
        """Names whose objects this very node changes."""
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            return [name for name in [code.root_of(node)] if name is not None]
        if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)):
            return []
        root = code.root_of(node.value)
        if root is None or (self._meaning.value(node) is not UNKNOWN and root not in code.parameters | code.local):
            return []
        if node.attr in _CHANGING_ANY:
            return [root]
        # Of a name of the session it is known what it holds; for a parameter the method's name must do.
        is_own_name = root in code.parameters | code.local
        return [root] if node.attr in _CHANGING and (is_own_name or self._meaning.may_be(root, _CONTAINERS)) else []

    def _note_random(self, node: ast.AST, code: _Code, effects: Effects) -> None:
        if not isinstance(node, (ast.Name, ast.Attribute)) or not isinstance(node.ctx, ast.Load):
            return
        value = self._meaning.value(node)
        if isinstance(node, ast.Name) and node.id not in code.local | code.parameters and _gives_in_turn(value):
            effects.changed.setdefault(node.id, f"takes the numbers of `{node.id}` in turn")
        of = getattr(value, "__self__", None) if value is not UNKNOWN else None
        if of is not None and _gives_in_turn(of):
            effects.draws = effects.draws or ast.unparse(node)

    def _note_call(self, call: ast.Call, code: _Code, effects: Effects) -> None:
        function = call.func
        if isinstance(function, ast.Name) and function.id in ("next", "input") and self._meaning.is_builtin(function.id):
            return self._note_asking(function.id, call, code, effects)
        called = None if isinstance(function, ast.Name) and function.id in code.local | code.parameters else self._meaning.function(function)
        if called is not None:
            return self._note_called(called, call, code, effects)
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            self._note_method(function, function.value, call, code, effects)

    def _note_asking(self, name: str, call: ast.Call, code: _Code, effects: Effects) -> None:
        if name == "input":
            effects.changed.setdefault("input", "asks the user")
        elif call.args:
            root = code.root_of(call.args[0])
            if root is not None and root not in code.local | code.parameters and self._meaning.may_be(root, (Iterator,)):
                effects.changed.setdefault(root, f"takes the values of `{root}` in turn")

    def _note_method(self, method: ast.Attribute, on: ast.Name, call: ast.Call, code: _Code, effects: Effects) -> None:
        """By the text of its class where that is the user's own: of an object whose class is not known, any that has such a method."""
        of = UNKNOWN if on.id in code.local | code.parameters else self._meaning.value(on)
        methods = self._meaning.methods(method.attr) if of is UNKNOWN else [self._meaning.text_of(getattr(type(of), method.attr, None))] if is_own(type(of)) else []
        bound = ast.copy_location(ast.Call(method, [on, *call.args], call.keywords), call)
        for called in methods:
            if called is not None:
                self._note_called(called, bound, code, effects)

    def _note_called(self, called: FunctionNode, call: ast.Call, code: _Code, effects: Effects) -> None:
        inner = self.of_function(called)
        effects.draws = effects.draws or inner.draws
        for name, words in inner.changed.items():
            effects.changed.setdefault(name, f"calls `{_label(call.func)}`, which {words}" if "which" not in words else words)
        for parameter, argument in _bound(called, call):
            root = code.root_of(argument)
            if parameter in inner.parameters and root is not None:
                self._note(root, call.lineno, code, effects)


def _code(nodes: Sequence[ast.AST], parameters: set[str], declared: set[str]) -> _Code:
    stores = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    rebound = {node.id: node.lineno for node in reversed(stores)}
    inner = {part.arg for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) for part in ast.walk(node.args) if isinstance(part, ast.arg)}
    bound_once = {name for name in rebound if sum(node.id == name for node in stores) == 1}
    aliases: dict[str, str] = {}
    for node in nodes:
        target, value = _alias(node)
        root = None if value is None else root_of(value)
        if target is not None and root is not None and target in bound_once and target != root:
            aliases[target] = root
    return _Code(parameters, ((rebound.keys() - declared) | inner) - parameters, rebound, aliases)


def _alias(node: ast.AST) -> tuple[Optional[str], Optional[ast.expr]]:
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) and isinstance(node.target, ast.Name):
        return node.target.id, node.iter
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and not _copies(node.value):
        return node.targets[0].id, node.value
    return None, None


def _copies(node: ast.expr) -> bool:
    """`df[df.a > 0]`, `rows[1:]`: another object than what it was taken from."""
    return isinstance(node, ast.Subscript) and not isinstance(node.slice, (ast.Constant, ast.Name))


def _bound(node: FunctionNode, call: ast.Call) -> list[tuple[str, ast.expr]]:
    """Which argument is which parameter, as far as the text says."""
    positional = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    pairs = [(name, argument) for name, argument in zip(positional, call.args) if not isinstance(argument, ast.Starred)]
    return [*pairs, *((keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg is not None)]


def _label(function: ast.expr) -> str:
    return "lambda" if isinstance(function, ast.Lambda) else ast.unparse(function)
