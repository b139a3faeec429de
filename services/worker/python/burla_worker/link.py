"""The conversation with the node: frames over a Unix socket, written by several threads, read by one."""

from __future__ import annotations

import socket
import threading
from typing import Callable

from burla_protocol import PROTOCOL_VERSION
from burla_protocol.frames import FrameDecoder, encode_frame

_READ_BYTES = 1 << 20

Message = "dict[str, Any]"


class Link:
    def __init__(self, path: str, software: str) -> None:
        self.is_abandoned = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._lock = threading.Lock()
        self._queued: list[bytes] = []
        self.send({"type": "hello", "protocolVersion": PROTOCOL_VERSION, "software": software})

    def send(self, message: Message, *body: bytes) -> None:
        """Queues a message, which leaves with the next `flush`. Raises FrameError for one above the limits."""
        parts = encode_frame(message, *body)
        with self._lock:
            self._queued += parts

    def send_now(self, message: Message) -> bool:
        """Sends a message, and what waits before it. Returns False without sending it when another thread, or the code that
        a signal has interrupted, is about to send, and when nobody listens.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._queued += encode_frame(message)
            self._send_queued()
        except OSError:
            return False
        finally:
            self._lock.release()
        return True

    def flush(self) -> None:
        with self._lock:
            self._send_queued()

    def _send_queued(self) -> None:
        if not self._queued:
            return
        queued, self._queued = self._queued, []
        # Joined unless it is large: a system call costs more than a copy of some kilobytes.
        if sum(map(len, queued)) <= _READ_BYTES:
            queued = [b"".join(queued)]
        for part in queued:
            self._socket.sendall(part)

    def abandon(self) -> None:
        """In a fork of this process: the conversation stays with the original."""
        self.is_abandoned = True
        self._lock = threading.Lock()
        self._queued = []
        self._socket.close()

    def read(self, receive: Callable[[Message, bytes], None]) -> None:
        """Gives each message that comes, until the node hangs up."""
        decoder = FrameDecoder()
        while True:
            piece = self._socket.recv(_READ_BYTES)
            if not piece:
                return
            for message, body in decoder.feed(piece):
                if message["type"] == "hello":
                    _check_version(message)
                elif message["type"] != "ping":
                    receive(message, body)


def _check_version(hello: Message) -> None:
    if hello.get("protocolVersion") != PROTOCOL_VERSION:
        raise RuntimeError(f"the node speaks protocol {hello.get('protocolVersion')}, this worker {PROTOCOL_VERSION}")
