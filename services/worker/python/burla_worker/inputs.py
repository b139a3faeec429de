"""The inputs of one chunk, opened when the first call of a grant begins."""

from __future__ import annotations

import threading
from typing import Any

from burla_protocol.chunk_body import Refusal, take_refusals
from burla_protocol.interrupts import is_from_outside
from burla_protocol.pieces import Pieces
from burla_protocol.values import decode_data, decode_values, is_one_value

#: In the place of an input that has not been opened, or that is not there: `Inputs.take` gives it, or says why not.
CLOSED = object()


class Refused(Exception):
    """The input could not be pickled where it was."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Inputs:
    """All at once where that is possible, and each by itself where one of them has raised something.

    Where a call has a time limit, or the range has ended a worker before, each is opened by itself from the start: one that
    hangs or ends the process must be known by its own index. Inputs whose reading calls no code never need that.
    """

    def __init__(self, body: bytes, *, apart: bool, earlier: Inputs | None = None) -> None:
        """:param earlier: those of the grant before, which are often of the same chunk."""
        self._refusals, body = take_refusals(body)
        self.body = body
        #: By position, where all were opened at once; a call takes its own out.
        self.values: list[Any] | None = None
        self._apart = apart
        self._pieces = earlier._pieces.again() if earlier is not None and earlier._pieces is not None and earlier.body == body else None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()

    def take(self, position: int) -> Any:
        """Raises `Refused`, or whatever the code of the value raises."""
        refusal = self._refusals.get(position)
        if refusal is not None:
            raise Refused(refusal)
        with self._lock:
            if self.values is None and self._pieces is None and self._failure is None:
                self._open()
        if self.values is not None:
            value, self.values[position] = self.values[position], None
            return value
        if self._pieces is not None:
            return self._pieces.value(position)
        if self._failure is not None:
            raise self._failure
        body, self.body = self.body, b""
        (value,) = decode_values(body)
        return value

    def _open(self) -> None:
        if self._apart:
            self.values = decode_data(self.body)
            if self.values is None and not is_one_value(self.body):
                return self._split()
        else:
            self._open_together()
        if self.values is not None:
            # It may be large.
            self.body = b""
            for position in self._refusals:
                self.values[position] = CLOSED

    def _open_together(self) -> None:
        try:
            self.values = decode_values(self.body)
        except BaseException as error:
            if is_from_outside(error):
                raise
            self._failure = error
            self._split()

    def _split(self) -> None:
        try:
            self._pieces = Pieces(self.body)
        except ValueError as error:
            self._failure = self._failure or error
