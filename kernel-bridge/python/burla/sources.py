"""Texts of the user's files and cells that a function comes from: a worker shows their lines in tracebacks."""

from __future__ import annotations

import linecache
from types import CodeType
from typing import Any, Iterable, Iterator

from .modules import is_installed

_MAX_CHARACTERS = 4 * 1024 * 1024


def sources_of(*functions: Any) -> dict[str, str]:
    texts: dict[str, str] = {}
    size = 0
    for file in _files_of(functions):
        text = "".join(linecache.getlines(file))
        size += len(text)
        if text and size <= _MAX_CHARACTERS:
            texts[file] = text
    return texts


def _files_of(functions: Iterable[Any]) -> Iterator[str]:
    """Files of functions and of the functions that it names, as far as they are the user's."""
    seen: set[int] = set()
    files: set[str] = set()
    waiting: list[Any] = list(functions)
    while waiting:
        value = _plain(waiting.pop())
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, type):
            waiting.extend(part for part in list(vars(value).values()) if callable(part))
            continue
        code = getattr(value, "__code__", None)
        if not isinstance(code, CodeType) or is_installed(code.co_filename):
            continue
        if code.co_filename not in files:
            files.add(code.co_filename)
            yield code.co_filename
        waiting.extend(_named_by(value, code))


def _plain(value: Any) -> Any:
    """The function of a partial, or of a method."""
    for name in ("func", "__func__"):
        try:
            value = getattr(value, name, value)
        except Exception:
            return value
    return value


def _named_by(function: Any, code: CodeType) -> Iterator[Any]:
    known = getattr(function, "__globals__", {})
    for name in code.co_names:
        if name in known:
            yield known[name]
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue
