"""The heart of the worker: call, settle, answer. One call at a time in the main thread, several in threads or a loop."""

from __future__ import annotations

import functools
import inspect
import threading
from contextvars import copy_context
from sys import getrefcount
from typing import TYPE_CHECKING, Any, Awaitable, Callable, NoReturn

from burla_protocol.call import enter
from burla_protocol.interrupts import Ended, is_from_outside
from burla_protocol.values import FIXED
from .desk import CLOSED, Claim, Desk, clock
from .snapshot import OWN_REFERENCES, as_it_is_now
from .ticker import Ticker

if TYPE_CHECKING:
    # Loaded on first use: it is a third of the time that a worker needs to start.
    import asyncio

Function = Callable[[Any], Any]

#: Types of most results, of which nobody has to ask whether they can be awaited.
_PLAIN = frozenset({int, float, str, bytes, bool, type(None), list, dict, tuple})


class Runner:
    def __init__(self, desk: Desk, ticker: Ticker) -> None:
        self._desk = desk
        self._ticker = ticker
        self._loops = threading.local()
        #: A result whose pickling takes too long must not be waited for by calls beside it.
        self._pickles_at_once = False

    def run(self, function: Function) -> NoReturn:
        self._pickles_at_once = self._desk.timed and self._desk.concurrency > 1
        if is_async(function):
            # In the loop of the set-up, to which what it has opened belongs.
            self.finish_in_loop(self._run_async(function))
        elif self._desk.concurrency > 1:
            self._run_in_threads(function)
        while True:
            self._call(function, self._next_claim())

    def _next_claim(self) -> Claim:
        desk = self._desk
        claim = desk.claim()
        if claim is None:
            claim = desk.wait_for_claim()
            self._ticker.wake()
        return claim

    def _call(self, function: Function, claim: Claim) -> None:
        began_s = clock()
        try:
            enter(claim.index, claim.grant.attempt)
            value = claim.input
            if value is CLOSED:
                value = self._open(claim)
                if value is CLOSED:
                    return
            value = function(value)
            if type(value) not in _PLAIN and inspect.isawaitable(value):
                value = self.finish_in_loop(value)
        except Ended:
            raise
        except BaseException as error:
            self._desk.settle_failed(claim, error, clock() - began_s)
        else:
            if type(value) not in FIXED and (self._pickles_at_once or getrefcount(value) > OWN_REFERENCES):
                value = as_it_is_now(value)
            self._desk.settle(claim, value, clock() - began_s)

    def _open(self, claim: Claim) -> Any:
        """The input, or `CLOSED` when it cannot be had, which settles the call."""
        began_s = clock()
        try:
            return claim.open()
        except BaseException as error:
            if is_from_outside(error):
                raise
            self._desk.settle_unreadable(claim, error, clock() - began_s)
            return CLOSED

    def finish_in_loop(self, awaitable: Awaitable[Any]) -> Any:
        """Each thread has a loop of its own."""
        import asyncio

        loop = getattr(self._loops, "loop", None)
        if loop is None:
            loop = self._loops.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
        return loop.run_until_complete(_await(awaitable))

    def _run_in_threads(self, function: Function) -> NoReturn:
        """As many threads as there are inputs at once, up to `concurrency`."""
        desk = self._desk
        threads = 0
        while True:
            with desk.changed:
                desk.changed.wait_for(lambda: threads < desk.concurrency and desk.waiting > threads - desk.running)
                missing = min(desk.concurrency - threads, desk.waiting - (threads - desk.running))
            for _ in range(missing):
                # What libraries keep in the context, as `decimal` does, is as the function `setup` has left it.
                threading.Thread(target=copy_context().run, args=(self._serve, function), daemon=True, name=f"burla-call-{threads}").start()
                threads += 1

    def _serve(self, function: Function) -> NoReturn:
        while True:
            claim = self._desk.wait_for_claim()
            self._ticker.wake()
            self._call(function, claim)
            self._ticker.wake()

    async def _run_async(self, function: Function) -> NoReturn:
        import asyncio

        loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        threading.Thread(target=self._forward, args=(loop, woken), daemon=True, name="burla-inputs").start()
        tasks: set[asyncio.Task[None]] = set()
        while True:
            claim = self._desk.claim()
            if claim is None:
                await woken.wait()
                woken.clear()
                continue
            task = loop.create_task(self._call_async(function, claim))
            tasks.add(task)
            task.add_done_callback(lambda done: (tasks.discard(done), woken.set()))
            self._ticker.wake()

    def _forward(self, loop: asyncio.AbstractEventLoop, woken: asyncio.Event) -> NoReturn:
        """Tells the loop of grants, which come in another thread."""
        desk, seen = self._desk, 0
        while True:
            with desk.changed:
                desk.changed.wait_for(lambda: desk.received > seen)
                seen = desk.received
            loop.call_soon_threadsafe(woken.set)

    async def _call_async(self, function: Function, claim: Claim) -> None:
        began_s = clock()
        try:
            enter(claim.index, claim.grant.attempt)
            value = claim.input
            if value is CLOSED:
                value = self._open(claim)
                if value is CLOSED:
                    return
            value = await function(value)
        except Ended:
            raise
        except BaseException as error:
            self._desk.settle_failed(claim, error, clock() - began_s)
        else:
            if type(value) not in FIXED and (self._pickles_at_once or getrefcount(value) > OWN_REFERENCES):
                value = as_it_is_now(value)
            self._desk.settle(claim, value, clock() - began_s)
        self._ticker.wake()


async def _await(value: Any) -> Any:
    return await value


def is_async(function: Function) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))
