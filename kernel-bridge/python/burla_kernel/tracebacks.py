"""What a traceback shows of a cell that ran on a cluster: the lines of its user, as if all of it had run here."""

from __future__ import annotations

import ast
import builtins
import concurrent.futures._base
import pickle
import queue
import re
import sys
import threading
from types import TracebackType
from typing import Callable, Iterator, Optional

#: How the files of all modules begin that live in the memory of a kernel, and that of what runs around a cell on its worker.
OWN_FILES = "<burla"
#: The function that a whole cell, or the turn of a loop, becomes: what it runs stands outside of functions in the cell.
CELL = "<module>"
#: What our frames call on the way to the cluster.
_MACHINERY_FILES = tuple(module.__file__ for module in (concurrent.futures._base, pickle, queue, threading))
_CLOUDPICKLE = re.compile(r"[\\/]cloudpickle[\\/]\w+\.py$")
_GROUPS = getattr(builtins, "BaseExceptionGroup", ())

#: `Cell In [3]` for a file that is a cell; None for others.
Title = Callable[[str], Optional[str]]


def element_name(comprehension: type) -> str:
    """Under which this Python shows the element of a comprehension, by the class of its syntax tree."""
    if comprehension.__name__ == "GeneratorExp":
        return "<genexpr>"
    # From Python 3.12 on it has no frame of its own.
    return CELL if sys.version_info >= (3, 12) else f"<{comprehension.__name__.lower()}>"


#: Names of functions that are pieces of a cell.
PIECES = {CELL, *map(element_name, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))}


def only_of_the_user(error: BaseException) -> BaseException:
    """Takes our frames out of its traceback, and out of those of its causes. The first entry stays where there is no other."""
    for each in _with_causes(error):
        entries = _kept(each.__traceback__)
        for entry, following in zip(entries, [*entries[1:], None]):
            entry.tb_next = following
        each.__traceback__ = entries[0] if entries else None
    return error


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    open_ = [error]
    while open_:
        each = open_.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        parts = each.exceptions if isinstance(each, _GROUPS) else ()
        open_ += [linked for linked in (each.__cause__, each.__context__, *parts) if linked is not None]


def _kept(trace: Optional[TracebackType]) -> list[TracebackType]:
    kept: list[TracebackType] = []
    is_in_ours = has_left = False
    while trace is not None:
        file, name = trace.tb_frame.f_code.co_filename, trace.tb_frame.f_code.co_name
        is_in_ours = file.startswith(OWN_FILES) or (is_in_ours and _is_machinery(file))
        if is_in_ours:
            has_left = True
        else:
            # The line that calls the cluster stands for those that ran there.
            if has_left and name == CELL and kept and _place(kept[-1]) == (file, CELL):
                kept.pop()
            kept.append(trace)
            has_left = False
        trace = trace.tb_next
    return kept


def _place(trace: TracebackType) -> tuple[str, str]:
    return trace.tb_frame.f_code.co_filename, trace.tb_frame.f_code.co_name


def _is_machinery(file: str) -> bool:
    return file in _MACHINERY_FILES or _CLOUDPICKLE.search(file) is not None


def titled(text: str, title: Title) -> str:
    """With the names that cells have for people, in the place of the files that they have for Python."""

    def of(match: "re.Match[str]") -> str:
        name = title(match[1])
        return match[0] if name is None else f"{name}, line"

    return re.sub(r'File "([^"\n]+)", line', of, text)
