"""The thread that speaks with the cluster about one job: frames out and in, dialled again when the connection is lost."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from typing import Any, Protocol

from burla_protocol import PROTOCOL_VERSION
from burla_protocol.frames import FrameDecoder, FrameError, encode_frame

from .cluster import ClusterTarget
from .errors import BurlaError
from .http_stream import HttpStream

#: A peer that has been silent for this long is taken for dead; pings go out at a third of it.
SILENCE_S = 15
_PING_S = SILENCE_S / 3
_FIRST_RETRY_S = 0.02
_MAX_RETRY_S = 2.0
#: Attempts in a row before the job is told that the cluster is gone: about half a minute.
_MAX_ATTEMPTS = 20
_CONTENT_TYPE = "application/vnd.burla.frames"
#: What waits to be sent beyond this makes whoever has more to send wait.
MAX_UNSENT_BYTES = 8 * 1024 * 1024


class Talker(Protocol):
    """The job, as its connection sees it. All of this is called in the connection's thread."""

    job_id: str
    #: The cluster has taken it: it is worth waiting for a cluster that is out of reach.
    has_begun: bool

    def connected(self) -> None:
        """A connection stands, the first or a new one: say what is needed to start or to go on."""

    def message(self, message: dict[str, Any], body: bytes) -> None: ...

    def failed(self, error: BaseException) -> None:
        """The cluster cannot be reached any more."""


class Connection(threading.Thread):
    def __init__(self, target: ClusterTarget, talker: Talker) -> None:
        super().__init__(name="burla-connection", daemon=True)
        self._target = target
        self._talker = talker
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._stream: HttpStream | None = None
        self._ending = False
        self._has_stood = False
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)

    def send(self, message: dict[str, Any], *body: bytes) -> None:
        """From any thread. Dropped when there is no connection: the job says it again in `connected`."""
        parts = encode_frame(message, *body)
        with self._lock:
            if self._stream is None:
                return
            self._stream.write(parts)
        self._wake()

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def wait_for_room(self) -> None:
        """For whoever sends much: returns when not too much waits to be sent."""
        with self._room:
            self._room.wait_for(lambda: self._stream is None or self._ending or self._stream.unsent_bytes < MAX_UNSENT_BYTES)

    def leave(self) -> None:
        """Sends what is queued and ends the thread."""
        with self._room:
            self._ending = True
            self._room.notify_all()
        self._wake()

    def _wake(self) -> None:
        if threading.current_thread() is self:
            return
        try:
            self._ring.send(b"\0", socket.MSG_DONTWAIT)
        except OSError:
            # It has enough to wake up by.
            pass

    def run(self) -> None:
        attempt, retry_s, has_failed = 0, _FIRST_RETRY_S, False
        try:
            while not self._ending:
                try:
                    self._converse(has_failed)
                    return
                except _Lost:
                    attempt, retry_s, has_failed = 0, _FIRST_RETRY_S, False
                except BurlaError as error:
                    attempt += 1
                    has_failed = True
                    if not self._may_pass(error) or not self._is_worth_waiting(attempt):
                        return self._talker.failed(error)
                    time.sleep(retry_s)
                    retry_s = min(_MAX_RETRY_S, retry_s * 2)
        except BaseException as error:
            self._talker.failed(error)
        finally:
            self._bell.close()
            self._ring.close()

    def _may_pass(self, error: BurlaError) -> bool:
        """What keeps a cluster that was there from starting anew may be over in a moment."""
        return error.code == "BURLA_UNREACHABLE" or (error.code == "BURLA_CLUSTER_START" and self._has_stood)

    def _is_worth_waiting(self, attempt: int) -> bool:
        if attempt == 1 and self._target.same_machine:
            return True
        return attempt < _MAX_ATTEMPTS and (self._talker.has_begun or self._target.is_waited_for)

    def _converse(self, has_failed: bool) -> None:
        stream = HttpStream(self._target.locate(has_failed), f"/v1/jobs/{self._talker.job_id}/channel", _CONTENT_TYPE)
        selector = selectors.DefaultSelector()
        selector.register(stream.socket, selectors.EVENT_READ)
        selector.register(self._bell, selectors.EVENT_READ)
        stream.write(encode_frame({"type": "hello", "protocolVersion": PROTOCOL_VERSION, "software": "burla python client"}))
        with self._lock:
            self._stream = stream
        self._has_stood = True
        try:
            self._talker.connected()
            self._exchange(stream, selector)
        except (BurlaError, FrameError) as error:
            if getattr(error, "code", "") == "BURLA_VERSION" or isinstance(error, FrameError):
                raise
            raise _Lost from error
        finally:
            with self._room:
                self._stream = None
                self._room.notify_all()
            selector.close()
            stream.close()

    def _exchange(self, stream: HttpStream, selector: selectors.BaseSelector) -> None:
        decoder = FrameDecoder()
        heard_s = pinged_s = time.monotonic()
        while True:
            with self._room:
                if self._ending:
                    stream.end()
                stream.flush()
                self._room.notify_all()
                if self._ending and not stream.wants_write:
                    return
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.wants_write else 0)
            selector.modify(stream.socket, events)
            selector.select(_PING_S)
            self._hush()
            now_s = time.monotonic()
            for piece in stream.read():
                heard_s = now_s
                for message, body in decoder.feed(piece):
                    self._hear(message, body)
            if now_s - heard_s > SILENCE_S:
                raise BurlaError("BURLA_UNREACHABLE", f"the other side has been silent for {SILENCE_S} s")
            if now_s - pinged_s >= _PING_S:
                pinged_s = now_s
                self.send({"type": "ping"})

    def _hear(self, message: dict[str, Any], body: bytes) -> None:
        kind = message["type"]
        if kind == "hello":
            if message.get("protocolVersion") != PROTOCOL_VERSION:
                raise BurlaError("BURLA_VERSION", f"{message.get('software')} speaks protocol {message.get('protocolVersion')}, this client {PROTOCOL_VERSION}")
        elif kind != "ping":
            self._talker.message(message, body)

    def _hush(self) -> None:
        try:
            while self._bell.recv(4096):
                pass
        except BlockingIOError:
            pass


class _Lost(Exception):
    """A connection that stood is gone."""
