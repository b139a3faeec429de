"""What is said of a function whose captured values are too many to be sent: which of them is the largest."""
from __future__ import annotations

import inspect
import sys
from types import CodeType
from typing import Any, Callable, Iterator, Optional

from burla_protocol.frames import MAX_FUNCTION_BYTES

from .errors import BurlaError


def too_large(function: Callable[..., Any], size: int) -> BurlaError:
    """BURLA_TOO_LARGE, with the name of what should be read elsewhere."""
    message = f"the function and what it captured have {bytes_text(size)}, over the limit of {bytes_text(MAX_FUNCTION_BYTES)}"
    largest = _largest(function)
    if largest is None:
        return BurlaError("BURLA_TOO_LARGE", message)
    name, length = largest
    cure = f"Read {name} in the function, or in setup, from a file or a URL; or give each input its own part of it."
    return BurlaError("BURLA_TOO_LARGE", f"{message}; {name} alone has {bytes_text(length)}", cure)


def bytes_text(size: float) -> str:
    """Such as `512 B`, `4.0 KiB`, `12 MiB`."""
    if size < 1024:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024 or unit == "GiB":
            break
    return f"{size:.0f} {unit}" if size >= 10 else f"{size:.1f} {unit}"


def _largest(function: Callable[..., Any]) -> Optional[tuple[str, int]]:
    sizes = [(name, _size_of(value)) for name, value in _captured(function, set())]
    return max(sizes, key=lambda pair: pair[1], default=None)


def _captured(function: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """What the function and those that it calls take from their scripts, by name."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    if id(function) in seen or not inspect.isfunction(function):
        return
    seen.add(id(function))
    closed = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
    found = {name: cell.cell_contents for name, cell in closed.items() if _is_full(cell)}
    found.update({name: function.__globals__[name] for name in _names_in(function.__code__) if name in function.__globals__})
    found.update(function.__kwdefaults__ or {})
    found.update(zip(reversed(function.__code__.co_varnames[: function.__code__.co_argcount]), reversed(function.__defaults__ or ())))
    for name, value in found.items():
        if inspect.isfunction(value):
            yield from _captured(value, seen)
        elif not inspect.ismodule(value):
            yield name, value


def _names_in(code: CodeType) -> set[str]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _size_of(value: Any) -> int:
    """About, without a copy: arrays and frames say it themselves, containers are counted by their members."""
    usage = getattr(value, "memory_usage", None)
    if callable(usage) and not isinstance(value, type):
        try:
            counted = usage(deep=True)
            return int(counted.sum() if hasattr(counted, "sum") else counted)
        except Exception:
            pass
    own = getattr(value, "nbytes", None)
    if isinstance(own, int):
        return own
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(_shallow(key) + _shallow(member) for key, member in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sys.getsizeof(value) + sum(map(_shallow, value))
    return sys.getsizeof(value)


def _shallow(value: Any) -> int:
    own = getattr(value, "nbytes", None)
    return own if isinstance(own, int) else sys.getsizeof(value)
