"""An exception and its attributes as values beside each other: one of them that cannot be read is no matter of the others."""

from __future__ import annotations

import copyreg
import pickle
from typing import Any, Mapping, Optional

from .interrupts import is_from_outside
from .pickling import dumps, is_reduced_by_itself, reduce_exception
from .values import FIXED, Limited, Unreadable, decode_each, in_short, without_limit


def state_of(error: BaseException) -> dict[str, Any]:
    """Its attributes."""
    return reduce_exception(error)[2] or {}


def may_be_apart(error: BaseException) -> bool:
    """Whether its class leaves it to pickle how it is written."""
    return not is_reduced_by_itself(type(error)) and type(error) not in copyreg.dispatch_table


def needs_apart(state: Mapping[str, Any]) -> bool:
    """Numbers and texts can be read everywhere."""
    return any(type(value) not in FIXED for value in state.values())


def write_apart(head: Any, state: Mapping[str, Any], bare: Optional[BaseException]) -> bytes:
    """Raises whatever cloudpickle raises. Reads nothing: what the code of a value does then is no matter of who writes it.

    :param bare: an exception that is written without attributes, wherever it stands in the values.
    """
    kinds = [(name, type(value).__qualname__) for name, value in state.items()]
    return dumps([head, kinds, *state.values()], bare=bare)


def read_bare(error: BaseException) -> BaseException:
    """Written and read without its attributes. Raises whatever its own code raises."""
    return pickle.loads(dumps([error], bare=error))[0]


def read_apart(data: bytes, limited: Limited[Any] = without_limit) -> tuple[Any, dict[str, Any]]:
    """The first value, and the attributes beside it: a text that says why for each that cannot be read here.

    Raises what reading the first value raises.
    """
    (head, *beside), _are_whole = decode_each(data, limited)
    if isinstance(head, Unreadable):
        raise head.error
    kinds, *values = beside or [[]]
    return head, {name: _told(kind, value) for (name, kind), value in zip(kinds, values)}


def give_state(error: BaseException, state: Mapping[str, Any]) -> None:
    """Sets its attributes, as reading a pickle does."""
    for name, value in state.items():
        try:
            setattr(error, name, value)
        except BaseException as raised:
            if is_from_outside(raised):
                raise
            vars(error)[name] = value


def _told(kind: str, value: Any) -> Any:
    return f"<{kind} that cannot be read here: {in_short(value.error)}>" if isinstance(value, Unreadable) else value
