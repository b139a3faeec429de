"""The call that is running: told by the worker, asked for by `burla.context()` and by whatever is printed."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Optional, Tuple

#: Index and attempt.
Call = Tuple[int, int]

#: In the place of an index: the function `setup` runs. As in `protocol/src/messages.ts`.
SETUP_INDEX = -2

_current: ContextVar[Optional[Call]] = ContextVar("burla_call", default=None)
#: For threads that the user's code has started, which have no context of a call.
_latest: Optional[Call] = None
#: What the function `setup` has given in this worker.
_worker: Any = None


def enter(index: int, attempt: int) -> None:
    """From here on, in this context, it is this call."""
    global _latest
    _latest = (index, attempt)
    _current.set(_latest)


def leave() -> None:
    """From here on it is none."""
    global _latest
    _latest = None
    _current.set(None)


def current() -> Call | None:
    """None outside of any call."""
    return _current.get() or _latest


def set_worker(value: Any) -> None:
    global _worker
    _worker = value


def worker() -> Any:
    """None without a function `setup`."""
    return _worker
