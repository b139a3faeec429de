"""What can go wrong, and errors of the cluster as exceptions of this program."""

from __future__ import annotations

import pickle
from typing import Any, Sequence

from burla_protocol.apart import give_state, read_apart
from burla_protocol.failures import Hollow
from burla_protocol.interrupts import is_from_outside
from burla_protocol.values import Limited, without_limit

from .remote_traceback import attach_frames

#: What to do about an error, by its code: as in `protocol/src/errors.ts`, with the names that Python has for things.
CURES = {
    "BURLA_CAPTURE": "Pass what the message names as an input, or create it inside the function.",
    "BURLA_INPUT": "Send plain data. Convert the named part before the call.",
    "BURLA_RESULT": "Return plain data. Convert the named part before returning.",
    "BURLA_TOO_LARGE": "Split the value, or pass a path or URL instead of the content.",
    "BURLA_TIMEOUT": "Raise `timeout_s`, or make the call shorter.",
    "BURLA_WORKER_LOST": "Run the function on this input locally: it ends its process. The message says how it ended.",
    "BURLA_OUT_OF_MEMORY": "Raise `ram`, or make the input smaller.",
    "BURLA_SETUP": "Mend the function `setup`: the cause is its own error; `setup_timeout_s` says how long it may take.",
    "BURLA_LOAD": "The cause is the error that the workers met when they unpickled the function.",
    "BURLA_PYTHON": "Run the workers with the Python that calls, with cloudpickle installed; docs/python.md says how they find it.",
    "BURLA_CANCELLED": "Nothing to mend: the job was cancelled, by this program or by `burla cancel`.",
    "BURLA_INTERRUPTED": "The program that fed this job ended before its last input. Run the rest as a new job.",
    "BURLA_NO_SUCH_JOB": "`burla jobs` lists the jobs that this cluster knows.",
    "BURLA_NO_FITTING_NODE": "Ask for less `cpu` or `ram`, or start a cluster with larger machines.",
    "BURLA_UNREACHABLE": "`burla doctor` says what is wrong with the set-up and how to mend it.",
    "BURLA_CLUSTER_START": "`burla doctor` says what is wrong with the set-up.",
    "BURLA_UNAUTHORIZED": "Use the token of this cluster, in the variable BURLA_TOKEN or as part of the option `cluster`.",
    "BURLA_VERSION": "Stop the cluster with `burla down` and call again: it starts in the version of this client.",
    "BURLA_PROTOCOL": "This is a fault of Burla, or the peer is not Burla. Please report it with the log of the cluster.",
    "BURLA_QUEUE": "Check that this machine reaches Cloud Firestore and may use it; `docs/firestore.md` lists the roles.",
    "BURLA_STORAGE": "The message names the file and what the system said of it; `burla doctor` looks at the state folder.",
}


class BurlaError(Exception):
    """Every error of Burla's own. Errors of the user's function are never of this class."""

    def __init__(self, code: str, message: str, cure: str | None = None) -> None:
        self.code = code
        #: What to do about it, one sentence.
        self.cure = CURES.get(code, "") if cure is None else cure
        #: The input that it belongs to, where there is one.
        self.input_index: int | None = None
        super().__init__(f"{message}\n  {self.cure}" if self.cure else message)

    def __reduce__(self):
        return _restore, (type(self), self.args, dict(vars(self)))


class RemoteTimeoutError(BurlaError, TimeoutError):
    """A call ran longer than the option `timeout_s`; its worker was killed."""


