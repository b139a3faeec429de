"""Names of a piece of code, as Python's scopes see them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Iterable, Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass
class Names:
    """What statements of a module do to its names."""

    #: Bound: by an assignment, a definition, an import, a loop, a `with`, a pattern.
    bound: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)


def names_of(statements: Iterable[ast.stmt]) -> Names:
    names = Names()
    for statement in statements:
        for node in own_nodes(statement):
            _note(node, names)
    return names


def loaded(node: ast.AST) -> set[str]:
    """All names that are read anywhere in it, by nested functions too."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def stored(node: ast.AST) -> list[str]:
    """Names that a target binds, in order."""
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]


def walrus_names(node: ast.AST) -> list[str]:
    return [part.target.id for part in own_nodes(node) if isinstance(part, ast.NamedExpr)]


def has_await(node: ast.AST) -> bool:
    """Whether it awaits in its own scope: then only an `async def` can hold it."""
    return any(
        isinstance(part, (ast.Await, ast.AsyncFor, ast.AsyncWith)) or (isinstance(part, ast.comprehension) and part.is_async)
        for part in own_nodes(node)
    )


def has_call(node: ast.AST) -> bool:
    return any(isinstance(part, (ast.Call, ast.Await)) for part in ast.walk(node))


def last_name(function: ast.expr) -> str:
    """`apply` of `df.text.apply`, `score` of `score`; empty for what has no name."""
    return function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The node and its parts that run in its scope: not the bodies of functions and classes.

    Comprehensions count: a `:=` in one binds in the scope around it, and an `await` makes that scope wait.
    """
    yield node
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        for part in _outer_parts(node):
            yield from own_nodes(part)
        return
    if isinstance(node, ast.comprehension):
        # Its targets are its own.
        for part in (node.iter, *node.ifs):
            yield from own_nodes(part)
        return
    for part in ast.iter_child_nodes(node):
        yield from own_nodes(part)


def _outer_parts(node: ast.AST) -> list[ast.AST]:
    """Of a function or class: what is evaluated where it is defined."""
    arguments = getattr(node, "args", None)
    defaults = [] if arguments is None else [part for part in (*arguments.defaults, *arguments.kw_defaults) if part is not None]
    return [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ()), *getattr(node, "keywords", ()), *defaults]


def _note(node: ast.AST, names: Names) -> None:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        names.bound.add(node.name)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        names.bound.update((alias.asname or alias.name).partition(".")[0] for alias in node.names if alias.name != "*")
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        names.bound.add(node.id)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
        names.deleted.add(node.id)
    else:
        _note_pattern(node, names)


def _note_pattern(node: ast.AST, names: Names) -> None:
    for attribute, kind in (("name", "MatchAs"), ("name", "MatchStar"), ("rest", "MatchMapping")):
        name = getattr(node, attribute, None)
        if type(node).__name__ == kind and isinstance(name, str):
            names.bound.add(name)

