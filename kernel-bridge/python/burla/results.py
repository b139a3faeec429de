"""Batches of results -> one settled entry after the other, opened only when the consumer comes to them."""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, NamedTuple, Optional

from burla_protocol.messagepack import unpack
from burla_protocol.values import decode_values

from .errors import RemoteError, from_envelope, with_index


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

    def __init__(self, order: str, taken: Callable[[int], None]) -> None:
        self._in_order = order == "input"
        self._taken = taken
        self._seen = _Indices()
        self._batches: deque[tuple[dict[str, Any], bytes]] = deque()
        self._open: deque[Settled] = deque()
        self._open_seq = 0
        self._early: dict[int, Settled] = {}
        self._next_index = 0
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

    def next(self) -> Settled | None:
        """The next entry; None when none is there yet."""
        entry = self._next_by_index() if self._in_order else self._next_by_time()
        if entry is not None:
            self.count += 1
        return entry

    def _next_by_time(self) -> Settled | None:
        while not self._open:
            if self._open_seq > 0:
                self._taken(self._open_seq)
                self._open_seq = 0
            if not self._open_next():
                return None
        return self._open.popleft()

    def _next_by_index(self) -> Settled | None:
        while True:
            ready = self._early.pop(self._next_index, None)
            if ready is not None:
                self._next_index += 1
                return ready
            if not self._open_next():
                return None
            for entry in self._open:
                self._early[entry.index] = entry
            self._open.clear()

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
        values = decode_values(memoryview(body)[: message["valuesBytes"]]) if message["valuesBytes"] > 0 else []
        if not failed and not dropped and self._seen.add_range(message["first"], count, message["indices"]):
            return [Settled(index, "fulfilled", value) for index, value in zip(indices, values)]
        errors = unpack(body[message["valuesBytes"] :]) if failed else []
        entries: list[Settled] = []
        value_at = error_at = 0
        for position, index in enumerate(indices):
            if position in failed:
                envelope, error_at = errors[error_at], error_at + 1
                if position not in dropped and self._seen.add(index):
                    entries.append(Settled(index, "rejected", None, _restore(envelope, index)))
            else:
                value, value_at = values[value_at], value_at + 1
                if position not in dropped and self._seen.add(index):
                    entries.append(Settled(index, "fulfilled", value))
        return entries


def _restore(envelope: dict[str, Any], index: int) -> BaseException:
    try:
        return with_index(from_envelope(envelope), index)
    except Exception as error:
        return with_index(RemoteError("Error", f"the error of this input cannot be read: {error}"), index)


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