class RemoteError(Exception):
    """Stands for an exception of the user's function whose class this program does not have, or should not raise."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}" if message else name)
        #: The class of the original.
        self.name = name
        self.input_index: int | None = None
        #: The traceback as the worker printed it.
        self.remote_traceback = ""

    def __reduce__(self):
        return _restore, (type(self), self.args, dict(vars(self)))


def _restore(kind: type[Exception], args: tuple, state: dict[str, Any]) -> Exception:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def burla_error(code: str, message: str, cure: str | None = None) -> BurlaError:
    """The class for a code: `RemoteTimeoutError` for BURLA_TIMEOUT, else `BurlaError`."""
    return (RemoteTimeoutError if code == "BURLA_TIMEOUT" else BurlaError)(code, message, cure)


def told_error(code: str, text: str) -> BurlaError:
    """An error as the cluster told it: its message, and in a line of its own a cure that is not the usual one."""
    message, begins, cure = text.rpartition("\n  ")
    return burla_error(code, message, cure) if begins else burla_error(code, text)


def from_envelope(
    envelope: dict[str, Any], *, is_raised: bool = True, above: Sequence[BaseException] = (), limited: Limited[Any] = without_limit
) -> BaseException:
    """The exception again: of its own class where that can be had, with its traceback, causes and members.

    :param is_raised: False for a part of another one.
    :param above: those that it is a link of, the outermost first, to which its own links may lead back.
    :param limited: runs the code of the values in it.
    """
    kind = envelope.get("kind")
    if kind == "burla":
        return told_error(str(envelope["code"]), str(envelope["message"]))
    if kind == "value":
        return RemoteError("Error", "the function threw something that is no error")
    frames, original, links = _open(envelope, limited)
    if original is None or (is_raised and not _may_be_raised(original)):
        original = RemoteError(str(envelope["name"]), str(envelope["message"]))
    _dress(original, frames, links, envelope, above, limited)
    return original


def _may_be_raised(error: BaseException) -> bool:
    """`sys.exit()` in a function must not end the program that reads its results, nor its Ctrl-C look like one here."""
    return isinstance(error, Exception) and not isinstance(error, (StopIteration, StopAsyncIteration))


def _dress(
    error: BaseException,
    frames: list[tuple[str, int, str]],
    links: dict[str, Any],
    envelope: dict[str, Any],
    above: Sequence[BaseException],
    limited: Limited[Any],
) -> None:
    """Gives it what no pickle of an exception holds: its traceback, its notes, its cause and its context."""
    path = (*above, error)

    def linked(other: dict[str, Any] | None, steps_up: int | None) -> BaseException | None:
        if steps_up is not None:
            # A group is made after its members, whose way up ends there.
            return path[-1 - steps_up] if steps_up < len(path) else None
        return None if other is None else from_envelope(other, is_raised=False, above=path, limited=limited)

    shown = linked(envelope["cause"], None)
    cause = shown if links.get("is_cause", True) else linked(None, links.get("cause_above"))
    context = shown if links.get("is_context") else linked(links.get("context"), links.get("context_above"))

    def dress() -> None:
        attach_frames(error, frames)
        _set(error, "remote_traceback", envelope["stack"])
        if links.get("notes") and not getattr(error, "__notes__", None):
            _set(error, "__notes__", links["notes"])
        error.__cause__, error.__context__ = cause, context
        error.__suppress_context__ = bool(links.get("suppresses", shown is not None))

    limited(dress, False)


def with_index(error: BaseException, index: int) -> BaseException:
    """Tells which input it was, in an attribute and, where Python shows notes, in the traceback."""
    _set(error, "input_index", index)
    if hasattr(error, "add_note"):
        error.add_note(f"burla: this was input {index}")
    return error


def _open(envelope: dict[str, Any], limited: Limited[Any]) -> tuple[list[tuple[str, int, str]], BaseException | None, dict[str, Any]]:
    """Frames, the exception, and its links, as far as they can be had."""
    try:
        # Those of a job that ran before an update may have no links.
        frames, pickled, links = (*pickle.loads(envelope["pickled"]), {})[:3]
    except Exception:
        return [], None, {}
    try:
        error = None if pickled is None else _read(pickled, envelope, limited)
    except BaseException as raised:
        if is_from_outside(raised):
            raise
        error = None
    return frames, error if isinstance(error, BaseException) else None, links


def _read(pickled: bytes, envelope: dict[str, Any], limited: Limited[Any]) -> Any:
    error, state = read_apart(pickled, limited)
    if isinstance(error, Hollow):
        error = error.filled([from_envelope(each, is_raised=False, limited=limited) for each in envelope["errors"]])
    limited(lambda: give_state(error, state), False)
    return error


def _set(error: BaseException, name: str, value: Any) -> None:
    try:
        setattr(error, name, value)
    except Exception:
        # A class with slots has no room for it.
        pass
