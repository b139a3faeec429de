"""An input as it was when its generator gave it: a row or a buffer may be filled anew before it is sent."""

from __future__ import annotations

from typing import Any

from burla_protocol.values import FIXED


def as_given(value: Any) -> Any:
    """Copies containers and arrays, and what is in them of those; an object of another class is taken for made for its input."""
    if type(value) in FIXED:
        return value
    try:
        return _copied(value, {})
    except RecursionError:
        # Told when it is sent.
        return value


def _copied(value: Any, known: dict[int, Any]) -> Any:
    """Parts that are shared stay shared."""
    kind = type(value)
    if kind in FIXED:
        return value
    if id(value) in known:
        return known[id(value)]
    copy: Any = value
    if kind is dict:
        copy = known[id(value)] = {}
        copy.update((key, _copied(part, known)) for key, part in value.items())
    elif kind is list:
        copy = known[id(value)] = []
        copy.extend(_copied(part, known) for part in value)
    elif kind is tuple:
        copy = tuple(_copied(part, known) for part in value)
    elif kind is set or kind is bytearray or (kind.__module__ == "numpy" and kind.__name__ == "ndarray"):
        copy = value.copy()
    known[id(value)] = copy
    return copy
