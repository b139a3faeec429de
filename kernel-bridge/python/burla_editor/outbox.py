"""Gathers what a job tells, so that the extension hears of it some times a second and not once per input."""

from __future__ import annotations

import threading
from typing import Any, Optional, TextIO

from .channel import Channel

_FLUSH_S = 0.06
_MAX_ROWS = 1_000
_MAX_PRINTED = 1_000
_MAX_LINE = 4_000


class Outbox:
    """The only writer of the file of results."""

    def __init__(self, spool: str, channel: Channel) -> None:
        self._file = open(spool, "ab")
        self._channel = channel
        self._bytes = self._file.tell()
        self._rows: list[tuple[dict[str, Any], bytes]] = []
        self._printed: list[str] = []
        self._printed_count = 0
        self._progress: Optional[dict[str, Any]] = None
        self._lock = threading.Lock()
        #: Set when there is something to tell.
        self._has_more = threading.Event()
        self._is_over = threading.Event()
        self._writer = threading.Thread(target=self._work, name="burla-outbox", daemon=True)
        self._writer.start()

    def row(self, row: dict[str, Any], line: str) -> None:
        with self._lock:
            self._rows.append((row, line.encode("utf-8")))
            is_full = len(self._rows) >= _MAX_ROWS
        self._has_more.set()
        if is_full:
            self.flush()

    def progress(self, progress: dict[str, Any]) -> None:
        self._progress = progress
        self._has_more.set()

    def read(self, printed: TextIO) -> None:
        """Lines that the code of the inputs prints; beyond the limit they are dropped, with a word about it."""

        def hear() -> None:
            for line in printed:
                self._printed_count += 1
                if self._printed_count <= _MAX_PRINTED:
                    with self._lock:
                        self._printed.append(line.rstrip("\n")[:_MAX_LINE] if self._printed_count < _MAX_PRINTED else "… further lines are not shown")
                    self._has_more.set()

        threading.Thread(target=hear, name="burla-printed", daemon=True).start()

    def flush(self) -> None:
        """Returns when all that has gathered has been said: rows that somebody was told of are in the file."""
        with self._lock:
            rows, self._rows = self._rows, []
            lines, self._printed = self._printed, []
            progress, self._progress = self._progress, None
            if lines:
                self._channel.say({"type": "printed", "lines": lines})
            for at in range(0, len(rows), _MAX_ROWS):
                self._say_rows(rows[at : at + _MAX_ROWS])
        if progress is not None:
            self._channel.say({"type": "progress", "progress": progress})

    def close(self) -> None:
        self._is_over.set()
        self._has_more.set()
        self._writer.join()
        self.flush()
        self._file.close()

    def _say_rows(self, entries: list[tuple[dict[str, Any], bytes]]) -> None:
        rows = []
        for row, line in entries:
            rows.append({**row, "offset": self._bytes, "bytes": len(line)})
            self._bytes += len(line) + 1
        self._file.write(b"".join(line + b"\n" for _, line in entries))
        self._file.flush()
        self._channel.say({"type": "rows", "rows": rows})

    def _work(self) -> None:
        while not self._is_over.is_set():
            self._has_more.wait()
            self._has_more.clear()
            self.flush()
            self._is_over.wait(_FLUSH_S)
