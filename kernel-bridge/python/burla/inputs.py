"""Pulls any iterable in a thread of its own and cuts chunks, as far as the cluster gives credit."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from contextvars import Context
from math import inf
from typing import Any, Callable, Iterable, Iterator, Optional, Sized, TypeVar

from burla_protocol.chunk_body import Refusal, with_refusals
from burla_protocol.frames import MAX_FRAME_BYTES
from burla_protocol.interrupts import TookTooLong
from burla_protocol.values import FIXED, Frozen, find_unpicklable, in_short

from .errors import BurlaError
from .given import as_given
from .limits import Helper, Limits
from .pickling import ValuePickler

TARGET_CHUNK_BYTES = 256 * 1024
#: Inputs that turn out to be larger together are sent in parts: a chunk is kept, sent and loaded as a whole on each hop.
_MAX_SHARED_BYTES = 16 * TARGET_CHUNK_BYTES
#: A chunk that is not full goes when the iterable has not given more for so long.
_PATIENCE_S = 0.005

T = TypeVar("T")
Push = Callable[[int, int, int, bytes], None]


class InputPump(threading.Thread):
    """`push` takes a chunk (id, first index, count, bytes), `end` the total, `fail` what the iterable raises.

    `refused` is told of each input that cannot be pickled, and which is sent as such. `context` is that of the caller, in
    which the iterable runs as if the caller had pulled it. `limits` are those of the code of an input that is pickled.
    """

    def __init__(
        self,
        inputs: Iterable[Any],
        pickler: ValuePickler,
        push: Push,
        end: Callable[[int], None],
        fail: Callable[[BaseException], None],
        context: Optional[Context] = None,
        refused: Callable[[int, BurlaError], None] = lambda _index, _error: None,
        limits: Optional[Limits] = None,
    ) -> None:
        super().__init__(name="burla-inputs", daemon=True)
        self._context = context if context is not None else Context()
        self._iterator = iter(inputs)
        self._pickler = pickler
        self._push = push
        self._end = end
        self._fail = fail
        self._refused = refused
        self._limits = limits
        self._helper = Helper()
        self._changed = threading.Condition()
        #: Held while values are added, or cut into a chunk.
        self._cutting = threading.RLock()
        #: What has all its values at hand never keeps anybody waiting.
        self._may_wait = not isinstance(inputs, Sized)
        self._credit = (0, 0, 1)
        #: No more are pulled than this, whatever the credit is.
        self._limit: float = inf
        self._stopped = False
        self._values: list[Any] = []
        self._first_pulled_s = 0.0
        self._pulled = 0
        self._sent = 0
        self._sent_bytes = 0
        self._chunks = 0
        self._mean_bytes = 0.0
        self._visible_bytes = 0

    def allow(self, inputs: int, bytes_: int, chunk_inputs: int) -> None:
        """Totals since the job began, and the size that the next chunk should have."""
        with self._changed:
            self._credit = (inputs, bytes_, chunk_inputs)
            self._changed.notify_all()

    def limit(self, inputs: int) -> None:
        """A total since the job began."""
        with self._changed:
            self._limit = inputs
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def run(self) -> None:
        if self._may_wait:
            # Two threads cannot be in one context.
            threading.Thread(target=self._context.copy().run, args=(self._send_early,), name="burla-patience", daemon=True).start()
        self._context.run(self._run)

    def _run(self) -> None:
        try:
            self._pull()
        except BaseException as error:
            self._fail(self._explained(error))
        finally:
            self.stop()
            self._values.clear()
            self._helper.end()
            self._close()

    def _close(self) -> None:
        """As the end of a `for` does, which leaves open what is no generator: a file, a cursor, which are whoever's opened them."""
        close = getattr(self._iterator, "close", None) if hasattr(self._iterator, "throw") else None
        if not callable(close):
            return
        try:
            close()
        except BaseException as error:
            # The job has ended for another reason, which is the one to raise: this one is told as Python tells it of a
            # generator that nobody refers to any more.
            sys.stderr.write(f"Exception ignored in: {self._iterator!r}\n{''.join(traceback.format_exception(type(error), error, error.__traceback__))}")

    def _explained(self, error: BaseException) -> BaseException:
        """What is bound to the thread that has opened it, as a cursor of sqlite3, does not let itself be pulled here."""
        if self._pulled > 0 or not isinstance(error, Exception) or "thread" not in str(error):
            return error
        cure = "Read what is bound to its thread before the call, as with `list(cursor)`, or open it in the generator that gives the inputs."
        refusal = BurlaError("BURLA_INPUT", f"the inputs cannot be pulled in a thread of their own: {in_short(error)}", cure)
        refusal.__cause__ = error
        return refusal

    def _pull(self) -> None:
        for value in self._iterator_with_room():
            self._add(value)
        if self._stopped:
            return
        self._cut()
        self._end(self._sent)

    def _iterator_with_room(self) -> Iterator[Any]:
        iterator = self._iterator
        while not self._stopped:
            if not self._has_room():
                self._cut()
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped or self._has_room())
                continue
            try:
                value = next(iterator)
            except StopIteration:
                return
            yield value

    def _send_early(self) -> None:
        """While the iterable keeps us waiting, what it has given before is sent: its next value may depend on the results."""
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._has_room())
            time.sleep(_PATIENCE_S)
            if self._values and time.perf_counter() - self._first_pulled_s > _PATIENCE_S:
                try:
                    self._cut()
                except BaseException as error:
                    self._fail(error)

    def _has_room(self) -> bool:
        inputs, bytes_, _chunk_inputs = self._credit
        return self._pulled < min(inputs, self._limit) and self._sent_bytes + len(self._values) * self._mean_bytes < bytes_

    def _add(self, value: Any) -> None:
        with self._cutting:
            values = self._values
            if not values:
                self._first_pulled_s = time.perf_counter()
            values.append(value)
            self._pulled += 1
            self._visible_bytes += _visible_bytes(value)
            wanted = min(self._credit[2], max(1, TARGET_CHUNK_BYTES / max(1.0, self._mean_bytes)))
            if len(values) >= wanted or self._visible_bytes >= TARGET_CHUNK_BYTES:
                self._cut()
            elif self._may_wait:
                values[-1] = as_given(value)

    def _cut(self) -> None:
        """Sends what has been pulled, as one chunk unless it turns out to be large."""
        with self._cutting:
            values, self._values = self._values, []
            self._visible_bytes = 0
            if values and not self._stopped:
                self._send(values)

    def _send(self, values: list[Any]) -> None:
        body = self._encode(values)
        if body is None or (len(body) > _MAX_SHARED_BYTES and len(values) > 1):
            half = len(values) >> 1
            self._send(values[:half])
            return self._send(values[half:])
        self._mean_bytes = len(body) / len(values)
        chunk_id, first = self._chunks, self._sent
        self._chunks += 1
        self._sent += len(values)
        self._sent_bytes += len(body)
        self._push(chunk_id, first, len(values), body)

    def _encode(self, values: list[Any]) -> bytes | None:
        """None when they cannot be pickled together."""
        try:
            body = self._dumps(values, are_several=len(values) > 1)
        except BaseException as reason:
            # Whatever it is, the code of an input has raised it: no signal comes to this thread.
            return self._encode_rest(values) if len(values) > 1 else self._refused_alone(self._refusal(self._sent, values[0], reason))
        if len(values) > 1 or len(body) <= MAX_FRAME_BYTES - 1024:
            return body
        return self._refused_alone(_at(self._sent, "BURLA_TOO_LARGE", f"inputs[{self._sent}] has {len(body)} bytes, over the limit of {MAX_FRAME_BYTES}"))

    def _encode_rest(self, values: list[Any]) -> bytes | None:
        """Each by itself, with the refusals of those that cannot be pickled. None when the others cannot be, although each could by itself."""
        refusals: dict[int, BurlaError] = {}
        rest: list[Any] = []
        for offset, value in enumerate(values):
            try:
                pickled = self._dumps(value)
                # With a time limit its code is not called again, whose time together with others would be another one.
                rest.append(value if self._limits is None else Frozen(pickled))
            except BaseException as reason:
                refusals[offset] = self._refusal(self._sent + offset, value, reason)
                rest.append(None)
        try:
            body = self._pickler.dumps(rest)
        except BaseException:
            # It raises now and then.
            return None
        return self._with_refusals(body, refusals)

    def _refused_alone(self, error: BurlaError) -> bytes:
        return self._with_refusals(self._pickler.dumps([None]), {0: error})

    def _with_refusals(self, body: bytes, refusals: dict[int, BurlaError]) -> bytes:
        for offset, error in refusals.items():
            self._refused(self._sent + offset, error)
        return with_refusals(body, {offset: Refusal(error.code, _told(error)) for offset, error in refusals.items()})

    def _refusal(self, index: int, value: Any, reason: BaseException) -> BurlaError:
        if isinstance(reason, TookTooLong):
            error = _at(index, "BURLA_INPUT", f"inputs[{index}] cannot be sent to the cluster: {in_short(reason)}")
        else:
            path, what = self._found(value) or ("", in_short(reason))
            error = _at(index, "BURLA_INPUT", f"inputs[{index}]{path} is {what}, which cannot be sent to the cluster")
        error.__cause__ = reason
        return error

    def _found(self, value: Any) -> tuple[str, str] | None:
        """For a message only: what looking for it raises says nothing more."""
        try:
            return self._limited(lambda: find_unpicklable(value))
        except BaseException:
            return None

    def _dumps(self, value: Any, *, are_several: bool = False) -> bytes:
        """Raises what the code of the value raises, and TookTooLong."""
        types = map(type, value) if are_several else (type(value),)
        if self._limits is None or FIXED.issuperset(types):
            return self._pickler.dumps(value)
        return self._limited(lambda: self._pickler.dumps(value), are_several)

    def _limited(self, work: Callable[[], T], are_several: bool = False) -> T:
        limits = self._limits
        if limits is None:
            return work()
        return self._helper.run(work, limits.together_s if are_several else limits.each_s)


def _told(error: BurlaError) -> str:
    """Its message without the cure, which whoever reads it knows by the code."""
    return str(error).rpartition("\n  ")[0]


def _at(index: int, code: str, message: str) -> BurlaError:
    error = BurlaError(code, message)
    error.input_index = index
    return error


def _visible_bytes(value: Any) -> int:
    """The part of a value's size that is known without a look inside."""
    kind = type(value)
    if kind is int or kind is float:
        return 0
    if kind is str or kind is bytes or kind is bytearray:
        return len(value)
    size = getattr(value, "nbytes", 0)
    return size if isinstance(size, int) else 0
