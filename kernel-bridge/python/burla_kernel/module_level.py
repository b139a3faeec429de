"""A cell whose statements move into a function: what else would mean something different there."""

from __future__ import annotations

import ast
import re
from typing import Callable, Mapping, Sequence

from .names import last_name

#: Whether a name still means Python's own.
IsBuiltin = Callable[[str], bool]

#: Functions and methods whose texts name variables: Python's own, and those of pandas.
_READ_TEXT = ("eval", "exec", "query")
_NAME = re.compile(r"[^\W\d]\w*")


def at_module_level(statements: Sequence[ast.stmt], is_builtin: IsBuiltin) -> list[ast.stmt]:
    """With `locals()` and the like as they are outside of functions."""
    transform = _AtModuleLevel(is_builtin)
    return [transform.visit(statement) for statement in statements]


def named_in_texts(nodes: Sequence[ast.AST]) -> set[str]:
    """Names in texts such as those of `df.query("a > @limit")`: what they mean has to travel too."""
    calls = [node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Call) and last_name(node.func) in _READ_TEXT]
    texts = [part.value for call in calls for part in ast.walk(call) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return {name for text in texts for name in _NAME.findall(text)}


def mention(texts: set[str], namespace: Mapping[str, object], at: ast.AST) -> list[ast.stmt]:
    """A statement that does nothing but name those of the session."""
    names = sorted(texts & namespace.keys())
    if not names:
        return []
    arguments = ast.arguments([], [], None, [], [], None, [])
    read = ast.Lambda(arguments, ast.Tuple([ast.Name(name, ast.Load()) for name in names], ast.Load()))
    return [ast.copy_location(ast.Expr(read), at)]


class _AtModuleLevel(ast.NodeTransformer):
    def __init__(self, is_builtin: IsBuiltin) -> None:
        self._is_builtin = is_builtin

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A name that is declared `global` may not be annotated."""
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        made = ast.Pass() if node.value is None else ast.Assign([node.target], node.value)
        return ast.copy_location(made, node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) and self._is_builtin(node.func.id) and self._is_builtin("globals") else ""
        if name in ("exec", "eval") and len(node.args) == 1 and not node.keywords:
            node.args.append(_globals(node))
        elif name in ("locals", "vars") and not node.args and not node.keywords:
            return _globals(node)
        elif name == "dir" and not node.args and not node.keywords and self._is_builtin("sorted"):
            return ast.copy_location(ast.Call(ast.Name("sorted", ast.Load()), [_globals(node)], []), node)
        return node

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _leave
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _leave


def _globals(at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name("globals", ast.Load()), [], []), at)
