"""One job of this program: inputs out under credit, results in, taken up again when the connection was lost."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import deque
from contextvars import Context
from typing import Any, Iterable

from burla_protocol.call import SETUP_INDEX
from burla_protocol.messagepack import unpack

from .capture import Bundle
from .cluster import ClusterTarget
from .connection import Connection
from .errors import BurlaError, from_envelope, told_error
from .inputs import InputPump
from .limits import Limits
from .options import LogLine, Options, Progress
from .pickling import ValuePickler
from .results import ResultBuffer, Settled
from .spec import job_spec

#: Positions are told no more often: each message costs both sides a system call.
_POSITION_S = 0.02
#: In order of the inputs, pulling stays this far ahead of the consumer at least.
_MIN_AHEAD_INPUTS = 64
#: One chunk may go before main has answered: the first result need not wait for a round trip.
_FIRST_CREDIT = (8, 1 << 20, 8)
#: After a cancel, so long is waited for the cluster's word.
_CANCEL_PATIENCE_S = 5.0


class Job:
    """Used by the consumer's thread, by the connection's and by the one that pulls inputs."""

    def __init__(self, job_id: str, target: ClusterTarget, options: Options) -> None:
        self.job_id = job_id
        self.has_begun = False
        self._options = options
        self._target = target
        self._connection = Connection(target, self)
        #: What the consumer's thread is told: it opens values, prints lines and calls back.
        self._news: queue.SimpleQueue[tuple[str, Any, Any]] = queue.SimpleQueue()
        #: Inputs that could not be pickled, until their results come.
        self._refusals: dict[int, BurlaError] = {}
        self._limits = None if options.timeout_ms is None else Limits(options.timeout_ms / 1000)
        self._results = ResultBuffer(options.order, self._take, self._refusals, self._limits)
        self._lock = threading.RLock()
        self._pump: InputPump | None = None
        self._submit: dict[str, Any] | None = None
        self._code = b""
        self._unstored: dict[int, tuple[dict[str, Any], bytes]] = {}
        self._credit = _FIRST_CREDIT
        self._expected: int | None = None
        self._inputs_ended: int | None = None
        self._end_stored = threading.Event()
        self._lines_after: int | None = None
        self._cancel_reason: str | None = None
        self._acked_s = 0.0
        self._seen_seq = 0
        self._taken_seq = 0
        self._told_seq = 0
        self._ended = threading.Event()
        self._outcome: BaseException | str | None = None
        self._failure: BaseException | None = None
        self._left = False
        #: With `lookahead`: taken from the results, and not yet by the consumer, to whom they are given one by one.
        self._held: deque[Settled] = deque()
        self._given = 0

    # --- what the consumer's thread calls

    def submit(self, bundle: Bundle, pickler: ValuePickler, inputs: Iterable[Any], surroundings: dict[str, Any], context: Context) -> None:
        spec = job_spec(bundle, self._options, self._target, surroundings, isinstance(inputs, (list, tuple, range)))
        self._submit = {"type": "submit", "jobId": self.job_id, "spec": spec, "codeBytes": len(bundle.code)}
        self._code = bundle.code
        self._lines_after = 0
        try:
            self._expected = len(inputs)  # type: ignore[arg-type]
        except TypeError:
            pass
        self._pump = InputPump(inputs, pickler, self._push, self._end_inputs, self._inputs_failed, context, self._refusals.__setitem__, self._limits)
        self._bound()
        self._connection.start()
        self._allow()
        self._pump.start()

    def attach(self) -> None:
        self.has_begun = True
        self._end_stored.set()
        self._connection.start()

    def next(self) -> deque[Settled] | LogLine | Progress | None:
        """The next entries, or news for people; None after the last one.

        Raises what ended the job once all that arrived before it was taken.
        """
        while True:
            entries = self._results.take() if self._options.lookahead is None else self._take_one()
            if entries:
                if self._options.order == "input":
                    self._allow()
                return entries
            self._tell_position()
            if isinstance(self._outcome, BaseException):
                raise self._outcome
            if self._outcome is not None:
                return None
            kind, what, body = self._news.get()
            if kind == "results":
                self._results.add(what, body)
            elif kind == "end":
                self._outcome = self._outcome or what
                if what == "done":
                    self._results.end()
            else:
                return what

    def _take_one(self) -> deque[Settled]:
        if not self._held:
            self._held = self._results.take()
        if not self._held:
            return self._held
        self._given += 1
        self._bound()
        return deque((self._held.popleft(),))

    def _bound(self) -> None:
        if self._pump is not None and self._options.lookahead is not None:
            self._pump.limit(self._given + self._options.lookahead)

    def cancel(self, reason: str, error: BaseException) -> None:
        """Cancels on the cluster, and waits a moment until it says so."""
        if self._left or self._ended.is_set():
            return
        self._cancel_reason = reason
        self._stop_pump()
        self._connection.send({"type": "cancel", "jobId": self.job_id, "reason": reason})
        self._outcome = self._outcome or error
        self._wake(error)
        # One that runs already has to hear of it, also when this is the first that is said to it. A value may be forgotten in any
        # thread, also in the one that would be told.
        if (self._connection.is_open or self._submit is None) and threading.current_thread() is not self._connection:
            self._ended.wait(_CANCEL_PATIENCE_S)

    def leave(self) -> None:
        """The consumer has everything, or wants no more: main may forget the job."""
        if self._left:
            return
        self._left = True
        self._stop_pump()
        self._wake(BurlaError("BURLA_CANCELLED", "the results of this job are not read any more: they were closed"))
        self._tell_position(now=True)
        self._connection.send({"type": "leave", "jobId": self.job_id})
        self._connection.leave()

    def wait_uploaded(self) -> None:
        """Returns when all inputs are on disk in main. Raises what ended the job before."""
        self._end_stored.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def is_over(self) -> bool:
        return self._outcome is not None or self._ended.is_set()

    def _wake(self, error: BaseException) -> None:
        """Another thread may wait for results."""
        self._news.put(("end", error, None))

    # --- what the connection's thread calls

    def connected(self) -> None:
        with self._lock:
            if self._submit is not None and not self.has_begun:
                if self._cancel_reason is not None:
                    return self._finish(BurlaError("BURLA_CANCELLED", "the job was cancelled before it began"))
                # Again, and whole, when the connection was lost before main had accepted it: main takes it for the same job.
                self._connection.send(self._submit, self._code)
                return self._send_unstored()
            push = self._pump is not None and self._cancel_reason is None
            attach = {"type": "attach", "jobId": self.job_id, "afterSeq": self._seen_seq, "push": push, "linesAfter": self._lines_after}
            self._connection.send(attach)
            if push:
                self._send_unstored()
            if self._cancel_reason is not None:
                self._connection.send({"type": "cancel", "jobId": self.job_id, "reason": self._cancel_reason})

    def message(self, message: dict[str, Any], body: bytes) -> None:
        if message.get("jobId") != self.job_id:
            return
        handle = getattr(self, f"_hear_{message['type']}", None)
        if handle is not None:
            handle(message, body)

    def failed(self, error: BaseException) -> None:
        self._finish(error)

    def _hear_accepted(self, message: dict[str, Any], _body: bytes) -> None:
        with self._lock:
            self.has_begun = True
            self._forget_stored(message["chunksStored"])
        if message["inputsEnded"]:
            self._end_stored.set()

    def _hear_credit(self, message: dict[str, Any], _body: bytes) -> None:
        with self._lock:
            self._forget_stored(message["chunksStored"])
            inputs, bytes_, _ = self._credit
            self._credit = (max(inputs, message["inputs"]), max(bytes_, message["bytes"]), message["chunkInputs"])
        self._allow()

    def _hear_results(self, message: dict[str, Any], body: bytes) -> None:
        self._seen_seq = max(self._seen_seq, message["seq"])
        self._news.put(("results", message, body))

    def _hear_logs(self, message: dict[str, Any], body: bytes) -> None:
        self._lines_after = message["position"]
        node = message["nodeId"]
        for index, stream, time_ms, text in unpack(body) if body else []:
            self._news.put(("people", LogLine(max(index, -1), _origin_of(index), "stdout" if stream == 1 else "stderr", text, time_ms / 1000, node), None))
        if message["droppedLines"] > 0:
            text = f"… {message['droppedLines']} lines were dropped"
            self._news.put(("people", LogLine(-1, "other", "stderr", text, time.time(), node), None))

    def _hear_progress(self, message: dict[str, Any], _body: bytes) -> None:
        numbers = {name: message[name] for name in ("phase", "reason", "nodes", "workers", "pushed", "running", "done", "failed")}
        total = self._inputs_ended if self._inputs_ended is not None else self._expected
        self._news.put(("people", Progress(job_id=self.job_id, total=total, lost_workers=message["lostWorkers"], **numbers), None))

    def _hear_codeNeeded(self, _message: dict[str, Any], _body: bytes) -> None:
        """Main has lost the code: before it has taken the job, all is said again."""
        if self._submit is None:
            return
        if self.has_begun:
            self._connection.send({"type": "code", "jobId": self.job_id}, self._code)
        else:
            self.connected()

    def _hear_finished(self, message: dict[str, Any], body: bytes) -> None:
        envelopes = unpack(body) if body else []
        if envelopes:
            self._finish(_load_error(*map(from_envelope, envelopes)))
        elif message["outcome"] == "cancelled":
            self._finish(BurlaError("BURLA_CANCELLED", f"the job was cancelled: {message['reason']}"))
        elif message["outcome"] == "failed" and message["failed"] == 0:
            self._finish(BurlaError("BURLA_INTERRUPTED", message["reason"]))
        else:
            self._finish("done")

    def _hear_refused(self, message: dict[str, Any], _body: bytes) -> None:
        self._finish(told_error(message["code"], message["message"]))

    # --- what the thread that pulls inputs calls

    def _push(self, chunk_id: int, first: int, count: int, body: bytes) -> None:
        self._connection.wait_for_room()
        message = {"type": "inputs", "jobId": self.job_id, "chunkId": chunk_id, "first": first, "count": count}
        with self._lock:
            self._unstored[chunk_id] = (message, body)
            self._connection.send(message, body)

    def _end_inputs(self, total: int) -> None:
        with self._lock:
            self._inputs_ended = total
            self._connection.send({"type": "inputsEnd", "jobId": self.job_id, "total": total})

    def _inputs_failed(self, error: BaseException) -> None:
        # Noted first: it is what the consumer is to hear, not that the cluster has cancelled the job.
        self._failure = self._failure or error
        self._cancel_reason = "the inputs failed"
        self._connection.send({"type": "cancel", "jobId": self.job_id, "reason": self._cancel_reason})
        self._finish(error, ended=False)

    # --- shared

    def _send_unstored(self) -> None:
        """Main passes over the chunks that it has."""
        for message, body in self._unstored.values():
            self._connection.send(message, body)
        if self._inputs_ended is not None:
            self._connection.send({"type": "inputsEnd", "jobId": self.job_id, "total": self._inputs_ended})

    def _allow(self) -> None:
        """In order of the inputs the consumer's own position limits how far pulling runs ahead."""
        pump = self._pump
        if pump is None:
            return
        inputs, bytes_, chunk_inputs = self._credit
        if self._options.order == "input" and not self._options.detach:
            inputs = min(inputs, self._results.count + max(_MIN_AHEAD_INPUTS, 8 * chunk_inputs))
        pump.allow(inputs, bytes_, chunk_inputs)

    def _forget_stored(self, chunks_stored: int) -> None:
        for chunk_id in [known for known in self._unstored if known < chunks_stored]:
            del self._unstored[chunk_id]

    def _take(self, seq: int) -> None:
        self._taken_seq = seq
        if time.monotonic() - self._acked_s >= _POSITION_S:
            self._tell_position(now=True)

    def _tell_position(self, now: bool = False) -> None:
        if self._taken_seq > self._told_seq and (now or self._taken_seq >= self._seen_seq):
            self._told_seq = self._taken_seq
            self._acked_s = time.monotonic()
            self._connection.send({"type": "ack", "jobId": self.job_id, "seq": self._taken_seq})

    def _stop_pump(self) -> None:
        if self._pump is not None:
            self._pump.stop()

    def _finish(self, outcome: BaseException | str, ended: bool = True) -> None:
        self._stop_pump()
        if isinstance(outcome, BaseException):
            outcome = self._failure = self._failure or outcome
        self._news.put(("end", outcome, None))
        self._end_stored.set()
        if ended:
            self._ended.set()


def _origin_of(index: int) -> str:
    return "call" if index >= 0 else "setup" if index == SETUP_INDEX else "other"


def _load_error(cause: BaseException, *causes: BaseException) -> BaseException:
    """The errors of a job as a whole that come in envelopes: what the user's modules raised when they were imported, or one of ours and its cause."""
    if isinstance(cause, BurlaError):
        cause.__cause__ = causes[0] if causes else None
        return cause
    cure = f"The cause is what the workers met. They run {sys.executable} on the local cluster, else the cluster's own Python."
    error = BurlaError("BURLA_LOAD", f"the function could not be loaded: {type(cause).__name__}: {cause}", cure)
    error.__cause__ = cause
    return error
