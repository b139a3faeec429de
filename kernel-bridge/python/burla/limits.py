"""The time that the code of a value has in this program, when it is written or read: that of a call, `timeout_s`.

Python cannot end a thread. It can raise an exception in one, which comes out as soon as that thread runs Python again: code
that waits in C for ever hears of it when it is in the main thread, where a signal wakes it. So inputs are written in a thread
that can be left behind; results are read in the thread that loops over them, to which what they open belongs.
"""

from __future__ import annotations

import queue
import signal
import sys
import threading
from contextvars import copy_context
from threading import get_ident
from time import monotonic, sleep
from types import FrameType
from typing import Any, Callable, Optional, TypeVar

from burla_protocol.interrupts import TookTooLong

T = TypeVar("T")

#: A shorter limit is meant for calls, and would be passed by this program's own pauses.
_MIN_LIMIT_S = 0.1
#: Values that are written or read together have this part of it, and then each by itself all of it.
_TOGETHER_SHARE = 0.25
#: How long between two looks at what has a limit.
_LOOK_S = 0.02
#: A watcher with nothing to watch ends after this.
_IDLE_S = 2.0
#: Code that has not heard of the exception by then waits in C.
_DEAF_S = 0.1


class Limits:
    def __init__(self, timeout_s: float) -> None:
        self.each_s = max(_MIN_LIMIT_S, timeout_s)
        self.together_s = max(_MIN_LIMIT_S, timeout_s * _TOGETHER_SHARE)


class Helper:
    """A thread that works for another one, which waits for it, and that is left behind when it takes too long."""

    def __init__(self) -> None:
        self._tasks: Optional[queue.SimpleQueue[Optional[_Task]]] = None
        self._thread: Optional[threading.Thread] = None

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """In a copy of the caller's context. Raises TookTooLong, which says where it was, and whatever `work` raises."""
        if self._tasks is None:
            self._tasks = queue.SimpleQueue()
            self._thread = threading.Thread(target=_serve, args=(self._tasks,), name="burla-helper", daemon=True)
            self._thread.start()
        task = _Task(work)
        self._tasks.put(task)
        assert self._thread is not None and self._thread.ident is not None
        ident = self._thread.ident
        while not task.done.wait(seconds):
            frame = sys._current_frames().get(ident)
            if not _is_importing(frame) and not task.done.is_set():
                place = _place(frame)
                self._leave_behind(ident)
                raise TookTooLong(place)
        if task.error is not None:
            raise task.error
        return task.value

    def end(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            tasks.put(None)

    def _leave_behind(self, ident: int) -> None:
        self.end()
        _raise_in(ident)


class _Task:
    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._context = copy_context()
        self.done = threading.Event()
        self.value: Any = None
        self.error: Optional[BaseException] = None

    def run(self) -> None:
        try:
            self.value = self._context.run(self._work)
        except BaseException as error:
            self.error = error
        self.done.set()


def _serve(tasks: queue.SimpleQueue[Optional[_Task]]) -> None:
    try:
        while True:
            task = tasks.get()
            if task is None:
                return
            task.run()
            del task
    except TookTooLong:
        # Left behind, and on its way to the end.
        pass


class Watch:
    """Interrupts what takes too long in the thread that runs it."""

    def __init__(self) -> None:
        #: Held for moments, also by the thread that is watched: nothing is raised in it later than its turn.
        self._lock = threading.Lock()
        self._turn: Optional[_Turn] = None
        self._watcher: Optional[threading.Thread] = None

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """Raises TookTooLong, and whatever `work` raises."""
        turn = _Turn(seconds)
        try:
            try:
                return self._run(turn, work)
            except TookTooLong as error:
                self._forget()
                if turn.is_signalled:
                    _hear_signals()
                # It may have come out only here.
                error.args = (turn.place,)
                raise
        except KeyboardInterrupt:
            if not turn.is_signalled:
                raise
            # That of the watcher, not of a person.
            self._forget()
            raise TookTooLong(turn.place) from None

    def _run(self, turn: _Turn, work: Callable[[], T]) -> T:
        with self._lock:
            self._turn = turn
            if self._watcher is None or not self._watcher.is_alive():
                self._watcher = threading.Thread(target=self._watch, name="burla-watch", daemon=True)
                self._watcher.start()
        try:
            return work()
        finally:
            with self._lock:
                self._turn = None
                if turn.raised_s is not None:
                    # Has the exception not come yet, it never will.
                    _raise_in(turn.ident, None)

    def _forget(self) -> None:
        with self._lock:
            self._turn = None

    def _watch(self) -> None:
        idle_since_s = monotonic()
        while True:
            sleep(_LOOK_S)
            with self._lock:
                now_s = monotonic()
                if self._turn is not None:
                    idle_since_s = now_s
                    if now_s >= self._turn.until_s:
                        self._turn.interrupt(now_s)
                elif now_s - idle_since_s > _IDLE_S:
                    self._watcher = None
                    return


class _Turn:
    def __init__(self, limit_s: float) -> None:
        self.ident = get_ident()
        self.until_s = monotonic() + limit_s
        self._limit_s = limit_s
        #: Where it was at the limit.
        self.place = ""
        self.raised_s: Optional[float] = None
        self.is_signalled = False

    def interrupt(self, now_s: float) -> None:
        if self.raised_s is None:
            frame = sys._current_frames().get(self.ident)
            if _is_importing(frame):
                self.until_s = now_s + self._limit_s
                return
            self.raised_s, self.place = now_s, _place(frame)
            _raise_in(self.ident)
        elif not self.is_signalled and now_s - self.raised_s > _DEAF_S and self._may_be_signalled():
            self.is_signalled = True
            signal.pthread_kill(self.ident, signal.SIGINT)

    def _may_be_signalled(self) -> bool:
        """Whoever handles Ctrl-C in a way of their own would take this for one."""
        is_main = self.ident == threading.main_thread().ident
        return is_main and hasattr(signal, "pthread_kill") and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _raise_in(ident: int, error: Optional[type[BaseException]] = TookTooLong) -> None:
    """:param error: None takes back one that has not come out."""
    try:
        from ctypes import c_ulong, py_object, pythonapi
    except ImportError:
        # A Python without it: the code goes on.
        return
    pythonapi.PyThreadState_SetAsyncExc(c_ulong(ident), py_object() if error is None else py_object(error))


def _is_importing(frame: Optional[FrameType]) -> bool:
    """What a value needs is loaded once, which is no time of its own, so that its limit begins anew; and half of a module is worse
    than none.
    """
    while frame is not None and frame.f_globals is not globals():
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _place(frame: Optional[FrameType]) -> str:
    return "" if frame is None else f"in {frame.f_code.co_name}, {frame.f_code.co_filename}:{frame.f_lineno}"


def _hear_signals() -> None:
    """Python calls the handler of a signal that has come at the latest here."""
    for _ in range(100):
        pass
