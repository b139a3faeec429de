"""Everything that a call prints, on the input that printed it.

Python's own writes come through `sys.stdout` and `sys.stderr`; what native code and child processes write to file
descriptors 1 and 2 lands in files, of which it is read between calls what has been added. All of it is written to the files
that the node reads at once: whatever follows may end this process, or take long. Text without an end of line follows when it
is flushed, as in every Python, and else as soon as another thread comes to it.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Callable, Tuple

from burla_protocol.call import current

from .link import Link
from .native_file import NativeFile
from .pace import ANNOUNCE_MS, LOG_BURST_LINES, LOG_LINES_PER_SECOND, WATCHED_CALLS
from .partial_line import NO_LINE, PartialLine
from .printed_files import Parts, PrintedFiles

NO_INPUT = -1
_NATIVE = ":native"
_ANNOUNCE_S = ANNOUNCE_MS / 1000
#: So much is written at once, and may be above it by a line.
_WRITE_BYTES = 1 << 18

# Taken now: the user's code may replace it.
_clock = time.perf_counter

#: Input, stream and source.
_Key = Tuple[int, int, str]
_ANNOUNCEMENT = {"type": "printed"}


class Output:
    """Nothing is shared while parts are put together: what a signal's handler prints in between is written before them."""

    def __init__(self, files: dict[int, str], link: Link, wake: Callable[[], None]) -> None:
        """:param wake: calls for a `flush`, by another thread."""
        self._link = link
        self._wake = wake
        self._lock = threading.RLock()
        self._is_abandoned = False
        self._natives = {stream: NativeFile(path) for stream, path in files.items()}
        self._printed = PrintedFiles(files[1])
        self._partial: dict[_Key, PartialLine] = {}
        #: Those of them that the node cannot read in full.
        self._untold: set[_Key] = set()
        self._limit = _LineLimit()
        #: Written and not announced.
        self._has_news = False
        self._announced_s = float("-inf")
        self._watched_calls = WATCHED_CALLS
        self._note_begin()

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
        with self._lock:
            parts = Parts()
            self._write(parts, _input_at_work(), stream, text, "")
            self._commit(parts)

    def write_out(self) -> None:
        """What was written so far leaves this process, lines without an end too."""
        if not self._untold or self._is_abandoned:
            return
        with self._lock:
            parts = Parts()
            self._tell_partial(parts)
            self._commit(parts)

    def ended(self, index: int) -> None:
        """To be called when a call has ended: unfinished lines are its own."""
        if self._watched_calls > 0:
            self._watched_calls -= 1
            self._read_native(index)
        if self._partial:
            with self._lock:
                parts = Parts()
                self._end_lines(parts, index, 1)
                self._end_lines(parts, index, 2)
                self._commit(parts)

    def flush(self) -> None:
        """Tells the node of what was printed, native output included."""
        with self._lock:
            self._read_native(_input_at_work())
            if self._untold or self._limit.dropped > 0:
                self._write_rest()
            if self._has_news:
                self._has_news = False
                self._announced_s = _clock()
                self._link.send(_ANNOUNCEMENT)

    def end(self) -> None:
        """Ends unfinished lines too: the process is about to end."""
        with self._lock:
            parts = Parts()
            for index, stream, _source in list(self._partial):
                self._end_lines(parts, index, stream)
            self._commit(parts)
            self.flush()

    def _note_begin(self) -> None:
        """What was in the files before is nobody's."""
        parts = Parts()
        for stream, native in self._natives.items():
            if native.position > 0:
                parts.read(stream, native.position)
        self._printed.write(parts)

    def _read_native(self, index: int) -> None:
        for stream, native in self._natives.items():
            if not native.has_grown():
                continue
            with self._lock:
                text, dropped_bytes = native.read()
                self._watched_calls = WATCHED_CALLS
                parts = Parts()
                self._write(parts, index, stream, text, _NATIVE)
                if dropped_bytes > 0:
                    self._end_lines(parts, index, stream)
                    self._add(parts, index, stream, f"… {dropped_bytes} bytes were dropped", 0)
                parts.read(stream, native.position)
                self._commit(parts)

    def _write(self, parts: Parts, index: int, stream: int, text: str, source: str) -> None:
        key = (index, stream, source)
        begin, *others = text.split("\n")
        before = self._partial.pop(key, NO_LINE)
        line = before.extended(begin)
        if others:
            if before.told:
                parts.whole(_name(key))
            for following in others:
                self._add(parts, index, stream, line.kept, line.length)
                line = NO_LINE.extended(following)
                if parts.size > _WRITE_BYTES:
                    self._put(parts)
        if line.is_over:
            line = self._updated(parts, index, stream, line)
        if line.length > 0:
            self._partial[key] = line
        if line.to_tell != line.told:
            self._untold.add(key)
        else:
            self._untold.discard(key)

    def _updated(self, parts: Parts, index: int, stream: int, line: PartialLine) -> PartialLine:
        """The state of a line that is written over is sent now and then."""
        now_s = _clock()
        update = line.due_update(now_s)
        if update is None or not self._limit.has_room or not self._limit.allows():
            return line
        parts.line(index, stream, update)
        return line._replace(sent=line.kept, sent_s=now_s)

    def _tell_partial(self, parts: Parts) -> None:
        untold, self._untold = self._untold, set()
        if not self._limit.has_room:
            return
        for key in untold:
            line = self._partial.get(key, NO_LINE)
            text, told = line.to_tell, line.told
            if text == told:
                continue
            if not text.startswith(told):
                parts.whole(_name(key))
                told = ""
            index, stream, _source = key
            parts.partial(_name(key), index, stream, text[len(told) :])
            self._partial[key] = line._replace(told=text)

    def _end_lines(self, parts: Parts, index: int, stream: int) -> None:
        for source in ("", _NATIVE):
            key = (index, stream, source)
            line = self._partial.pop(key, NO_LINE)
            if line.told:
                parts.whole(_name(key))
            if line.length > 0 and not line.is_erased:
                self._add(parts, index, stream, line.kept, line.length)

    def _add(self, parts: Parts, index: int, stream: int, line: str, length: int) -> None:
        if not self._limit.allows():
            return
        if length > len(line):
            line = f"{line}… ({length} characters)"
        parts.line(index, stream, line)

    def _write_rest(self) -> None:
        parts = Parts()
        self._tell_partial(parts)
        if self._limit.dropped > 0:
            dropped, self._limit.dropped = self._limit.dropped, 0
            parts.dropped(dropped)
        self._put(parts)
        self._has_news = True

    def _put(self, parts: Parts) -> None:
        self._limit.dropped += self._printed.write(parts)

    def _commit(self, parts: Parts) -> None:
        if parts.size > 0:
            self._put(parts)
            now_s = _clock()
            if now_s - self._announced_s >= _ANNOUNCE_S and self._link.send_now(_ANNOUNCEMENT):
                self._announced_s, self._has_news = now_s, False
                if not self._untold:
                    return
        elif not self._untold and self._limit.dropped == 0:
            return
        if not self._has_news:
            self._has_news = True
            self._wake()


def _name(key: _Key) -> str:
    index, stream, source = key
    return f"{stream}:{index}{source}"


def _input_at_work() -> int:
    call = current()
    return NO_INPUT if call is None else call[0]


class _LineLimit:
    """A token bucket of lines."""

    def __init__(self) -> None:
        self.dropped = 0
        self._tokens: float = LOG_BURST_LINES
        self._last_s = _clock()

    @property
    def has_room(self) -> bool:
        return self._tokens >= 1

    def allows(self) -> bool:
        if self._tokens < 1:
            now_s = _clock()
            self._tokens = min(LOG_BURST_LINES, self._tokens + (now_s - self._last_s) * LOG_LINES_PER_SECOND)
            self._last_s = now_s
        if self._tokens < 1:
            self.dropped += 1
            return False
        self._tokens -= 1
        return True
