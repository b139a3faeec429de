"""What names mean where a cell begins: values of the session, and what the cell itself imports and defines."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from types import FunctionType, ModuleType
from typing import Mapping, Optional, Sequence, Union

from . import names as scopes

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
#: A value that nobody knows before the cell runs.
UNKNOWN = object()


class Meaning:
    """Of the names of one cell. Nothing of the user's code is run for it: no property, no `__getattr__`."""

    def __init__(self, statements: Sequence[ast.stmt], namespace: Mapping[str, object]) -> None:
        self.namespace = namespace
        self._functions: dict[str, FunctionNode] = {}
        self._methods: dict[str, list[FunctionNode]] = {}
        self._texts: dict[int, tuple[object, Optional[FunctionNode]]] = {}
        self._imports: dict[str, object] = {}
        bound = scopes.names_of(statements).bound
        for statement in statements:
            for node in scopes.own_nodes(statement):
                self._note(node)
        #: Names whose values only the cell gives.
        self.assigned = bound - self._functions.keys() - self._imports.keys()
        #: Names that the cell gives to what was made with `n_jobs`.
        self.parallel = {target.id for statement in statements for node in scopes.own_nodes(statement) if isinstance(node, ast.Assign) and _asks_for_jobs(node.value) for target in node.targets if isinstance(target, ast.Name)}
        self._hidden = {node.name for statement in statements for node in scopes.own_nodes(statement) if isinstance(node, ast.ClassDef)}

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._functions[node.name] = node
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self._methods.setdefault(part.name, []).append(part)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.asname else alias.name.partition(".")[0]
                self._imports[alias.asname or module] = sys.modules.get(module, UNKNOWN)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                self._imports[alias.asname or alias.name] = _member(sys.modules.get(node.module or ""), f"{node.module}.{alias.name}", alias.name)

    def is_builtin(self, name: str) -> bool:
        """Whether it still means Python's own."""
        own = getattr(builtins, name, UNKNOWN)
        return own is not UNKNOWN and self.value(ast.Name(name, ast.Load())) is own

    def value(self, node: ast.expr) -> object:
        """Of a name, or of an attribute of a module; else UNKNOWN."""
        if isinstance(node, ast.Name):
            if node.id in self._imports:
                return self._imports[node.id]
            if node.id in self.assigned or node.id in self._functions or node.id in self._hidden:
                return UNKNOWN
            return self.namespace.get(node.id, getattr(builtins, node.id, UNKNOWN))
        if isinstance(node, ast.Attribute):
            of = self.value(node.value)
            return vars(of).get(node.attr, UNKNOWN) if isinstance(of, ModuleType) else UNKNOWN
        return UNKNOWN

    def may_be(self, name: str, kinds: tuple[type, ...]) -> bool:
        """Values that this cell assigns are not known before it runs."""
        return name in self.assigned or isinstance(self.namespace.get(name), kinds)

    def is_async(self, name: str) -> bool:
        node = self._functions.get(name)
        if node is not None:
            return isinstance(node, ast.AsyncFunctionDef)
        return inspect.iscoroutinefunction(self.value(ast.Name(name, ast.Load())))

    def function(self, node: ast.expr) -> Optional[FunctionNode]:
        """The text of a function that is the user's own; None for all others."""
        if isinstance(node, ast.Lambda):
            return node
        if isinstance(node, ast.Name) and node.id in self._functions:
            return self._functions[node.id]
        return self.text_of(self.value(node))

    def methods(self, name: str) -> list[Optional[FunctionNode]]:
        """Of that name, of all classes of the session and of the cell."""
        there = [self.text_of(vars(value)[name]) for value in list(self.namespace.values()) if isinstance(value, type) and name in vars(value) and is_own(value)]
        return [*there, *self._methods.get(name, [])]

    def text_of(self, value: object) -> Optional[FunctionNode]:
        """The same for a function itself, read once."""
        if id(value) not in self._texts:
            self._texts[id(value)] = (value, _function_text(value))
        return self._texts[id(value)][1]


def _function_text(value: object) -> Optional[FunctionNode]:
    """As it was written, where it is the user's own: of a cell, of a script, of a module that is not installed."""
    value = inspect.unwrap(value) if isinstance(value, FunctionType) else getattr(value, "__wrapped__", value)
    if not isinstance(value, FunctionType) or not is_own(value):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    wanted = ast.Lambda if value.__name__ == "<lambda>" else (ast.FunctionDef, ast.AsyncFunctionDef)
    return next((part for part in ast.walk(tree) if isinstance(part, wanted)), None)  # type: ignore[return-value]


def is_own(value: object) -> bool:
    """Whether the user has written it, and has not installed it."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return True
    file = getattr(module, "__file__", None) or ""
    return file != "" and not file.startswith((sys.prefix, sys.base_prefix)) and "site-packages" not in file and "dist-packages" not in file


def root_of(node: ast.AST) -> Optional[str]:
    """`rows` of `rows["a"].b[0]`."""
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _member(module: Optional[ModuleType], full: str, name: str) -> object:
    if module is None:
        return UNKNOWN
    return vars(module).get(name, sys.modules.get(full, UNKNOWN))


def _asks_for_jobs(node: ast.AST) -> bool:
    return any(isinstance(part, ast.keyword) and part.arg == "n_jobs" and not (isinstance(part.value, ast.Constant) and part.value.value in (None, 1)) for part in ast.walk(node))
