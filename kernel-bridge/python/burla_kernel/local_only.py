"""What of a cell can only run in its own kernel: magics, shell commands and what has to stand at the top."""

from __future__ import annotations

import ast
from typing import Optional, Sequence

from . import names as scopes

#: Magics that hand their argument in as code of the cell.
_RUN_CODE = {"time", "timeit"}


class Refusal(Exception):
    """Why this cell cannot run on a cluster, and what to do."""


def split(body: Sequence[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """What runs here: imports, definitions, magics and shell commands at the top. The rest runs on a worker.

    Raises Refusal.
    """
    at = 0
    while at < len(body) and _belongs_here(body[at]):
        at += 1
    here, there = list(body[:at]), list(body[at:])
    _refuse_what_is_local(there)
    return here, there


def _belongs_here(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
        return True
    return _shell_call(statement) is not None and not _is_cell_magic(statement)


def _refuse_what_is_local(statements: Sequence[ast.stmt]) -> None:
    for statement in statements:
        if _is_cell_magic(statement):
            raise Refusal("A cell with a %%magic cannot run on the cluster. Remove that line, or run the cell here.")
        for node in scopes.own_nodes(statement):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                raise Refusal(f"Line {node.lineno}: `from {node.module} import *` has to stand at the top of the cell, or in a cell of its own.")
            if _is_shell(node):
                raise Refusal(
                    f"Line {getattr(node, 'lineno', 1)}: magics and shell commands run in this kernel only. "
                    "Move this line to the top of the cell, or to a cell of its own."
                )


def is_measured(tree: ast.Module) -> bool:
    """`%%time`, or a line `%time …`: the magic runs code of the cell, which is then handed in by itself."""
    return any(_magic_name(statement) in _RUN_CODE for statement in tree.body)


def _magic_name(statement: ast.stmt) -> object:
    call = _shell_call(statement)
    return call.args[0].value if call is not None and call.args and isinstance(call.args[0], ast.Constant) else None


def _is_shell(node: ast.AST) -> bool:
    """IPython has made `get_ipython().system("...")` of `!ls`, and likewise of `%magic`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("run_line_magic", "run_cell_magic", "system", "getoutput")
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == "get_ipython"
    )


def _shell_call(statement: ast.stmt) -> Optional[ast.Call]:
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign)) else None
    return value if isinstance(value, ast.Call) and _is_shell(value) else None


def _is_cell_magic(statement: ast.stmt) -> bool:
    call = _shell_call(statement)
    return call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "run_cell_magic"
