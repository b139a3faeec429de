"""What a worker has been given and what it has to say: grants in, results and lines out. Calls nothing of the user's.

Used by the thread (or threads) that run calls, by the one that reads the socket, and by the `Ticker`.
"""

from __future__ import annotations

import threading
import time
from math import inf
from typing import Any

from burla_protocol.failures import burla_failure, to_envelope
from burla_protocol.values import in_short

from .forked import leave
from .grant import Grant
from .inputs import CLOSED, Inputs, Refused
from .link import Link
from .output import Output
from .own_files import is_ours
from .pace import FLUSH_SHARE, GIVE_BACK_MS, LEAD_MS, MAX_FLUSH_MS, MIN_FLUSH_MS

clock = time.perf_counter

_GIVE_BACK_S = GIVE_BACK_MS / 1000
_LEAD_S = LEAD_MS / 1000


class Claim:
    """One call that is about to be made."""

    __slots__ = ("grant", "index", "input")

    def __init__(self, grant: Grant, index: int, value: Any) -> None:
        self.grant = grant
        self.index = index
        #: `CLOSED` when its chunk has not been opened as a whole: that runs code of the user's, which the desk does not do.
        self.input = value

    def open(self) -> Any:
        """The input. Raises whatever its own code raises."""
        return self.grant.inputs.take(self.index - self.grant.first)


