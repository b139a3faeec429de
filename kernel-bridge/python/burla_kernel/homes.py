"""Functions and classes that a cell has defined on a worker: made to read the names of this session, as if defined here."""

from __future__ import annotations

import functools
from types import FunctionType
from typing import Any

from burla_protocol.pickling import cached


def rehomed(value: Any, namespace: dict[str, Any]) -> Any:
    """The value itself, where it is neither."""
    if isinstance(value, type):
        return _rehomed_class(value, namespace)
    if type(value) is functools._lru_cache_wrapper and value.__module__ == "__main__":
        parameters = value.cache_parameters()
        return cached(rehomed(value.__wrapped__, namespace), parameters["maxsize"], parameters["typed"])
    # Not by its `__module__`: what `dataclass` generates says that of the class, and reads the names of `dataclasses`.
    if type(value) is not FunctionType or value.__globals__.get("__name__") != "__main__" or value.__globals__ is namespace:
        return value
    home = FunctionType(value.__code__, namespace, value.__name__, value.__defaults__, value.__closure__)
    home.__kwdefaults__, home.__qualname__, home.__doc__ = value.__kwdefaults__, value.__qualname__, value.__doc__
    home.__dict__.update(value.__dict__)
    home.__annotations__ = value.__annotations__
    return home


def _rehomed_class(kind: type, namespace: dict[str, Any]) -> type:
    """The same class, with its methods at home."""
    if kind.__module__ != "__main__":
        return kind
    for name, member in list(vars(kind).items()):
        if isinstance(member, (staticmethod, classmethod)):
            home: Any = type(member)(rehomed(member.__func__, namespace))
        elif type(member) is property:
            home = property(*(rehomed(part, namespace) for part in (member.fget, member.fset, member.fdel)), member.__doc__)
        elif type(member) is FunctionType:
            home = rehomed(member, namespace)
        else:
            continue
        setattr(kind, name, home)
    return kind
