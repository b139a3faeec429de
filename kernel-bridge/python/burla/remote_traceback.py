"""A traceback of another process, as one of this one: each of its lines is shown as if it had run here.

Files and cells of the client exist in the client, so that its own source is shown, in a notebook with its colours.
"""

from __future__ import annotations

from types import CodeType, TracebackType
from typing import Sequence

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
        return code.replace(**names, co_qualname=name, co_linetable=_without_columns(len(code.co_code) // 2))
    return code.replace(**names)


def _without_columns(units: int) -> bytes:
    """Entries of at most eight code units each, of the kind that has a line (the first one, plus 0) and no columns."""
    table = bytearray()
    while units > 0:
        count = min(8, units)
        table += bytes((0x80 | _LINE_ONLY << 3 | count - 1, 0))
        units -= count
    return bytes(table)


class _Marker(Exception):
    pass
