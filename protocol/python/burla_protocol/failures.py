"""Exceptions <-> envelopes, the form in which errors travel (`protocol/src/envelope.ts`, kind `python`)."""

from __future__ import annotations

import pickle
import traceback
from types import TracebackType
from typing import Any, Callable

from .values import encode_values, is_picklable

#: As in `protocol/src/limits.ts`.
MAX_ERROR_TEXT_BYTES = 64 * 1024
MAX_ERROR_DEPTH = 8
MAX_ERRORS_IN_ENVELOPE = 1000

#: File, line, function.
Frame = "tuple[str, int, str]"


def burla_failure(code: str, message: str) -> dict[str, Any]:
    """The envelope of an error of Burla's own."""
    return {"kind": "burla", "code": code, "message": _clip(message)}


def to_envelope(error: BaseException, is_ours: Callable[[str], bool] = lambda _file: False) -> dict[str, Any]:
    """Any exception as an envelope. Never raises.

    :param is_ours: whether a file is a part of Burla: its frames at the outer end are left out.
    """
    return _Packer(is_ours).pack(error, [])


class _Packer:
    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours
        self._left = MAX_ERRORS_IN_ENVELOPE

    def pack(self, error: BaseException, path: list[BaseException]) -> dict[str, Any]:
        self._left -= 1
        path = [*path, error]
        inner = self._inner(error.__traceback__)
        return {
            "kind": "python",
            "name": _clip(type(error).__name__),
            "message": _clip(_text(error)),
            "stack": _clip_middle(_stack(error, inner)),
            "cause": self._cause(error, path),
            "errors": self._members(error, path),
            "pickled": _pickled(error, inner),
        }

    def _cause(self, error: BaseException, path: list[BaseException]) -> dict[str, Any] | None:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return self.pack(cause, path) if cause is not None and self._may_hold(cause, path) else None

    def _members(self, error: BaseException, path: list[BaseException]) -> list[dict[str, Any]] | None:
        members = getattr(error, "exceptions", None) if _is_group(error) else None
        if not isinstance(members, tuple):
            return None
        return [self.pack(member, path) for member in members if self._may_hold(member, path)]

    def _may_hold(self, part: BaseException, path: list[BaseException]) -> bool:
        return self._left > 0 and len(path) < MAX_ERROR_DEPTH and not any(part is above for above in path)

    def _inner(self, trace: TracebackType | None) -> TracebackType | None:
        while trace is not None and self._is_ours(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        return trace


def _is_group(error: BaseException) -> bool:
    return any(base.__name__ == "BaseExceptionGroup" for base in type(error).__mro__)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(the message could not be read)"


def _stack(error: BaseException, trace: TracebackType | None) -> str:
    try:
        lines = traceback.format_tb(trace)
        last = traceback.format_exception_only(type(error), error)
        head = ["Traceback (most recent call last):\n"] if lines else []
        return "".join([*head, *lines, *last]).rstrip("\n")
    except Exception:
        return f"{type(error).__name__}: {_text(error)}"


def _pickled(error: BaseException, trace: TracebackType | None) -> bytes | None:
    frames = [(frame.filename, frame.lineno or 0, frame.name) for frame in traceback.extract_tb(trace)[-100:]]
    for form in (error, _StandIn(error)):
        try:
            data = encode_values([form])
            # Some exceptions are pickled without a word and cannot be unpickled, or come back with another message: their
            # class wants other arguments, and is called with those that it gave to its base.
            if _is_same(pickle.loads(data)[0], error) and len(data) <= 16 * MAX_ERROR_TEXT_BYTES:
                return pickle.dumps((frames, data))
        except Exception:
            continue
    return pickle.dumps((frames, None))


def _is_same(restored: Any, error: BaseException) -> bool:
    return isinstance(restored, BaseException) and _text(restored) == _text(error)


class _StandIn:
    """Pickled as the exception that it stands for, without what cannot be pickled of it."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self):
        error = self._error
        args = tuple(arg if is_picklable(arg) else _repr(arg) for arg in error.args)
        state = {name: value if is_picklable(value) else _repr(value) for name, value in vars(error).items()}
        return _rebuild, (type(error), args, state)


def _rebuild(kind: type[BaseException], args: tuple, state: dict[str, Any]) -> BaseException:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _clip(text: str) -> str:
    return text if len(text) <= MAX_ERROR_TEXT_BYTES else f"{text[:MAX_ERROR_TEXT_BYTES]}… ({len(text)} characters)"


def _clip_middle(text: str) -> str:
    """A traceback tells most at its ends."""
    half = MAX_ERROR_TEXT_BYTES // 2
    return text if len(text) <= 2 * half else f"{text[:half]}\n  … ({len(text)} characters)\n{text[-half:]}"