class Desk:
    def __init__(self, link: Link, output: Output) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.grants: list[Grant] = []
        self.concurrency = 1
        self.timed = False
        self._link = link
        self._output = output
        self._began_s = self._flushed_s = clock()
        #: Calls begun and not settled, over all grants.
        self.running = 0
        #: Grants so far.
        self.received = 0
        #: Those of the grant that came last.
        self._latest: Inputs | None = None

    def begin(self, concurrency: int, timed: bool) -> None:
        with self.changed:
            self.concurrency, self.timed = concurrency, timed
            self._output.begin()
            self._began_s = self._flushed_s = clock()

    def enqueue(self, message: dict[str, Any], body: bytes) -> None:
        with self.changed:
            inputs = Inputs(body, apart=self.timed or message["attempt"] > 1, earlier=self._latest)
            self._latest = inputs
            self.grants.append(Grant(message, inputs))
            self.received += 1
            self.changed.notify_all()

    @property
    def waiting(self) -> int:
        """Inputs that have not begun."""
        return sum(grant.to - grant.next for grant in self.grants)

    def wait_for_claim(self) -> Claim:
        """The next call, as soon as there is one and room for it."""
        with self.changed:
            while True:
                claim = self.claim()
                if claim is not None:
                    return claim
                self.changed.wait()

    def claim(self) -> Claim | None:
        """The next call, if there is one and room for it. What is due to be sent is sent on the way."""
        with self.changed:
            now_s = clock()
            grant = self._next_grant(now_s)
            if grant is None:
                return None
            if self._is_time_to_flush(grant, now_s) or self._comes_near_end(grant, now_s):
                self.flush()
            position = grant.next
            grant.next = position + 1
            grant.running += 1
            self.running += 1
            if grant.began_s == inf:
                grant.began_s = now_s
            inputs, value = grant.inputs.values, CLOSED
            if inputs is not None:
                value, inputs[position] = inputs[position], None
            index = grant.first + position
        if self.timed:
            self._announce(grant, index)
        return Claim(grant, index, value)

    def _next_grant(self, now_s: float) -> Grant | None:
        if self.running >= self.concurrency:
            return None
        for grant in list(self.grants):
            if grant.next >= grant.to:
                continue
            if now_s - grant.began_s <= _GIVE_BACK_S:
                return grant
            self._give_back(grant)
        return None

    def settle(self, claim: Claim, value: Any, seconds: float) -> None:
        if self._link.is_abandoned:
            leave(None)
        with self.changed:
            claim.grant.batch.add_value(claim.index, value, seconds)
            self._settled(claim)

    def settle_failed(self, claim: Claim, error: BaseException, seconds: float) -> None:
        if self._link.is_abandoned:
            leave(error)
        self._settle_failed(claim, to_envelope(error, is_ours), seconds)

    def settle_unreadable(self, claim: Claim, error: BaseException, seconds: float) -> None:
        """The input itself could not be had."""
        if type(error) is Refused:
            with self.changed:
                claim.grant.batch.refuse(claim.index, burla_failure(*error.refusal), seconds)
                return self._settled(claim)
        message = f"inputs[{claim.index}] cannot be read where the function runs: {in_short(error)}"
        self._settle_failed(claim, burla_failure("BURLA_INPUT", message), seconds)

    def _settle_failed(self, claim: Claim, envelope: dict[str, Any], seconds: float) -> None:
        with self.changed:
            claim.grant.batch.add_failure(claim.index, envelope, seconds)
            self._settled(claim)

    def _settled(self, claim: Claim) -> None:
        self._output.ended(claim.index)
        claim.grant.running -= 1
        self.running -= 1
        self._forget_if_done(claim.grant)
        if self.concurrency > 1:
            self.changed.notify_all()

    def flush_s(self, now_s: float) -> float:
        return min(MAX_FLUSH_MS / 1000, max(MIN_FLUSH_MS / 1000, (now_s - self._began_s) * FLUSH_SHARE))

    def _is_time_to_flush(self, following: Grant, now_s: float) -> bool:
        """Between two grants a little earlier: results of each are a message of their own."""
        is_between = following.next == following.start
        return now_s - self._flushed_s >= self.flush_s(now_s) * (0.5 if is_between else 1)

    def flush(self) -> None:
        """Sends all results and lines; what a call has printed before its result."""
        self._flushed_s = clock()
        self._output.flush()
        with self.changed:
            for grant in self.grants:
                self._send_batch(grant)
        self._link.flush()

    def tick(self) -> None:
        """What is due although a call has been running for long: by another thread than the one that runs it."""
        now_s = clock()
        with self.changed:
            for grant in list(self.grants):
                if grant.next < grant.to and now_s - grant.began_s > _GIVE_BACK_S:
                    self._give_back(grant)
        if now_s - self._flushed_s >= self.flush_s(now_s):
            self.flush()
        else:
            self._output.flush()
            self._link.flush()

    def _comes_near_end(self, grant: Grant, now_s: float) -> bool:
        """True once, before the last calls of the last grant, if there have been some whose results wait."""
        done = grant.next - grant.start
        if grant.said_near_end or len(self.grants) > 1 or done == 0:
            return False
        left, ran_s = grant.to - grant.next, now_s - grant.began_s
        if ran_s < _LEAD_S or (left > self.concurrency and left * ran_s / done > _LEAD_S):
            return False
        grant.said_near_end = True
        return True

    def _give_back(self, grant: Grant) -> None:
        begin, grant.next = grant.next, grant.to
        self._send_batch(grant)
        self._link.send({"type": "givenBack", "grantId": grant.id, "from": begin})
        self._forget_if_done(grant)

    def _forget_if_done(self, grant: Grant) -> None:
        """The answer leaves with those of the grants that follow at once, or when there are none."""
        if grant.running > 0 or grant.next < grant.to or grant not in self.grants:
            return
        self.grants.remove(grant)
        self._output.flush()
        self._send_batch(grant)
        if not self.grants:
            self.flush()

    def _announce(self, grant: Grant, index: int) -> None:
        with self.changed:
            self._send_batch(grant)
            self._link.send({"type": "started", "grantId": grant.id, "index": index})
        self._link.flush()

    def _send_batch(self, grant: Grant) -> None:
        batch = grant.take_batch()
        if batch is None:
            return
        for message, values, errors in batch.encode():
            self._link.send(message, values, errors)
