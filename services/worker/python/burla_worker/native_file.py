"""What was added to the file behind a descriptor since the last look."""

from __future__ import annotations

import codecs
import os

from .pace import NATIVE_READ_BYTES, TRUNCATE_BYTES


class NativeFile:
    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        #: So far it was read.
        self.position = os.fstat(self._fd).st_size
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def has_grown(self) -> bool:
        return os.fstat(self._fd).st_size != self.position

    def read(self) -> tuple[str, int]:
        """The text, and how many bytes were dropped."""
        size = os.fstat(self._fd).st_size
        if size < self.position:
            # The node has emptied it: what it held is counted as dropped, as far as it is known.
            dropped, self.position = self.position, 0
            return "", dropped
        data = os.pread(self._fd, min(size - self.position, NATIVE_READ_BYTES), self.position)
        dropped = size - self.position - len(data)
        self.position = size
        if size > TRUNCATE_BYTES:
            os.ftruncate(self._fd, 0)
            self.position = 0
        return self._decoder.decode(data), dropped
