"""A value as it was when it was returned: the function may change it in its next call, before it is sent."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

from burla_protocol.interrupts import is_from_outside
from burla_protocol.pickling import dumps
from burla_protocol.values import Frozen


def as_it_is_now(value: Any) -> Any:
    try:
        return frozen(value)
    except BaseException as error:
        if is_from_outside(error):
            raise
        # Told with its path when it is sent.
        return value


def frozen(value: Any) -> Any:
    """Stands for the value in a pickle, and calls none of its code any more. Raises what pickling it raises."""
    return Frozen(dumps(value))


def _own_references() -> int:
    value: list[int] = []
    return getrefcount(value)


#: What `getrefcount` says of a value that a local variable holds and nobody else: it differs between versions of Python.
OWN_REFERENCES = _own_references()
