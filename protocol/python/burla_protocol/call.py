"""The call that is running: told by the worker, asked for by `burla.context()` and by whatever is printed."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Optional, Tuple

#: Index and attempt.
Call = Tuple[int, int]

_current: ContextVar[Optional[Call]] = ContextVar("burla_call", default=None)
#: For threads that the user's code has started, which have no context of a call.
_latest: Optional[Call] = None


def enter(index: int, attempt: int) -> None:
    """From here on, in this context, it is this call."""
    global _latest
    _latest = (index, attempt)
    _current.set(_latest)


def current() -> Call | None:
    """None outside of any call."""
    return _current.get() or _latest
