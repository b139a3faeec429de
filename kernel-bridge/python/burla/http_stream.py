"""One HTTP request whose body and answer are streamed at the same time, over a socket that does not block.

One thread uses it, for both directions: a TLS connection must not be read and written by two at once.
"""

from __future__ import annotations

import socket
import ssl
from typing import Iterator
from urllib.parse import SplitResult, urlsplit

from .errors import BurlaError
from .options import ClusterAddress
from .own_socket import socket_of_url

DIAL_TIMEOUT_S = 10
_READ_BYTES = 1 << 18
_MAX_HEAD_BYTES = 64 * 1024
_LAST_CHUNK = b"0\r\n\r\n"


class HttpStream:
    """Raises BurlaError BURLA_UNREACHABLE, or BURLA_UNAUTHORIZED when the token is refused."""

    def __init__(self, address: ClusterAddress, path: str, content_type: str) -> None:
        target = urlsplit(address.url)
        #: Of a socket on this machine: main's own, or for functions in containers one of their node.
        self._path = socket_of_url(address.url)
        #: What people call it.
        self._place = self._path or address.url
        try:
            self.socket = _dial_path(self._path) if self._path is not None else _dial(target, address.certificate)
            head = (
                f"POST {target.path.rstrip('/')}{path} HTTP/1.1\r\nHost: {target.netloc if self._path is None else 'localhost'}\r\nAuthorization: Bearer {address.token}\r\n"
                f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            self.socket.sendall(head.encode("ascii"))
            self._chunks = ChunkDecoder()
            self._early = self._read_head()
        except (OSError, UnicodeError) as error:
            raise self._broken(error) from error
        self.socket.setblocking(False)
        self._outgoing = bytearray()

    @property
    def wants_write(self) -> bool:
        return bool(self._outgoing)

    @property
    def unsent_bytes(self) -> int:
        return len(self._outgoing)

    def write(self, parts: list[bytes]) -> None:
        """Queues one chunk of the request's body."""
        size = sum(map(len, parts))
        if size > 0:
            self._outgoing += b"%x\r\n" % size
            for part in parts:
                self._outgoing += part
            self._outgoing += b"\r\n"

    def end(self) -> None:
        self._outgoing += _LAST_CHUNK

    def flush(self) -> None:
        """Writes as much as the system takes."""
        try:
            while self._outgoing:
                with memoryview(self._outgoing) as view:
                    sent = self.socket.send(view[:_READ_BYTES])
                del self._outgoing[:sent]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            raise self._broken(error) from error

    def read(self) -> Iterator[bytes]:
        """The parts of the answer's body that are here. Raises BurlaError when the other side has closed."""
        if self._early:
            early, self._early = self._early, b""
            yield from self._chunks.feed(early)
        while True:
            try:
                piece = self.socket.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                raise self._broken(error) from error
            if not piece:
                raise BurlaError("BURLA_UNREACHABLE", "the other side closed the connection")
            yield from self._chunks.feed(piece)
            if len(piece) < _READ_BYTES and not _has_more(self.socket):
                return

    def close(self) -> None:
        self.socket.close()

    def _read_head(self) -> bytes:
        held = b""
        while b"\r\n\r\n" not in held:
            piece = self.socket.recv(_READ_BYTES)
            if not piece or len(held) > _MAX_HEAD_BYTES:
                raise ConnectionError("the answer is no HTTP")
            held += piece
        head, body = held.split(b"\r\n\r\n", 1)
        status = head.split(b" ", 2)[1:2]
        if status == [b"200"]:
            return body
        code = "BURLA_UNAUTHORIZED" if status in ([b"401"], [b"403"]) else "BURLA_UNREACHABLE"
        self.socket.close()
        answer = status[0].decode("latin-1") if status else "nothing"
        raise BurlaError(code, f"the cluster at {self._place} answered {answer}")

    def _broken(self, error: Exception) -> BurlaError:
        return BurlaError("BURLA_UNREACHABLE", f"no cluster at {self._place}: {error}")


def _dial_path(path: str) -> socket.socket:
    local = socket.socket(socket.AF_UNIX)
    local.settimeout(DIAL_TIMEOUT_S)
    local.connect(path)
    return local


def _dial(target: SplitResult, certificate: str | None) -> socket.socket:
    secure = target.scheme == "https"
    return _connect(target.hostname or "", target.port or (443 if secure else 80), certificate, secure)


def _connect(host: str, port: int, certificate: str | None, secure: bool) -> socket.socket:
    plain = socket.create_connection((host, port), timeout=DIAL_TIMEOUT_S)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not secure:
        return plain
    context = ssl.create_default_context(cadata=certificate)
    # A cluster's own certificate is trusted for what it is, whatever its address.
    context.check_hostname = certificate is None
    return context.wrap_socket(plain, server_hostname=host)


def _has_more(connection: socket.socket) -> bool:
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0


class ChunkDecoder:
    """The payload of a body with `Transfer-Encoding: chunked`."""

    def __init__(self) -> None:
        self._held = b""
        #: Of the current chunk, with the line end behind it.
        self._left = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        data = self._held + piece if self._held else piece
        at = 0
        while at < len(data):
            if self._left == 0:
                end = data.find(b"\r\n", at)
                if end < 0:
                    break
                size = int(data[at:end].split(b";", 1)[0], 16)
                if size == 0:
                    raise BurlaError("BURLA_UNREACHABLE", "the other side ended the conversation")
                self._left = size + 2
                at = end + 2
                continue
            part = data[at : at + self._left]
            at += len(part)
            before, self._left = self._left, self._left - len(part)
            payload = part[: max(0, before - 2)]
            if payload:
                yield payload
        self._held = data[at:]
