"""What of a cell can only run in its own kernel: magics, shell commands and what has to stand at the top."""

from __future__ import annotations

import ast
from typing import Sequence

from . import names as scopes
from .magics import is_shell, measured_part


class Refusal(Exception):
    """Why this cell cannot run on a cluster, and what to do."""


class RunsHere(Exception):
    """Why this cell runs in its own kernel, as it is."""


def split(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """What runs here: imports, definitions, magics and shell commands at the top. The rest runs on a worker.

    Raises Refusal, or RunsHere.
    """
    part = measured_part(body)
    if part is not None:
        raise RunsHere(f"line {part.lineno}: %time measures a part of a cell on the cluster only where that part is a map")
    at = 0
    while at < len(body) and _belongs_here(body[at]):
        at += 1
    here, there = list(body[:at]), list(body[at:])
    _check(there)
    return here, there


def _belongs_here(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
        return True
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign)) else None
    return value is not None and is_shell(value)


def _check(statements: Sequence[ast.stmt]) -> None:
    for statement in statements:
        for node in scopes.own_nodes(statement):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                raise Refusal(f"Line {node.lineno}: `from {node.module} import *` has to stand at the top of the cell, or in a cell of its own.")
            if is_shell(node):
                raise RunsHere(f"line {getattr(node, 'lineno', 1)}: magics and shell commands run in this kernel only. With this line at the top, or in a cell of its own, the rest can run on the cluster")
