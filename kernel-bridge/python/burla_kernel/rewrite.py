"""Rewrites one cell on its syntax tree, so that its last statement, or all of it, runs on a cluster.

The rewritten cell is an ordinary cell: the kernel runs it, binds names and displays the last value as ever.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

from . import names as scopes
from .elements import Earlier, needs_one_place, refuse_coroutines
from .local_only import split
from .module_level import at_module_level, mention, named_in_texts
from .shapes import IsBuiltin, find_map

#: The one name that the rewritten cell reads: the run, whose methods call the cluster.
RUN = "__burla__"
_INPUT = "__burla_input__"
#: Written at module level only, and found in no one's code: functions get the name that they have in tracebacks.
_ELEMENT = "<listcomp>"
_CELL = "<cell>"


@dataclass(frozen=True)
class Rewritten:
    tree: ast.Module
    #: "map", "call", or "local" when there is nothing to compute.
    how: str
    #: For people: what is called.
    name: str


def rewrite(tree: ast.Module, namespace: Mapping[str, object], builtins: Mapping[str, object]) -> Rewritten:
    """Raises Refusal (of `local_only`)."""
    last = tree.body[-1] if tree.body else None
    if last is None:
        return Rewritten(tree, "local", "")
    bound = scopes.names_of(tree.body[:-1]).bound

    def is_builtin(name: str) -> bool:
        return name not in bound and namespace.get(name, builtins.get(name)) is builtins.get(name)

    return _as_map(tree, last, namespace, is_builtin) or _as_call(tree, namespace, is_builtin)


# A map over inputs


def _as_map(tree: ast.Module, last: ast.stmt, namespace: Mapping[str, object], is_builtin: IsBuiltin) -> Optional[Rewritten]:
    value = last.value if isinstance(last, (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign)) else None
    found = None if value is None else find_map(value, is_builtin)
    if found is None or value is None:
        return None
    site, replace = found
    earlier = Earlier(tree.body[:-1], namespace)
    if needs_one_place(_evaluated(site), _bound_by(site), earlier):
        return None
    if not isinstance(value, ast.Await):
        refuse_coroutines(_called(site), earlier)
    prepared = _map_call(site) if isinstance(site, ast.Call) else _comprehension(site, namespace)
    if prepared is None:
        return None
    before, call, name = prepared
    if replace is None:
        last.value = call  # type: ignore[union-attr]
    else:
        replace(call)
    tree.body[-1:] = [*before, last]
    return Rewritten(ast.fix_missing_locations(tree), "map", name)


def _evaluated(site: ast.expr) -> list[ast.expr]:
    """What is evaluated for each input."""
    if isinstance(site, ast.Call):
        function = site.args[0]
        return [function.body if isinstance(function, ast.Lambda) else function]
    return [site.key, site.value] if isinstance(site, ast.DictComp) else [site.elt]  # type: ignore[attr-defined]


def _bound_by(site: ast.expr) -> list[str]:
    if not isinstance(site, ast.Call):
        return _targets(site.generators)  # type: ignore[attr-defined]
    return [part.arg for part in ast.walk(site.args[0]) if isinstance(part, ast.arg)]


def _called(site: ast.expr) -> Optional[ast.expr]:
    if isinstance(site, ast.Call):
        return site.args[0]
    element = _evaluated(site)[-1]
    return element.func if isinstance(element, ast.Call) else None


_Prepared = tuple[list[ast.stmt], ast.expr, str]


def _map_call(site: ast.Call) -> _Prepared:
    function, *iterables = site.args
    inputs = iterables[0] if len(iterables) == 1 else ast.Tuple(iterables, ast.Load())
    shape = "list" if len(iterables) == 1 else "zip"
    return [], _run("map", site, function, inputs, ast.Constant(shape)), _label(function)


def _comprehension(site: ast.expr, namespace: Mapping[str, object]) -> Optional[_Prepared]:
    generators: Sequence[ast.comprehension] = site.generators  # type: ignore[attr-defined]
    if any(isinstance(part, (ast.Attribute, ast.Subscript)) for generator in generators for part in ast.walk(generator.target)):
        # `for box.x in xs` binds nothing of its own.
        return None
    key = site.key if isinstance(site, ast.DictComp) else None
    value = site.value if isinstance(site, ast.DictComp) else site.elt  # type: ignore[attr-defined]
    if scopes.walrus_names(value) or (key is not None and scopes.walrus_names(key)):
        # It binds a name here for each element: only the cell as a whole can keep that.
        return None
    # A key that is only read needs no worker, and stays the very object that it is.
    has_local_key = key is not None and not scopes.has_call(key)
    body = value if key is None or has_local_key else ast.copy_location(ast.Tuple([key, value], ast.Load()), value)
    targets, texts = _targets(generators), named_in_texts([body])
    used = [target for target in targets if target in scopes.loaded(body) | texts]
    element = _element(body, used, mention(texts - set(targets), namespace, body))
    given: ast.expr = _input(used)
    shape = "list"
    if isinstance(site, ast.SetComp):
        shape = "set"
    elif key is not None:
        shape = "keyed" if has_local_key else "dict"
        given = ast.Tuple([key, given], ast.Load()) if has_local_key else given
    inputs = _inputs(site, given, generators)
    return [element], _run("map", site, ast.Name(_ELEMENT, ast.Load()), inputs, ast.Constant(shape)), _label(value)


def _targets(generators: Sequence[ast.comprehension]) -> list[str]:
    """Names that the comprehension binds, those of `:=` in its conditions too, each once."""
    names: list[str] = []
    for generator in generators:
        names += scopes.stored(generator.target)
        for condition in generator.ifs:
            names += scopes.walrus_names(condition)
    return list(dict.fromkeys(names))


def _input(used: Sequence[str]) -> ast.expr:
    if not used:
        return ast.Constant(None)
    if len(used) == 1:
        return ast.Name(used[0], ast.Load())
    return ast.Tuple([ast.Name(name, ast.Load()) for name in used], ast.Load())


def _inputs(site: ast.expr, given: ast.expr, generators: Sequence[ast.comprehension]) -> ast.expr:
    """Pulled as the cluster needs them; collected first where the cell itself has to await them."""
    parts = [part for generator in generators for part in (generator.iter, *generator.ifs)]
    awaits = any(generator.is_async for generator in generators) or any(scopes.has_await(part) for part in parts)
    if len(generators) == 1 and not generators[0].ifs and not awaits:
        # As many inputs as it has elements: so the run can tell how many there will be.
        generators[0].iter = _run("source", generators[0].iter, generators[0].iter)
    make = ast.ListComp if awaits else ast.GeneratorExp
    return ast.copy_location(make(given, list(generators)), site)


def _element(body: ast.expr, used: Sequence[str], before: Sequence[ast.stmt]) -> ast.stmt:
    """The element as a function of what the comprehension binds. Its lines are those of the cell."""
    parameter = used[0] if len(used) == 1 else _INPUT
    unpack: list[ast.stmt] = []
    if len(used) > 1:
        target = ast.Tuple([ast.Name(name, ast.Store()) for name in used], ast.Store())
        unpack = [ast.copy_location(ast.Assign([target], ast.Name(_INPUT, ast.Load())), body)]
    statements = [*unpack, *before, ast.copy_location(ast.Return(body), body)]
    return _function(_ELEMENT, [parameter], statements, is_async=scopes.has_await(body), at=body)


# The whole cell as one call


def _as_call(tree: ast.Module, namespace: Mapping[str, object], is_builtin: IsBuiltin) -> Rewritten:
    here, there = split(tree.body)
    if not there:
        return Rewritten(tree, "local", "")
    names = scopes.names_of(there)
    is_async = any(scopes.has_await(statement) for statement in there)
    assigned = sorted(names.bound | names.deleted)
    statements = at_module_level(there, is_builtin)
    last = statements[-1]
    if isinstance(last, ast.Expr):
        statements[-1] = ast.copy_location(ast.Return(last.value), last)
    declared: list[ast.stmt] = [ast.copy_location(ast.Global(assigned), there[0])] if assigned else []
    cell = _function(_CELL, [], [*declared, *mention(named_in_texts(there), namespace, there[0]), *statements], is_async=is_async, at=there[0])
    lists = [ast.Constant(tuple(sorted(part))) for part in (names.bound, names.deleted)]
    call = _run("call", last, ast.Name(_CELL, ast.Load()), *lists)
    tree.body[len(here) :] = [cell, ast.copy_location(ast.Expr(call), last)]
    return Rewritten(ast.fix_missing_locations(tree), "call", "cell")


# Making nodes


def _function(name: str, parameters: Sequence[str], body: list[ast.stmt], *, is_async: bool, at: ast.AST) -> ast.stmt:
    arguments = ast.arguments([], [ast.arg(parameter) for parameter in parameters], None, [], [], None, [])
    made = (ast.AsyncFunctionDef if is_async else ast.FunctionDef)(name, arguments, body, [], None)
    if "type_params" in made._fields:
        made.type_params = []  # type: ignore[attr-defined]
    return ast.copy_location(made, at)


def _run(method: str, at: ast.AST, *arguments: ast.expr) -> ast.expr:
    call = ast.Call(ast.Attribute(ast.Name(RUN, ast.Load()), method, ast.Load()), list(arguments), [])
    return ast.copy_location(call, at)


def _label(function: ast.expr) -> str:
    """`score` for `score(x)`, else the text of the expression."""
    called = function.value if isinstance(function, ast.Await) else function
    text = ast.unparse(called.func if isinstance(called, ast.Call) else called)
    return text if len(text) <= 80 else text[:79] + "…"
