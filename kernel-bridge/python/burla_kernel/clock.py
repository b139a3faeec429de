"""`%time` of a cell on a cluster: how long it took, and what it took of this kernel's own processor."""

from __future__ import annotations

import os
import time
from typing import Optional


class Clock:
    """Started before what is measured, and read after it; measures within each other are read from the inside out."""

    def __init__(self) -> None:
        self._started: list[tuple[float, os.times_result]] = []

    def start(self) -> None:
        self._started.append((time.perf_counter(), os.times()))

    def read(self) -> Optional[str]:
        """As the magic says it. None when it was not started."""
        if not self._started:
            return None
        began_s, used = self._started.pop()
        wall_s, now = time.perf_counter() - began_s, os.times()
        user_s, system_s = now.user - used.user, now.system - used.system
        return f"CPU times: user {_span(user_s)}, sys: {_span(system_s)}, total: {_span(user_s + system_s)}\nWall time: {_span(wall_s)}"


def _span(seconds: float) -> str:
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}h {minutes}min {rest}s" if hours else f"{minutes}min {rest}s"
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 or seconds == 0 else f"{seconds * 1e6:.3g} µs"
