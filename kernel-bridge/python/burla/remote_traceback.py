"""A traceback of another process, as one of this one: each of its lines is shown as if it had run here.

Files and cells of the client exist in the client, so that its own source is shown, in a notebook with its colours.
"""

from __future__ import annotations

import linecache
import re
from types import CodeType, TracebackType
from typing import Iterator, Sequence

_RAISE = "raise __burla_error__"
_MAX_FRAMES = 100
#: Kind of an entry in CPython's table of locations.
_LINE_ONLY = 13


def attach_frames(error: BaseException, frames: Sequence[tuple[str, int, str]]) -> None:
    """Gives the error a traceback with these frames (file, line, function), the innermost last."""
    trace: TracebackType | None = None
    for file, line, name in reversed(list(frames)[-_MAX_FRAMES:]):
        trace = _entry(trace, file, max(1, line), name)
    error.__traceback__ = trace


def _entry(following: TracebackType | None, file: str, line: int, name: str) -> TracebackType:
    """An entry needs a frame, and a frame comes from code that runs: it has the name and place of the other one."""
    code = _placed(compile(_RAISE, file, "exec"), file, line, name)
    try:
        exec(code, {"__name__": name, "__file__": file, "__burla_error__": _Marker()})
    except _Marker as marker:
        own = marker.__traceback__
        inner = own.tb_next if own is not None else None
        assert inner is not None
        return TracebackType(following, inner.tb_frame, inner.tb_lasti, line)
    raise AssertionError("the code raises")


def _placed(code: CodeType, file: str, line: int, name: str) -> CodeType:
    names = {"co_filename": file, "co_firstlineno": line, "co_name": name}
    if hasattr(code, "co_qualname"):
        # Python 3.11 and later: without columns, which would be those of `raise` in this file.
        first = _first_line(file, line, name)
        names["co_firstlineno"] = first
        return code.replace(**names, co_qualname=name, co_linetable=_without_columns(len(code.co_code) // 2, line - first))
    return code.replace(**names)


def _first_line(file: str, line: int, name: str) -> int:
    """Where the function begins: by that, newer versions of IPython number the lines that they show of it."""
    if name == "<module>":
        return 1
    lines = linecache.getlines(file)
    head = re.compile(rf"\s*(async\s+)?def\s+{re.escape(name)}\b")
    return next((at for at in range(min(line, len(lines)), 0, -1) if head.match(lines[at - 1])), line)


def _without_columns(units: int, lines: int) -> bytes:
    """Entries of at most eight code units each, of the kind without columns, all on the line that is so many below the first."""
    table = bytearray()
    while units > 0:
        count = min(8, units)
        table += bytes((0x80 | _LINE_ONLY << 3 | count - 1, *_varint(lines << 1)))
        # Each is told from the one before.
        units, lines = units - count, 0
    return bytes(table)


def _varint(value: int) -> Iterator[int]:
    """Six bits in each byte, the lowest first."""
    while value > 0x3F:
        yield 0x40 | value & 0x3F
        value >>= 6
    yield value


class _Marker(Exception):
    pass
