"""A thread that speaks for a worker whose calls take long."""

from __future__ import annotations

import threading
import time

from .desk import Desk
from .pace import GATHER_MS, TICK_MS


class Ticker:
    def __init__(self) -> None:
        self._woken = threading.Event()
        self._desk: Desk | None = None

    def wake(self) -> None:
        """Something waits to be sent, or a call begins that may take long."""
        self._woken.set()

    def start(self, desk: Desk) -> None:
        self._desk = desk
        threading.Thread(target=self._run, name="burla-ticker", daemon=True).start()

    def _run(self) -> None:
        desk = self._desk
        assert desk is not None
        while True:
            self._woken.wait(None if not desk.grants else TICK_MS / 1000)
            self._woken.clear()
            time.sleep(GATHER_MS / 1000)
            desk.tick()
