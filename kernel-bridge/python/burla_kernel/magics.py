"""Magics of a cell: what of them is code of the cell, and what only its own kernel can do."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Callable, Optional, Sequence

#: Magics that run code of the cell in ways that only their own kernel can.
RUN_CODE_HERE = {"timeit", "prun", "memit", "mprun", "lprun", "debug"}
#: Under which a statement says that the clock starts before it, or is read after it. Copies of a tree keep it.
_CLOCK = "burla_clock"


@dataclass(frozen=True)
class Magic:
    #: `get_ipython().run_cell_magic("time", "", "…")`, which IPython has made of it.
    call: ast.Call
    #: Without the percent signs.
    name: str
    #: The rest of its line.
    argument: str
    #: The lines below a cell magic.
    body: Optional[str]

    def __str__(self) -> str:
        return ("%" if self.body is None else "%%") + self.name


def is_shell(node: ast.AST) -> bool:
    """IPython has made `get_ipython().system("...")` of `!ls`, and likewise of `%magic`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("run_line_magic", "run_cell_magic", "system", "getoutput")
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == "get_ipython"
    )


def magic_of(statement: ast.stmt) -> Optional[Magic]:
    """Where the statement is one, and nothing else."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and is_shell(call) and isinstance(call.func, ast.Attribute) and call.func.attr.startswith("run_")):
        return None
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
    wanted = 3 if call.func.attr == "run_cell_magic" else 2
    return Magic(call, texts[0], texts[1], texts[2] if wanted == 3 else None) if len(texts) == len(call.args) == wanted else None


def as_written(statement: ast.stmt) -> str:
    """Its text, with magics and shell commands as the user has written them."""
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign)) else None
    texts = [str(argument.value) for argument in value.args if isinstance(argument, ast.Constant)] if isinstance(value, ast.Call) and is_shell(value) else []
    if not texts:
        return ast.unparse(statement)
    assert isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute)
    targets = "".join(f"{ast.unparse(target)} = " for target in statement.targets) if isinstance(statement, ast.Assign) else ""
    sign = {"run_line_magic": "%", "run_cell_magic": "%%"}.get(value.func.attr, "!")
    return f"{targets}{sign}{' '.join(texts[:2])}".rstrip()


def cell_magic(tree: ast.Module) -> Optional[Magic]:
    """`%%capture`, which has the rest of the cell as its text."""
    magic = magic_of(tree.body[0]) if len(tree.body) == 1 else None
    return magic if magic is not None and magic.body is not None else None


def runs_code_here(tree: ast.Module) -> Optional[Magic]:
    """The first `%timeit …` of the cell, or one of its kind."""
    found = (magic_of(statement) for statement in tree.body)
    return next((magic for magic in found if magic is not None and magic.body is None and magic.name in RUN_CODE_HERE), None)


# `%time` and `%%time`: what they measure is code of the cell like any other


def with_measured(tree: ast.Module, parse: Callable[[str], ast.Module]) -> ast.Module:
    """With the statements that `%%time` and `%time` measure in their place, on their own lines. `parse` reads code of a cell."""
    body: list[ast.stmt] = []
    for statement in tree.body:
        measured = _measured(statement, parse)
        if measured:
            _tell(measured[0], "start")
            _tell(measured[-1], "end")
        body += measured or [statement]
    return ast.Module(body, tree.type_ignores)


def _measured(statement: ast.stmt, parse: Callable[[str], ast.Module]) -> list[ast.stmt]:
    magic = magic_of(statement)
    if magic is None or magic.name != "time":
        return []
    if magic.body is not None and magic.argument.strip():
        # Options, which later versions have.
        return []
    text, line = (magic.argument, statement.lineno - 1) if magic.body is None else (magic.body, statement.lineno)
    try:
        code = parse(text)
    except SyntaxError:
        return []
    ast.increment_lineno(code, line)
    return with_measured(code, parse).body


def _tell(statement: ast.stmt, what: str) -> None:
    setattr(statement, _CLOCK, {*getattr(statement, _CLOCK, ()), what})


def measured_part(body: Sequence[ast.stmt]) -> Optional[ast.stmt]:
    """The first statement that is measured, where not all of them are measured as one."""
    told = [statement for statement in body if hasattr(statement, _CLOCK)]
    marks = sum(len(getattr(statement, _CLOCK)) for statement in told)
    is_whole = marks == 2 and "start" in getattr(body[0], _CLOCK, ()) and "end" in getattr(body[-1], _CLOCK, ())
    return None if not told or is_whole else told[0]


def clocked(first: ast.stmt, last: ast.stmt, made: list[ast.stmt], run_call: Callable[..., ast.expr]) -> list[ast.stmt]:
    """What was made of the statements from `first` to `last`, with the clock where they are measured."""
    if "start" in getattr(first, _CLOCK, ()):
        made = [ast.copy_location(ast.Expr(run_call("start_clock", first)), first), *made]
    if "end" not in getattr(last, _CLOCK, ()):
        return made
    end = made[-1]
    if isinstance(end, ast.Expr):
        # The value is shown after the time, as it is by the magic.
        return [*made[:-1], ast.copy_location(ast.Expr(run_call("read_clock", end, end.value)), end)]
    return [*made, ast.copy_location(ast.Expr(run_call("read_clock", end)), end)]
