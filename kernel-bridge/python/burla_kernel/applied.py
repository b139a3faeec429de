"""`series.apply(f)`, `df.apply(f, axis=1)`, `groupby(…).apply(f)` on a cluster.

Pandas itself says what the function is called with, and what becomes of its results: it is run twice, with a function that
notes its arguments, and with one that gives the results in turn.
"""

from __future__ import annotations

import functools
import warnings
from types import FunctionType, MethodType
from typing import Any, Callable, Sequence

from .spread import is_pandas

MapValues = Callable[[Callable[..., Any], list[Any]], list[Any]]


def method(receiver: Any, name: str, map_values: MapValues, on_worker: Callable[[Any], Any]) -> Callable[..., Any]:
    """`on_worker` makes a function of one input of a function of noted arguments."""
    own = getattr(receiver, name)

    def call(function: Any, *arguments: Any, **options: Any) -> Any:
        if not is_pandas(receiver) or not isinstance(function, (FunctionType, MethodType, functools.partial)):
            return own(function, *arguments, **options)
        noted = _note(own, arguments, options)
        if not noted:
            return own(function, *arguments, **options)
        try:
            results = map_values(on_worker(function), noted)
        except TypeError:
            # Pandas calls a grouping's function anew, without the column of the groups, when it raises this.
            if not hasattr(receiver, "grouper") and not hasattr(receiver, "_grouper"):
                raise
            return own(function, *arguments, **options)
        return own(_in_turn(results), *arguments, **options)

    return call


def _note(own: Callable[..., Any], arguments: Sequence[Any], options: dict[str, Any]) -> list[Any]:
    """Empty where it cannot be told."""
    noted: list[Any] = []

    def note(value: Any, *others: Any, **named: Any) -> None:
        noted.append((_kept(value), _group_name(value), others, named))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own(note, *arguments, **options)
    except Exception:
        return []
    return noted


def _kept(value: Any) -> Any:
    """Rows and groups are used again by pandas for the next one."""
    return value.copy() if is_pandas(value) else value


def _group_name(value: Any) -> tuple[Any, ...]:
    """Pandas writes it on a group; it is no part of what a frame is, and would not travel."""
    return (value.name,) if is_pandas(value) and "name" in vars(value) else ()


def _in_turn(results: list[Any]) -> Callable[..., Any]:
    left = iter(results)
    return lambda *_arguments, **_options: next(left)
