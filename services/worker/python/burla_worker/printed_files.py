"""Where a line is written so that it has left this process: see `protocol/src/printed.ts`, also for the form of the parts."""

from __future__ import annotations

import os
import struct
import time

from burla_protocol.messagepack import pack, pack_int, pack_str

# Taken now: the user's code may replace them.
_write = os.write
_now_s = time.time

FILES = ("printed-0", "printed-1")
LINES, PARTIAL, WHOLE, READ, TURNED = 1, 2, 3, 4, 5

#: The other file is taken when this one is longer,
TURN_BYTES = 1 << 20
#: and lines are dropped when the node does not come to reading, so that no disk is filled.
MAX_PRINTED_BYTES = 1 << 26

_head = struct.Struct("<IB")
_counts = struct.Struct("<II")
_lines_head = struct.Struct("<IBII")
_stream_and_time = struct.Struct(">BBd")
_TURNED_PART = _head.pack(0, TURNED)


class Parts:
    """What is written at once, and then empty again."""

    __slots__ = ("_bytes", "_count", "_entries", "_lines")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._lines = 0
        self._entries = bytearray()
        self._count = 0

    @property
    def size(self) -> int:
        return len(self._bytes) + len(self._entries)

    def line(self, index: int, stream: int, text: str) -> None:
        entries = self._entries
        entries.append(0x94)
        pack_int(entries, index)
        entries += _stream_and_time.pack(stream, 0xCB, _now_s() * 1000)
        pack_str(entries, text)
        self._count += 1

    def partial(self, key: str, index: int, stream: int, added: str) -> None:
        """The line with this key goes on, and has no end yet."""
        self._part(PARTIAL, pack([key, index, stream, _now_s() * 1000, added]))

    def whole(self, key: str) -> None:
        """The line with this key has ended, and comes as one of the lines."""
        self._part(WHOLE, pack(key))

    def read(self, stream: int, position: int) -> None:
        """So far native output was read."""
        self._part(READ, pack([stream, position]))

    def dropped(self, lines: int) -> None:
        self._part(LINES, _counts.pack(0, lines))
        self._lines += lines

    def take(self) -> tuple[bytearray, int]:
        """All of it, and how many lines that are."""
        self._end_lines()
        taken = (self._bytes, self._lines)
        self._bytes, self._lines = bytearray(), 0
        return taken

    def _part(self, kind: int, payload: bytes) -> None:
        self._end_lines()
        self._bytes += _head.pack(len(payload), kind)
        self._bytes += payload

    def _end_lines(self) -> None:
        if self._count == 0:
            return
        self._bytes += _lines_head.pack(_counts.size + len(self._entries), LINES, self._count, 0)
        self._bytes += self._entries
        self._lines += self._count
        self._entries, self._count = bytearray(), 0


class PrintedFiles:
    def __init__(self, besides: str) -> None:
        """:param besides: a file in the folder that the node has made them in."""
        folder = os.path.dirname(besides)
        self._descriptors = [os.open(os.path.join(folder, name), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC) for name in FILES]
        self._current = 0
        #: Of the current file.
        self._bytes = 0
        #: Of what the disk had room for only in part: nobody can read on without it.
        self._rest = b""

    def write(self, parts: Parts) -> int:
        """Returns the number of lines for which there was no room: the disk is full, or the node does not read."""
        data, lines = parts.take()
        try:
            if self._bytes > TURN_BYTES:
                self._turn_if_read()
            if self._bytes > MAX_PRINTED_BYTES:
                return lines
            self._append(data)
        except OSError:
            return lines
        return 0

    def _append(self, data: bytes | bytearray) -> None:
        """Raises OSError when nothing of it could be written."""
        descriptor = self._descriptors[self._current]
        if self._rest:
            self._rest = self._rest[self._written(descriptor, self._rest) :]
            if self._rest:
                raise OSError("the disk is full")
        written = self._written(descriptor, data)
        if written < len(data):
            self._rest = bytes(data[written:])

    def _written(self, descriptor: int, data: bytes | bytearray) -> int:
        """How much of it. Raises OSError when it is nothing."""
        written = 0
        try:
            while written < len(data):
                written += _write(descriptor, data[written:] if written else data)
        except OSError:
            if written == 0:
                raise
        self._bytes += written
        return written

    def _turn_if_read(self) -> None:
        """The node has emptied the other file when it has read all of it."""
        other = 1 - self._current
        if self._rest or os.fstat(self._descriptors[other]).st_size > 0:
            return
        self._append(_TURNED_PART)
        if self._rest:
            return
        self._current, self._bytes = other, 0
