"""Exceptions <-> envelopes, the form in which errors travel (`protocol/src/envelope.ts`, kind `python`)."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Callable

from .apart import give_state, may_be_apart, needs_apart, read_bare, state_of, write_apart
from .interrupts import is_from_outside
from .pickling import rebuilt_exception, reduce_exception
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
        cause, links = self._links(error, path)
        members = self._members(error, path)
        return {
            "kind": "python",
            "name": _clip(type(error).__name__),
            "message": _clip(_text(error)),
            "stack": _clip_middle(_stack(error, inner)),
            "cause": cause,
            "errors": members,
            "pickled": _pickled(error, inner, links, members),
        }

    def _links(self, error: BaseException, path: list[BaseException]) -> tuple[dict[str, Any] | None, Links]:
        """The envelope of what people see as its cause, and which of its links this is; the other link goes to Python alone."""
        links = Links(notes=_notes(error), suppresses=error.__suppress_context__)
        cause, context = error.__cause__, error.__context__
        shown = None
        links.cause_above, links.context_above = _steps_up(cause, path), _steps_up(context, path)
        if cause is not None and self._may_hold(cause, path):
            shown, links.is_cause = self.pack(cause, path), True
        if context is not None and context is cause:
            links.is_context = links.is_cause
        elif context is not None and self._may_hold(context, path):
            packed = self.pack(context, path)
            if cause is None and not error.__suppress_context__:
                shown, links.is_context = packed, True
            else:
                links.context = packed
        return shown, links

    def _members(self, error: BaseException, path: list[BaseException]) -> list[dict[str, Any]] | None:
        members = getattr(error, "exceptions", None) if is_group(error) else None
        if not isinstance(members, tuple):
            return None
        return [self.pack(member, path) for member in members if self._may_hold(member, path)]

    def _may_hold(self, part: BaseException, path: list[BaseException]) -> bool:
        return self._left > 0 and len(path) < MAX_ERROR_DEPTH and not any(part is above for above in path)

    def _inner(self, trace: TracebackType | None) -> TracebackType | None:
        while trace is not None and self._is_ours(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        return trace


def _steps_up(link: BaseException | None, path: list[BaseException]) -> int | None:
    return next((steps for steps, above in enumerate(reversed(path)) if above is link), None)


def is_group(error: BaseException) -> bool:
    return any(base.__name__ == "BaseExceptionGroup" and base.__module__ == "builtins" for base in type(error).__mro__)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as raised:
        if is_from_outside(raised):
            raise
        return "(the message could not be read)"


def _notes(error: BaseException) -> list[str]:
    notes = getattr(error, "__notes__", None)
    return [_clip(note) for note in notes[:MAX_ERRORS_IN_ENVELOPE] if isinstance(note, str)] if isinstance(notes, list) else []


def _stack(error: BaseException, trace: TracebackType | None) -> str:
    try:
        lines = traceback.format_tb(trace)
        last = traceback.format_exception_only(type(error), error)
        head = ["Traceback (most recent call last):\n"] if lines else []
        return "".join([*head, *lines, *last]).rstrip("\n")
    except BaseException as raised:
        if is_from_outside(raised):
            raise
        return f"{type(error).__name__}: {_text(error)}"


@dataclass
class Links:
    """What a pickle of an exception does not hold, as far as the envelope has no field for it."""

    notes: list[str]
    #: `__suppress_context__`.
    suppresses: bool
    #: The envelope's `cause` is `__cause__`, or `__context__`, or both.
    is_cause: bool = False
    is_context: bool = False
    #: `__context__`, where it is another one.
    context: dict[str, Any] | None = None
    #: `__cause__` and `__context__` that lead back: 0 for the exception itself, 1 for the one that it is a link of, and so on.
    cause_above: int | None = None
    context_above: int | None = None


def _pickled(error: BaseException, trace: TracebackType | None, links: Links, members: list[dict[str, Any]] | None) -> bytes:
    frames = [(frame.filename, frame.lineno or 0, frame.name) for frame in traceback.extract_tb(trace)[-100:]]
    return pickle.dumps((frames, _pickled_alone(error, members), vars(links)))


def _pickled_alone(error: BaseException, members: list[dict[str, Any]] | None) -> bytes | None:
    forms: list[Callable[[BaseException], bytes]] = [_as_it_is, _with_texts, _with_texts_only]
    if members is not None and is_whole(error, members):
        # Each member comes in an envelope of its own.
        forms = [_hollow, _hollow_with_texts]
    for form in forms:
        try:
            data = form(error)
            if len(data) <= 16 * MAX_ERROR_TEXT_BYTES:
                return data
        except BaseException as raised:
            if is_from_outside(raised):
                raise
    return None


def _as_it_is(error: BaseException) -> bytes:
    state = state_of(error) if may_be_apart(error) else {}
    return _apart(error, state) if needs_apart(state) else _whole(error)


def _with_texts(error: BaseException) -> bytes:
    """A text in place of each attribute that cannot be pickled."""
    if not may_be_apart(error):
        raise TypeError("its class writes it as a whole")
    return _apart(error, _sendable_state(error))


def _with_texts_only(error: BaseException) -> bytes:
    """A text in place of each argument and attribute that cannot be pickled and read again."""
    data = encode_values([_StandIn(error)])
    restored = pickle.loads(data)[0]
    # Its message may be made of what is a text now.
    if type(restored) is not type(error) or not str(restored):
        _check(restored, error)
    return data


def _hollow(error: BaseException) -> bytes:
    return write_apart(Hollow.of(error), state_of(error), None)


def _hollow_with_texts(error: BaseException) -> bytes:
    return write_apart(Hollow.of(error), _sendable_state(error), None)


def _apart(error: BaseException, state: dict[str, Any]) -> bytes:
    restored = read_bare(error)
    # What it says of itself may need them.
    give_state(restored, state_of(error))
    _check(restored, error)
    return write_apart(error, state, error)


def _whole(error: BaseException) -> bytes:
    data = encode_values([error])
    _check(pickle.loads(data)[0], error)
    return data


def _check(restored: Any, error: BaseException) -> None:
    """Some exceptions are pickled without a word and cannot be unpickled, or come back with another message."""
    if type(restored) is not type(error) or _text(restored) != _text(error):
        raise TypeError("another exception comes back")


def is_whole(error: BaseException, members: list[dict[str, Any]]) -> bool:
    """Nothing was left out, in groups of groups neither."""
    exceptions = getattr(error, "exceptions", ())
    return len(exceptions) == len(members) and all(
        envelope["errors"] is None or is_whole(member, envelope["errors"]) for member, envelope in zip(exceptions, members)
    )


class Hollow:
    """A group without its members."""

    def __init__(self, kind: type[BaseException], message: str) -> None:
        self.kind = kind
        self.message = message

    @classmethod
    def of(cls, error: BaseException) -> Hollow:
        return cls(type(error), error.message)  # type: ignore[attr-defined]

    def __reduce__(self):
        return Hollow, (self.kind, self.message)

    def filled(self, members: list[BaseException]) -> BaseException:
        return rebuilt_exception(self.kind, (self.message, members))


class _StandIn:
    """Pickled as the exception that it stands for."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self):
        _make, (kind, args), *_state = reduce_exception(self._error)
        state = {name: _readable(value) for name, value in state_of(self._error).items()}
        return _rebuild, (kind, tuple(map(_readable, args)), state)


def _sendable_state(error: BaseException) -> dict[str, Any]:
    return {name: value if is_picklable(value) else _repr(value) for name, value in state_of(error).items()}


def _readable(value: Any) -> Any:
    try:
        pickle.loads(encode_values([value]))
    except BaseException as raised:
        if is_from_outside(raised):
            raise
        return _repr(value)
    return value


def _rebuild(kind: type[BaseException], args: tuple, state: dict[str, Any]) -> BaseException:
    error = rebuilt_exception(kind, args)
    give_state(error, state)
    return error


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except BaseException as raised:
        if is_from_outside(raised):
            raise
        return f"<{type(value).__name__}>"


def _clip(text: str) -> str:
    return text if len(text) <= MAX_ERROR_TEXT_BYTES else f"{text[:MAX_ERROR_TEXT_BYTES]}… ({len(text)} characters)"


def _clip_middle(text: str) -> str:
    """A traceback tells most at its ends."""
    half = MAX_ERROR_TEXT_BYTES // 2
    return text if len(text) <= 2 * half else f"{text[:half]}\n  … ({len(text)} characters)\n{text[-half:]}"
