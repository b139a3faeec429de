"""A range of inputs that the node has given, as far as it has come."""

from __future__ import annotations

from math import inf
from typing import Any

from .batch import Batch


class Grant:
    __slots__ = ("attempt", "batch", "began_s", "body", "first", "id", "inputs", "next", "running", "said_near_end", "start", "to")

    def __init__(self, message: dict[str, Any], body: bytes) -> None:
        self.id: int = message["grantId"]
        #: Index of the chunk's first input.
        self.first: int = message["first"]
        self.start: int = message["from"]
        self.to: int = message["to"]
        self.attempt: int = message["attempt"]
        #: Position in the chunk of the next input to begin.
        self.next = self.start
        #: Calls begun and not settled.
        self.running = 0
        #: Infinite before its first call.
        self.began_s = inf
        #: The node was told that it is nearly done.
        self.said_near_end = False
        self.batch = Batch(self.id)
        self.body: bytes | None = body
        #: Opened when the first call begins.
        self.inputs: list[Any] | None = None

    def take_batch(self) -> Batch | None:
        if not self.batch.indices:
            return None
        batch, self.batch = self.batch, Batch(self.id)
        return batch
