"""Everything that a call prints, on the input that printed it.

Python's own writes come through `sys.stdout` and `sys.stderr`; what native code and child processes write to file
descriptors 1 and 2 lands in files, of which it is read between calls what has been added.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from typing import Callable

from burla_protocol.call import current
from burla_protocol.messagepack import pack_array_head, pack_int, pack_str
from .native_file import NativeFile
from .pace import BATCH_LINES, LOG_BURST_LINES, LOG_LINES_PER_SECOND, MAX_LOG_LINE_BYTES, WATCHED_CALLS

NO_INPUT = -1
_NATIVE = ":native"
_time_form = struct.Struct(">Bd")


class Output:
    def __init__(self, files: dict[int, str], send: Callable[[int, bytes], None], wake: Callable[[], None]) -> None:
        self._send = send
        self._wake = wake
        self._lock = threading.RLock()
        self._is_abandoned = False
        self._natives = {stream: NativeFile(path) for stream, path in files.items()}
        self._partial: dict[tuple[int, int, str], str] = {}
        self._lengths: dict[tuple[int, int, str], int] = {}
        self._limit = _LineLimit()
        self._entries = bytearray()
        self._count = 0
        self._watched_calls = WATCHED_CALLS

    def abandon(self) -> None:
        """In a fork of this process, whose other threads are gone, whatever they held: what is written goes to the files."""
        self._lock = threading.RLock()
        self._is_abandoned = True

    def begin(self) -> None:
        self._watched_calls = WATCHED_CALLS

    def write(self, stream: int, text: str) -> None:
        if self._is_abandoned:
            os.write(stream, text.encode("utf-8", "replace"))
            return
        self._write(_input_at_work(), stream, text, "")

    def ended(self, index: int) -> None:
        """To be called when a call has ended: unfinished lines are its own."""
        if self._watched_calls > 0:
            self._watched_calls -= 1
            self._read_native(index)
        if self._partial:
            with self._lock:
                self._end_lines(index, 1)
                self._end_lines(index, 2)

    def flush(self, natives: bool = True) -> None:
        """Sends what was printed."""
        with self._lock:
            if natives:
                self._read_native(_input_at_work())
            if self._count == 0 and self._limit.dropped == 0:
                return
            body = bytearray()
            pack_array_head(body, self._count)
            body += self._entries
            self._entries, self._count = bytearray(), 0
            dropped, self._limit.dropped = self._limit.dropped, 0
            self._send(dropped, bytes(body))

    def end(self) -> None:
        """Sends unfinished lines too: the process is about to end."""
        with self._lock:
            for index, stream, _source in list(self._partial):
                self._end_lines(index, stream)
            self.flush()

    @property
    def waits(self) -> bool:
        return self._count > 0

    def _read_native(self, index: int) -> None:
        for stream, native in self._natives.items():
            if not native.has_grown():
                continue
            with self._lock:
                text, dropped_bytes = native.read()
                self._watched_calls = WATCHED_CALLS
                self._write(index, stream, text, _NATIVE)
                if dropped_bytes > 0:
                    self._end_lines(index, stream)
                    self._add(index, stream, f"… {dropped_bytes} bytes were dropped", 0)

    def _write(self, index: int, stream: int, text: str, source: str) -> None:
        with self._lock:
            key = (index, stream, source)
            begin, *others = text.split("\n")
            line, length = self._partial.pop(key, ""), self._lengths.pop(key, 0) + len(begin)
            if len(line) < MAX_LOG_LINE_BYTES:
                line += begin[: MAX_LOG_LINE_BYTES - len(line)]
            for following in others:
                self._add(index, stream, line, length)
                line, length = following[:MAX_LOG_LINE_BYTES], len(following)
            if length > 0:
                self._partial[key], self._lengths[key] = line, length

    def _end_lines(self, index: int, stream: int) -> None:
        for source in ("", _NATIVE):
            line = self._partial.pop((index, stream, source), None)
            if line is not None:
                self._add(index, stream, line, self._lengths.pop((index, stream, source)))

    def _add(self, index: int, stream: int, line: str, length: int) -> None:
        if not self._limit.allows():
            return
        if length > len(line):
            line = f"{line}… ({length} characters)"
        entries = self._entries
        entries.append(0x94)
        pack_int(entries, index)
        entries.append(stream)
        entries += _time_form.pack(0xCB, time.time() * 1000)
        pack_str(entries, line)
        self._count += 1
        if self._count == 1:
            self._wake()
        elif self._count >= BATCH_LINES:
            self.flush(natives=False)


def _input_at_work() -> int:
    call = current()
    return NO_INPUT if call is None else call[0]


class _LineLimit:
    """A token bucket of lines."""

    def __init__(self) -> None:
        self.dropped = 0
        self._tokens: float = LOG_BURST_LINES
        self._last_s = time.perf_counter()

    def allows(self) -> bool:
        if self._tokens < 1:
            now_s = time.perf_counter()
            self._tokens = min(LOG_BURST_LINES, self._tokens + (now_s - self._last_s) * LOG_LINES_PER_SECOND)
            self._last_s = now_s
        if self._tokens < 1:
            self.dropped += 1
            return False
        self._tokens -= 1
        return True
