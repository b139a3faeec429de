"""Puts a worker together. It dials its node over a socket, and ends when that connection ends.

Environment: BURLA_WORKER_SOCKET, BURLA_WORKER_ID, BURLA_WORKER_TOKEN, and the files BURLA_WORKER_STDOUT and
BURLA_WORKER_STDERR, which file descriptors 1 and 2 are, opened for appending, or become.
"""

from __future__ import annotations

import importlib
import os
import queue
import threading
from typing import Any, Callable

from burla_protocol.failures import burla_failure, to_envelope
from burla_protocol.interrupts import Ended
from burla_protocol.messagepack import pack
from burla_protocol.values import in_short

from .desk import Desk
from .guard import end_with_children, guard_process
from .link import Link
from .load import LoadError, load_functions
from .main_module import install_main
from .output import Output
from .own_files import is_ours
from .runner import Runner
from .set_up import SetupError, set_up
from .streams import install, redirect
from .ticker import Ticker


def main() -> None:
    # Stays in the environment: by it the node finds what the user's code has started and left behind.
    worker_id = os.environ["BURLA_WORKER_ID"]
    token = os.environ.pop("BURLA_WORKER_TOKEN")
    files = {1: os.environ.pop("BURLA_WORKER_STDOUT"), 2: os.environ.pop("BURLA_WORKER_STDERR")}
    redirect(files)
    link = Link(os.environ.pop("BURLA_WORKER_SOCKET"), f"burla python worker {worker_id}")
    ticker = Ticker()
    output = Output(files, link, ticker.wake)
    install(output)
    desk = Desk(link, output)
    ticker.start(desk)
    guard_process(link, output)
    link.send({"type": "workerHello", "workerId": worker_id, "token": token, "pid": os.getpid()})
    link.flush()
    orders = _listen(link, desk)
    # The user's code is to find a `__main__` that is not this program.
    install_main()
    warm_up(orders.empty)
    try:
        _work(orders.get(), link, desk, output, ticker)
    except Ended:
        output.end()
        desk.flush()
    os._exit(0)


def _listen(link: Link, desk: Desk) -> "queue.SimpleQueue[dict[str, Any]]":
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def receive(message: dict[str, Any], body: bytes) -> None:
        if message["type"] == "run":
            desk.enqueue(message, body)
        elif message["type"] == "load":
            orders.put(message)

    def read() -> None:
        try:
            link.read(receive)
        finally:
            end_with_children()

    threading.Thread(target=read, name="burla-node", daemon=True).start()
    return orders


def _work(message: dict[str, Any], link: Link, desk: Desk, output: Output, ticker: Ticker) -> None:
    runner = Runner(desk, ticker)
    try:
        call, setup = load_functions(message)
        if setup is not None:
            set_up(setup, runner.finish_in_loop, link, output)
    except Ended:
        raise
    except BaseException as error:
        output.end()
        link.send({"type": "loaded", "ok": False}, pack(_load_failure(error)))
        link.flush()
        threading.Event().wait()
    desk.begin(message["concurrency"], message["timed"])
    link.send({"type": "loaded", "ok": True})
    link.flush()
    runner.run(call)


def _load_failure(error: BaseException) -> list[dict[str, Any]]:
    """The error of the job, and perhaps that of its cause."""
    if isinstance(error, SetupError):
        return [burla_failure("BURLA_SETUP", f"the function `setup` raised {in_short(error.thrown)}"), to_envelope(error.thrown, is_ours)]
    return [burla_failure(error.code, str(error)) if isinstance(error, LoadError) else to_envelope(error, is_ours)]


def warm_up(has_time: Callable[[], bool]) -> None:
    """What jobs need is loaded while nobody waits for it."""
    for name in ("cloudpickle", "asyncio", "burla_worker.library_setup", "burla"):
        if not has_time():
            return
        try:
            importlib.import_module(name)
        except ImportError:
            # Told when a job comes.
            pass
