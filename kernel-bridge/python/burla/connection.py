"""The thread that speaks with the cluster about one job: frames out and in, dialled again when the connection is lost."""

from __future__ import annotations

import random
import selectors
import socket
import threading
import time
from typing import Any, Protocol

from burla_protocol import PROTOCOL_VERSION
from burla_protocol.frames import FrameDecoder, encode_frame

from .cluster import ClusterTarget
from .errors import BurlaError, burla_error
from .http_stream import HttpStream

#: A peer that has been silent for this long is taken for dead; pings go out at a third of it. Counted in turns in which
#: what came was read: while the program held this thread up, the peer was not silent.
SILENCE_S = 15
_PINGS = 3
_PING_S = SILENCE_S / _PINGS
_FIRST_RETRY_S = 0.02
_MAX_RETRY_S = 2.0
#: Attempts in a row before the job is told that the cluster is gone: about half a minute.
_MAX_ATTEMPTS = 20
#: A connection that stood this long was of use,
_SETTLED_S = 5.0
#: and when so many in a row were not, what this program says may be what ends them.
_MAX_SHORT_LIVED = 20
#: A local cluster that has just started may be ended at once: by chance once or twice, on purpose always.
_MAX_FRESH_DIALS = 4
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
        #: Attempts in a row without a connection on which the cluster has taken the job.
        self._attempts = 0
        #: Connections in a row that have brought no result and were lost at once.
        self._short_lived = 0
        self._retry_s = _FIRST_RETRY_S
        self._stood_s = 0.0
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
        has_failed = False
        try:
            while not self._ending:
                self._attempts += 1
                try:
                    self._converse(has_failed)
                    return
                except _Lost as lost:
                    has_failed = False
                    if time.monotonic() - self._stood_s >= _SETTLED_S:
                        self._was_of_use()
                        continue
                    self._short_lived += 1
                    if self._short_lived >= _MAX_SHORT_LIVED:
                        return self._talker.failed(lost.reason)
                except BurlaError as error:
                    has_failed = True
                    if not self._may_pass(error) or not self._is_worth_waiting(self._attempts):
                        return self._talker.failed(error)
                self._pause()
        except BaseException as error:
            self._talker.failed(_as_burla(error))
        finally:
            self._bell.close()
            self._ring.close()

    def _was_of_use(self) -> None:
        self._short_lived = 0
        self._retry_s = _FIRST_RETRY_S

    def _pause(self) -> None:
        """Twice as long each time, and by chance shorter: many do not come at once."""
        time.sleep(self._retry_s * (0.5 + random.random() / 2))
        self._retry_s = min(_MAX_RETRY_S, self._retry_s * 2)

    def _may_pass(self, error: BurlaError) -> bool:
        """What keeps a cluster that was there from starting anew may be over in a moment."""
        return error.code == "BURLA_UNREACHABLE" or (error.code == "BURLA_CLUSTER_START" and self._has_stood)

    def _is_worth_waiting(self, attempt: int) -> bool:
        if attempt < _MAX_FRESH_DIALS and self._target.same_machine:
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
        self._stood_s = time.monotonic()
        try:
            self._talker.connected()
            self._exchange(stream, selector)
        except BurlaError as error:
            if not self._may_pass(error):
                raise
            raise _Lost(error) from error
        finally:
            with self._room:
                self._stream = None
                self._room.notify_all()
            selector.close()
            stream.close()

    def _exchange(self, stream: HttpStream, selector: selectors.BaseSelector) -> None:
        decoder = FrameDecoder()
        pinged_s = time.monotonic()
        silent_pings = 0
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
            for piece in stream.read():
                silent_pings = 0
                for message, body in decoder.feed(piece):
                    self._hear(message, body)
            now_s = time.monotonic()
            if now_s - pinged_s < _PING_S:
                continue
            if silent_pings >= _PINGS:
                raise BurlaError("BURLA_UNREACHABLE", f"the other side has been silent for {SILENCE_S} s")
            silent_pings += 1
            pinged_s = now_s
            self.send({"type": "ping"})

    def _hear(self, message: dict[str, Any], body: bytes) -> None:
        kind = message["type"]
        if kind == "hello":
            if message.get("protocolVersion") != PROTOCOL_VERSION:
                raise BurlaError("BURLA_VERSION", f"{message.get('software')} speaks protocol {message.get('protocolVersion')}, this client {PROTOCOL_VERSION}")
        elif kind == "farewell":
            raise burla_error(message["code"], f"the other side ended the connection: {message['message']}".split("\n")[0])
        elif kind != "ping":
            if kind == "accepted":
                self._attempts = 0
            elif kind in ("results", "finished"):
                self._was_of_use()
            self._talker.message(message, body)

    def _hush(self) -> None:
        try:
            while self._bell.recv(4096):
                pass
        except BlockingIOError:
            pass


class _Lost(Exception):
    """A connection that stood is gone."""

    def __init__(self, reason: BurlaError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _as_burla(error: BaseException) -> BaseException:
    """What cannot be made sense of is a fault of Burla, and says so."""
    if isinstance(error, BurlaError) or not isinstance(error, Exception):
        return error
    fault = BurlaError("BURLA_PROTOCOL", f"what the cluster said of the job cannot be read: {type(error).__name__}: {error}")
    fault.__cause__ = error
    return fault
