"""A range of inputs that the node has given, as far as it has come."""

from __future__ import annotations

from math import inf
from typing import Any

from .batch import Batch
from .inputs import Inputs


class Grant:
    __slots__ = ("attempt", "batch", "began_s", "first", "id", "inputs", "next", "running", "said_near_end", "start", "to")

    def __init__(self, message: dict[str, Any], inputs: Inputs) -> None:
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
        #: Opened when the first call begins.
        self.inputs = inputs

    def take_batch(self) -> Batch | None:
        if not self.batch.indices:
            return None
        batch, self.batch = self.batch, Batch(self.id)
        return batch
