"""Batches of results -> one settled entry after the other, opened only when the consumer comes to them."""

from __future__ import annotations

from collections import deque
from itertools import repeat
from typing import Any, Callable, NamedTuple, Optional, TypeVar

from burla_protocol.messagepack import unpack
from burla_protocol.interrupts import TookTooLong, is_from_outside
from burla_protocol.values import Unreadable, decode_each, in_short

from .errors import BurlaError, RemoteError, from_envelope, with_index
from .limits import Limits, Watch

T = TypeVar("T")

#: With this byte begins what V8 has written; pickles begin with another.
_STRUCTURED_CLONE = 0xFF


class Entry(NamedTuple):
    index: int
    value: Any


class Settled(NamedTuple):
    index: int
    #: "fulfilled" or "rejected".
    status: str
    value: Any = None
    #: What the call raised, when it was rejected.
    reason: Optional[BaseException] = None


class ResultBuffer:
    """In order of completion, batches are acknowledged when the consumer has taken them, which is what stops the cluster.

    In order of the inputs they are acknowledged when they come: the one that the consumer waits for may be behind any
    number of others.
    """

    def __init__(
        self, order: str, taken: Callable[[int], None], refusals: Optional[dict[int, BurlaError]] = None, limits: Optional[Limits] = None
    ) -> None:
        """
        :param refusals: inputs that were not sent, by their index: known here as they are.
        :param limits: of the code of a value that is read.
        """
        self._refusals = {} if refusals is None else refusals
        self._limits = limits
        self._watch = Watch()
        self._in_order = order == "input"
        self._taken = taken
        self._seen = _Indices()
        self._batches: deque[tuple[dict[str, Any], bytes]] = deque()
        self._open: deque[Settled] = deque()
        self._open_seq = 0
        self._early: dict[int, Settled] = {}
        self._next_index = 0
        self._has_ended = False
        #: Sequence number up to which results have arrived.
        self.last_seq = 0
        #: Results handed to the consumer.
        self.count = 0

    def add(self, message: dict[str, Any], body: bytes) -> bool:
        """Ignores what has arrived before, as after a lost connection."""
        if message["seq"] <= self.last_seq:
            return False
        self.last_seq = message["seq"]
        self._batches.append((message, body))
        if self._in_order:
            self._taken(self.last_seq)
        return True

    def end(self) -> None:
        """No more will come. In order of the inputs, what waits for an input that was never answered is handed out now."""
        self._has_ended = True

    def take(self) -> deque[Settled]:
        """The next entries that are here, at least one if there is any: a batch, or what follows in order."""
        entries = self._take_in_order() if self._in_order else self._take_batch()
        self.count += len(entries)
        return entries

    def _take_batch(self) -> deque[Settled]:
        """Whoever takes the next batch has taken all of the one before."""
        while True:
            if self._open_seq > 0:
                self._taken(self._open_seq)
                self._open_seq = 0
            if not self._open_next() or self._open:
                entries, self._open = self._open, deque()
                return entries

    def _take_in_order(self) -> deque[Settled]:
        entries: deque[Settled] = deque()
        early = self._early
        while True:
            while self._next_index in early:
                entries.append(early.pop(self._next_index))
                self._next_index += 1
            if entries:
                return entries
            if not self._open_next():
                return self._take_behind_gap() if self._has_ended else entries
            for entry in self._open:
                early[entry.index] = entry
            self._open.clear()

    def _take_behind_gap(self) -> deque[Settled]:
        """Failures first: one of them has stopped the job."""
        entries = deque(sorted(self._early.values(), key=lambda entry: (entry.status == "fulfilled", entry.index)))
        self._early.clear()
        return entries

    def _open_next(self) -> bool:
        if not self._batches:
            return False
        message, body = self._batches.popleft()
        self._open_seq = message["seq"]
        self._open.extend(self._decode(message, body))
        return True

    def _decode(self, message: dict[str, Any], body: bytes) -> list[Settled]:
        count, failed, dropped = message["count"], set(message["failed"]), set(message["dropped"])
        indices = message["indices"] or range(message["first"], message["first"] + count)
        values, are_whole = self._open_values(memoryview(body)[: message["valuesBytes"]])
        if are_whole and not failed and not dropped and self._seen.add_range(message["first"], count, message["indices"]):
            return list(map(Settled._make, zip(indices, repeat("fulfilled"), values, repeat(None))))
        errors = unpack(body[message["valuesBytes"] :]) if failed else []
        entries: list[Settled] = []
        value_at = error_at = 0
        for position, index in enumerate(indices):
            if position in failed:
                envelope, error_at = errors[error_at], error_at + 1
                if position not in dropped and self._seen.add(index):
                    reason = self._refusals.pop(index, None) or self._restore(envelope, index)
                    entries.append(Settled(index, "rejected", None, reason))
            else:
                value, value_at = values[value_at], value_at + 1
                if position not in dropped and self._seen.add(index):
                    entries.append(_settled(index, value))
        return entries

    def _open_values(self, data: memoryview) -> tuple[list[Any], bool]:
        if len(data) == 0:
            return [], True
        if data[0] == _STRUCTURED_CLONE:
            raise BurlaError("BURLA_PYTHON", "the results of this job are values of JavaScript", "Read them there: `attach(jobId)`, or `burla attach`.")
        return decode_each(data) if self._limits is None else decode_each(data, self._limited)

    def _restore(self, envelope: dict[str, Any], index: int) -> BaseException:
        try:
            return with_index(from_envelope(envelope, limited=self._limited), index)
        except BaseException as error:
            if is_from_outside(error) and not isinstance(error, TookTooLong):
                raise
            return with_index(RemoteError("Error", f"the error of this input cannot be read: {in_short(error)}"), index)

    def _limited(self, read: Callable[[], T], are_several: bool) -> T:
        limits = self._limits
        if limits is None:
            return read()
        return self._watch.run(read, limits.together_s if are_several else limits.each_s)


def _settled(index: int, value: Any) -> Settled:
    if type(value) is not Unreadable:
        return Settled(index, "fulfilled", value)
    reason = BurlaError("BURLA_RESULT", f"the result of input {index} cannot be read here: {in_short(value.error)}")
    reason.__cause__ = value.error
    return Settled(index, "rejected", None, with_index(reason, index))


class _Indices:
    """A set of numbers that mostly come in order: all below a mark, and some beyond it."""

    def __init__(self) -> None:
        self._below = 0
        self._beyond: set[int] = set()

    def add(self, index: int) -> bool:
        """Whether it is new."""
        if index < self._below or index in self._beyond:
            return False
        self._beyond.add(index)
        self._advance()
        return True

    def add_range(self, first: int, count: int, indices: list[int] | None) -> bool:
        """Adds all, unless some are there already."""
        if indices is None and first == self._below and not self._beyond:
            self._below += count
            return True
        new = set(indices or range(first, first + count))
        if len(new) < count or min(new, default=self._below) < self._below or not new.isdisjoint(self._beyond):
            return False
        self._beyond |= new
        self._advance()
        return True

    def _advance(self) -> None:
        beyond = self._beyond
        while self._below in beyond:
            beyond.remove(self._below)
            self._below += 1
