"""Results of one grant, gathered until they are worth a message."""

from __future__ import annotations

from typing import Any

from burla_protocol.failures import burla_failure
from burla_protocol.frames import MAX_FRAME_BYTES, MAX_HEADER_BYTES
from burla_protocol.interrupts import is_from_outside
from burla_protocol.messagepack import pack
from burla_protocol.values import FIXED, encode_values, find_unpicklable, in_short

from .snapshot import frozen

_MAX_BODY_BYTES = MAX_FRAME_BYTES - MAX_HEADER_BYTES


class Batch:
    def __init__(self, grant_id: int, max_body_bytes: int = _MAX_BODY_BYTES) -> None:
        self.grant_id = grant_id
        self.indices: list[int] = []
        self._max_body_bytes = max_body_bytes
        self._values: list[Any] = []
        self._failures: dict[int, dict[str, Any]] = {}
        #: Positions of failures that no retry changes.
        self._final: set[int] = set()
        self.run_s = 0.0

    def add_value(self, index: int, value: Any, seconds: float) -> None:
        self.indices.append(index)
        self._values.append(value)
        self.run_s += seconds

    def add_failure(self, index: int, envelope: dict[str, Any], seconds: float) -> None:
        self._failures[len(self.indices)] = envelope
        self.indices.append(index)
        self._values.append(None)
        self.run_s += seconds

    def refuse(self, index: int, envelope: dict[str, Any], seconds: float) -> None:
        """An input with which no call can be made."""
        self._final.add(len(self.indices))
        self.add_failure(index, envelope, seconds)

    def encode(self) -> list[tuple[dict[str, Any], bytes, bytes]]:
        """Message and the two parts of its body, or several where one would be larger than a frame.

        A value that cannot be pickled, or is too large by itself, makes its own call fail, not the batch.
        """
        values = self._encode_values()
        failed = sorted(self._failures)
        errors = pack([self._failures[position] for position in failed]) if failed else b""
        if len(values) + len(errors) <= self._max_body_bytes:
            return [(self._message(failed, len(values)), values, errors)]
        if len(self.indices) > 1:
            half = len(self.indices) >> 1
            return [*self._part(0, half).encode(), *self._part(half, len(self.indices)).encode()]
        what = "error" if self._failures else "result"
        message = f"the {what} of input {self.indices[0]} is over the limit of {self._max_body_bytes} bytes"
        self._failures[0] = burla_failure("BURLA_TOO_LARGE", message)
        return self.encode()

    def _message(self, failed: list[int], values_bytes: int) -> dict[str, Any]:
        first, count = self.indices[0], len(self.indices)
        in_row = self.indices[-1] - first == count - 1 and all(map(int.__eq__, self.indices, range(first, first + count)))
        return {
            "type": "workerResults",
            "grantId": self.grant_id,
            "first": first,
            "count": count,
            "indices": None if in_row else self.indices,
            "failed": failed,
            "final": sorted(self._final),
            "valuesBytes": values_bytes,
            "runMs": max(0.0, self.run_s * 1000),
        }

    def _encode_values(self) -> bytes:
        try:
            return encode_values(self._fulfilled())
        except BaseException as error:
            if is_from_outside(error):
                raise
            self._freeze()
            return encode_values(self._fulfilled())

    def _fulfilled(self) -> list[Any]:
        if not self._failures:
            return self._values
        return [value for position, value in enumerate(self._values) if position not in self._failures]

    def _freeze(self) -> None:
        """Pickles each value by itself, so that those that can be sent are; the others fail their calls."""
        for position, value in enumerate(self._values):
            if position in self._failures or type(value) in FIXED:
                continue
            try:
                self._values[position] = frozen(value)
            except BaseException as error:
                if is_from_outside(error):
                    raise
                path, what = find_unpicklable(value) or ("", in_short(error))
                message = f"the result of input {self.indices[position]} cannot be sent: result{path} is {what}"
                self._failures[position] = burla_failure("BURLA_RESULT", message)
                # Its last reference may be here, and it may hold much.
                self._values[position] = None

    def _part(self, begin: int, end: int) -> Batch:
        part = Batch(self.grant_id, self._max_body_bytes)
        seconds = self.run_s / len(self.indices)
        for position in range(begin, end):
            failure = self._failures.get(position)
            if failure is None:
                part.add_value(self.indices[position], self._values[position], seconds)
            else:
                add = part.refuse if position in self._final else part.add_failure
                add(self.indices[position], failure, seconds)
        return part
