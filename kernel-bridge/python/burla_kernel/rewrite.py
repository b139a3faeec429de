"""Rewrites one cell on its syntax tree: each statement that is a map runs on a cluster, the others run here; a cell without one is one call.

The rewritten cell is an ordinary cell: the kernel runs it, binds names and displays the last value as ever.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

from . import names as scopes
from .local_only import split
from .magics import as_written, clocked
from .maps import Maps, function, run_call
from .meaning import Meaning
from .module_level import at_module_level, mention, named_in_texts
from .tracebacks import CELL
from .work import Worth

_MAX_TEXT = 80


@dataclass(frozen=True)
class Step:
    """A statement of the cell, for people."""

    line: int
    text: str
    #: Where it runs: "here", "map" or "call".
    where: str


@dataclass(frozen=True)
class Rewritten:
    tree: ast.Module
    #: "map", "call", or "local" when there is nothing to compute.
    how: str
    #: For people: what is called.
    name: str
    steps: Sequence[Step] = ()
    #: Of a call: why it is one, and the line that keeps it from being a map, where one does.
    note: str = ""
    note_line: Optional[int] = None


def rewrite(tree: ast.Module, namespace: Mapping[str, object]) -> Rewritten:
    """Raises Refusal, or RunsHere (of `local_only`)."""
    if not tree.body:
        return Rewritten(tree, "local", "")
    meaning = Meaning(tree.body, namespace)
    maps = Maps(meaning, with_weak=False)
    made = maps.rewritten(copy.deepcopy(tree))
    if not maps.taken and (maps.weak or maps.weak_loops) and not _is_work(tree.body, meaning):
        # It is all that the cell has.
        maps = Maps(meaning, with_weak=True)
        made = maps.rewritten(copy.deepcopy(tree))
    if maps.taken:
        lines = {line for line, _ in maps.taken}
        steps = [_step(statement, "map" if lines & _lines(statement) else "here") for statement in tree.body]
        return Rewritten(made, "map", maps.taken[0][1], steps if len(steps) > 1 else ())
    return _as_call(tree, meaning, maps.refused)


def _is_work(statements: Sequence[ast.stmt], meaning: Meaning) -> bool:
    return any(map(Worth(meaning).is_work, statements))


def _lines(statement: ast.stmt) -> set[int]:
    return set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))


def _step(statement: ast.stmt, where: str) -> Step:
    text = as_written(statement).split("\n")[0]
    return Step(statement.lineno, text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…", where)


# The whole cell as one call


def _as_call(tree: ast.Module, meaning: Meaning, refused: Sequence[tuple[int, str]]) -> Rewritten:
    here, there = split(tree.body)
    if not there:
        return Rewritten(_here(tree), "local", "")
    names = scopes.names_of(there)
    is_async = any(scopes.has_await(statement) for statement in there)
    assigned = sorted(names.bound | names.deleted)
    statements = at_module_level(there, meaning.is_builtin)
    last = statements[-1]
    if isinstance(last, ast.Expr):
        statements[-1] = ast.copy_location(ast.Return(last.value), last)
    declared: list[ast.stmt] = [ast.copy_location(ast.Global(assigned), there[0])] if assigned else []
    cell = function(CELL, [], [*declared, *mention(named_in_texts(there), meaning.namespace, there[0]), *statements], is_async=is_async, at=there[0])
    lists = [ast.Constant(tuple(sorted(part))) for part in (names.bound, names.deleted)]
    call = run_call("call", there[0], ast.Name(CELL, ast.Load()), *lists)
    body = [*here, cell, ast.copy_location(ast.Expr(call), there[0])]
    made = ast.fix_missing_locations(ast.Module(clocked(tree.body[0], tree.body[-1], body, run_call), tree.type_ignores))
    note, line = _why(refused, len(there))
    steps = [*(_step(statement, "here") for statement in here), *(_step(statement, "call") for statement in there)]
    return Rewritten(made, "call", "cell", steps if len(steps) > 1 else (), note, line)


def _here(tree: ast.Module) -> ast.Module:
    body = [made for statement in tree.body for made in clocked(statement, statement, [statement], run_call)]
    return ast.fix_missing_locations(ast.Module(body, tree.type_ignores))


def _why(refused: Sequence[tuple[int, str]], statements: int) -> tuple[str, Optional[int]]:
    if refused:
        line, reason = refused[0]
        return f"One call: line {line} is no map, since {reason}.", line
    return ("One call: no statement of it calls a function for each of many inputs." if statements > 1 else "One call."), None
