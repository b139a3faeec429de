"""User values <-> opaque bytes, by cloudpickle; all values of a chunk together."""

from __future__ import annotations

import io
import pickle
from typing import Any, Callable, Iterator, NamedTuple, Optional, Sequence, TypeVar

from .interrupts import TookTooLong, is_from_outside
from .pickling import dumps
from .pieces import Pieces

T = TypeVar("T")
#: Runs what reads values, told whether these are several. May raise TookTooLong.
Limited = Callable[[Callable[[], T], bool], T]

#: Types whose values cannot change.
FIXED = frozenset({int, float, str, bytes, bool, complex, type(None)})
#: Steps from a value to what cannot be sent of it: a longer path helps nobody.
_MAX_STEPS = 20
_MAX_PARTS = 10_000
#: Packages whose lines say nothing to whoever wrote the value.
_OURS = ("burla", "burla_protocol", "burla_worker")


def encode_values(values: Sequence[Any]) -> bytes:
    """Raises whatever cloudpickle raises for what it cannot pickle; `find_unpicklable` names the culprit."""
    return dumps(list(values))


def decode_values(data: bytes | memoryview) -> list[Any]:
    return pickle.loads(data)


class Frozen:
    """Stands in a pickle for the value that these bytes hold. Writing it calls no code of the value's."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __reduce__(self):
        return pickle.loads, (self._data,)


class Unreadable(NamedTuple):
    """In the place of a value whose own code has raised something."""

    error: BaseException


def without_limit(read: Callable[[], T], _are_several: bool) -> T:
    """For values that may take as long as they like."""
    return read()


def decode_each(data: bytes | memoryview, limited: Limited[Any] = without_limit) -> tuple[list[Any], bool]:
    """All values, and whether all could be had: an `Unreadable` stands for each whose own code has raised something, or took
    too long.

    Fast unless there is such a value. Raises only what comes from outside.
    """
    try:
        return limited(lambda: decode_values(data), not is_one_value(data)), True
    except BaseException as error:
        has_no_time = isinstance(error, TookTooLong)
        if is_from_outside(error) and not has_no_time:
            raise
        pieces = Pieces(data)
        if has_no_time and len(pieces) == 1:
            return [Unreadable(error)], False
        values = [_decode_one(pieces, at, limited) for at in range(len(pieces))]
        are_whole = not any(type(value) is Unreadable for value in values)
        if are_whole and not isinstance(error, (Exception, TookTooLong)):
            # None of them has raised it: a handler of a signal has.
            raise
        return values, are_whole


def _decode_one(pieces: Pieces, at: int, limited: Limited[Any]) -> Any:
    try:
        return limited(lambda: pieces.value(at), False)
    except BaseException as error:
        if is_from_outside(error) and not isinstance(error, TookTooLong):
            raise
        return Unreadable(error)


def decode_data(data: bytes | memoryview) -> Optional[list[Any]]:
    """The values, when reading them calls no code; else None, with nothing called."""
    try:
        return _DataUnpickler(io.BytesIO(data)).load()
    except _NoData:
        return None


class _NoData(Exception):
    pass


class _DataUnpickler(pickle.Unpickler):
    def find_class(self, _module: str, _name: str) -> Any:
        """What is called is named first."""
        raise _NoData


def is_one_value(data: bytes | memoryview) -> bool:
    """Whether a pickled list has one value: the last instruction before the end appends it, and no others with it."""
    return data[-2:] == pickle.APPEND + pickle.STOP


def is_picklable(value: Any) -> bool:
    return why_unpicklable(value) is None


def why_unpicklable(value: Any) -> BaseException | None:
    """What pickling it raises; code of the user's may run, and raise anything."""
    try:
        encode_values([value])
    except BaseException as error:
        if is_from_outside(error):
            raise
        return error
    return None


def find_unpicklable(value: Any) -> tuple[str, str] | None:
    """Where in a value the first part lies that cannot be pickled (such as `.owner[3]`), and what it is.

    For messages only: each part on the way is pickled once for each step above it.
    """
    reason = why_unpicklable(value)
    if reason is None:
        return None
    path = ""
    seen = {id(value)}
    for _ in range(_MAX_STEPS):
        found = next(_bad_parts(value, seen), None)
        if found is None:
            break
        step, value, reason = found
        seen.add(id(value))
        path += step
    return path, f"{_article(type(value).__qualname__)} ({_first_line(reason)})"


def _bad_parts(value: Any, seen: set[int]) -> Iterator[tuple[str, Any, BaseException]]:
    for count, (step, part) in enumerate(_parts(value)):
        if count >= _MAX_PARTS:
            return
        reason = None if id(part) in seen else why_unpicklable(part)
        if reason is not None:
            yield step, part, reason


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield f"[{_short(key)}]", part
    elif isinstance(value, (list, tuple)):
        for at, part in enumerate(value):
            yield f"[{at}]", part
    elif isinstance(value, (set, frozenset)):
        for part in value:
            yield f"{{{_short(part)}}}", part
    state = getattr(value, "__dict__", None)
    if isinstance(state, dict) and not isinstance(value, type):
        for name, part in list(state.items()):
            yield f".{name}", part
    for name, part in _closure(value):
        yield f" → {name}", part


def _closure(value: Any) -> Iterator[tuple[str, Any]]:
    """What a function holds: the values of its closure, and the globals that it names."""
    code = getattr(value, "__code__", None)
    if code is None:
        return
    for name, cell in zip(code.co_freevars, getattr(value, "__closure__", None) or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue
    known = getattr(value, "__globals__", {})
    for name in code.co_names:
        if name in known:
            yield name, known[name]


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except BaseException as error:
        if is_from_outside(error):
            raise
        text = type(value).__qualname__
    return text if len(text) <= 60 else f"{text[:59]}…"


def in_short(error: BaseException) -> str:
    """Its class, its first line, and the place that raised it."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if trace.tb_frame.f_globals.get("__package__") not in _OURS:
            place = f" (in {code.co_name}, {code.co_filename}:{trace.tb_lineno})"
        trace = trace.tb_next
    if isinstance(error, TookTooLong):
        told = f" ({error.args[0]})" if error.args and error.args[0] else ""
        return f"it took longer than `timeout_s`{told or place}"
    name, text = type(error).__name__, _first_line(error)
    return f"{name if text == name else f'{name}: {text}'}{place}"


def _first_line(error: BaseException) -> str:
    try:
        text = str(error).strip().split("\n", 1)[0]
    except Exception:
        text = ""
    text = text or type(error).__name__
    return text if len(text) <= 200 else f"{text[:199]}…"


def _article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"
