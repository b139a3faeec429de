"""What becomes of signals, of forks, and of a worker without a node."""

from __future__ import annotations

import os
import signal
import sys
import threading

from burla_protocol.interrupts import Ended

from .link import Link
from .output import Output


def guard_process(link: Link, output: Output) -> None:
    # A handler of our own, not SIG_IGN, which children would inherit.
    signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    signal.signal(signal.SIGTERM, _end)
    if hasattr(os, "register_at_fork"):
        fork = _Fork(link, output)
        os.register_at_fork(before=fork.before, after_in_parent=fork.after, after_in_child=fork.after_in_child)


def _end(_signal: int, _frame: object) -> None:
    raise Ended


class _Fork:
    """Whoever has made a child may end it at once: a signal that came before the child is itself would be lost in it."""

    def __init__(self, link: Link, output: Output) -> None:
        self._link = link
        self._output = output
        self._masks = threading.local()

    def before(self) -> None:
        self._masks.old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})

    def after(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.old)

    def after_in_child(self) -> None:
        try:
            _become_child(self._link, self._output)
        finally:
            self.after()


def _become_child(link: Link, output: Output) -> None:
    """A fork of a worker, as `multiprocessing` makes it, is no worker: what it prints goes to the files."""
    link.abandon()
    output.abandon()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        setattr(sys, name, open(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False))


def end_with_children() -> None:
    """Without its node nobody would end what the user's code has started: the process group goes, this process with it."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)
