"""What has come of the calls of an executor or a pool. The next run of the cell makes them anew, and knows each by its function and arguments."""

from __future__ import annotations

import hashlib
import pickle
from collections import deque
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple, Optional

from .keep import MISSING, Kept
from .view import MAX_FAILURES


class Outcome(NamedTuple):
    """Of a call in the run before: `is_open` where it is to run again."""

    value: Any
    error: Optional[BaseException]
    is_open: bool


class KeptCalls(Kept):
    """In the order in which they are made. `shape`: `calls`, or `batches` where each gives a list, as joblib's do."""

    def __init__(self, shape: str, earlier: Optional["KeptCalls"] = None, only: tuple[int, ...] = ()) -> None:
        super().__init__((), None, shape)
        self._keys: list[Optional[bytes]] = []
        #: What the run before has, by call. Equal calls are taken in their order.
        self._before: dict[bytes, deque[Outcome]] = {} if earlier is None else earlier._outcomes(only)
        #: Calls of the job, by their index in it.
        self._sent: list[int] = []

    def place(self, key: Optional[bytes]) -> tuple[int, Optional[Outcome]]:
        """The number of one more call, and what has come of it in the run before; None: it is to be sent."""
        index = len(self._keys)
        self._keys.append(key)
        waiting = self._before.get(key) if key is not None else None
        outcome = waiting.popleft() if waiting else None
        if outcome is None or outcome.is_open:
            self._sent.append(index)
            return index, None
        if outcome.error is None:
            self.fulfil(index, outcome.value)
        else:
            self.reject(index, outcome.error)
        return index, outcome

    def index_of(self, job_index: int) -> int:
        return self._sent[job_index]

    def shown(self, value: Any) -> Any:
        return value[0] if self.shape == "batches" and len(value) == 1 else value

    @property
    def has_sent(self) -> bool:
        return bool(self._sent)

    def _outcomes(self, only: tuple[int, ...]) -> dict[bytes, deque[Outcome]]:
        """None of them, or as many as a cell shows, means all that have failed. What was not made in this run is still known from the one before."""
        is_all = not only or len(only) >= MAX_FAILURES
        made: dict[bytes, deque[Outcome]] = {}
        for index, key in enumerate(self._keys):
            if key is None:
                continue
            value = self.values[index] if index < len(self.values) else MISSING
            error = self.failures.get(index)
            is_open = (value is MISSING and error is None) or (error is not None and (is_all or index in only))
            made.setdefault(key, deque()).append(Outcome(value, error, is_open))
        for key, outcomes in self._before.items():
            made.setdefault(key, deque()).extend(outcomes)
        return made


def key_of(call: Any) -> Optional[bytes]:
    """The same for the same call in another run of the cell, also when a function of this name is another one by then. None: it cannot be told."""
    text = _Text()
    try:
        _Keys(text, 5).dump(call)
    except Exception:
        # Of arguments that cannot be pickled nobody knows whether they are the same.
        return None
    return text.hash.digest()


class _Text:
    """Only the hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=16)

    def write(self, part: Any) -> None:
        self.hash.update(part)


class _Keys(pickle.Pickler):
    """Functions, classes and modules by their names; what a function holds on to counts as arguments do."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, FunctionType):
            held = tuple(cell.cell_contents for cell in value.__closure__ or ())
            return tuple, ((value.__module__, value.__qualname__, _text_of(value.__code__), held, value.__defaults__),)
        if isinstance(value, ModuleType):
            return str, (value.__name__,)
        if isinstance(value, type) and value.__module__ != "builtins":
            return str, (f"{value.__module__}.{value.__qualname__}",)
        return NotImplemented


def _text_of(code: CodeType) -> Any:
    """Of a lambda, whose name tells nothing, what it does."""
    if code.co_name != "<lambda>":
        return None
    constants = tuple(_text_of(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.co_code, code.co_names, constants
