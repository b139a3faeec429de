"""What becomes of signals, of forks, and of a worker without a node."""

from __future__ import annotations

import os
import signal
import sys

from burla_protocol.interrupts import Ended

from .link import Link


def guard_process(link: Link) -> None:
    # A handler of our own, not SIG_IGN, which children would inherit.
    signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    signal.signal(signal.SIGTERM, _end)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _become_child(link))


def _end(_signal: int, _frame: object) -> None:
    raise Ended


def _become_child(link: Link) -> None:
    """A fork of a worker, as `multiprocessing` makes it, is no worker: what it prints goes to the files."""
    link.abandon()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        setattr(sys, name, open(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False))


def end_with_children() -> None:
    """Without its node nobody would end what the user's code has started: the process group goes, this process with it."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)
