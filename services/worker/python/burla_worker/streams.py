"""`sys.stdout` and `sys.stderr` of the user's code."""

from __future__ import annotations

import codecs
import io
import os
import sys

from .output import Output


class CallStream(io.TextIOBase):
    """Text goes to the call that writes it; the descriptor is that of the file, for child processes."""

    encoding = "utf-8"
    errors = "replace"
    newlines = None

    def __init__(self, output: Output, stream: int, name: str) -> None:
        self._output = output
        self._stream = stream
        self.name = name
        self.mode = "w"
        self.buffer = _Bytes(output, stream, name)

    def write(self, text: str) -> int:
        if type(text) is not str and not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._output.write(self._stream, text)
        return len(text)

    def fileno(self) -> int:
        return self._stream

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def flush(self) -> None:
        self._output.write_out()

    def close(self) -> None:
        """Stays open: the next call writes to it too."""

    def reconfigure(self, **_options) -> None:
        """Lines leave by themselves, as UTF-8."""


class _Bytes(io.BufferedIOBase):
    def __init__(self, output: Output, stream: int, name: str) -> None:
        self._output = output
        self._stream = stream
        self.name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def raw(self) -> "_Bytes":
        return self

    def write(self, data) -> int:
        data = bytes(data)
        self._output.write(self._stream, self._decoder.decode(data))
        return len(data)

    def flush(self) -> None:
        self._output.write_out()

    def fileno(self) -> int:
        return self._stream

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        pass


def redirect(files: dict[int, str]) -> None:
    """Sees that descriptors 1 and 2 are these files: a container starts its program with pipes."""
    for descriptor, path in files.items():
        now, wanted = os.fstat(descriptor), os.stat(path)
        if (now.st_ino, now.st_dev) != (wanted.st_ino, wanted.st_dev):
            opened = os.open(path, os.O_WRONLY | os.O_APPEND)
            os.dup2(opened, descriptor, inheritable=True)
            os.close(opened)


def install(output: Output) -> None:
    for original in (sys.__stdout__, sys.__stderr__):
        # Whoever writes to these writes to the file, and shall not be heard only at the end.
        if isinstance(original, io.TextIOWrapper):
            original.reconfigure(write_through=True)
    sys.stdout = CallStream(output, 1, "<stdout>")
    sys.stderr = CallStream(output, 2, "<stderr>")
