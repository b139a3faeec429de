"""The conversation with the extension: a line of JSON each, requests on stdin, events on what was stdout.

What the user's code prints goes elsewhere: it must not be taken for an event.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, Callable, Optional


class Channel:
    def __init__(self) -> None:
        self._events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        self._requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        read, write = os.pipe()
        os.dup2(write, 1)
        os.close(write)
        #: What the user's code prints, to be read by somebody.
        self.printed = os.fdopen(read, "r", encoding="utf-8", errors="replace")
        sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)

    def request(self) -> dict[str, Any]:
        """The first line. Raises EOFError when there is none."""
        line = self._requests.readline()
        if line == "":
            raise EOFError("no request came")
        return json.loads(line)

    def listen(self, on_cancel: Callable[[], None], on_gone: Callable[[], None]) -> None:
        """Hears what comes later, in a thread of its own. The window is gone when nothing more can come."""

        def hear() -> None:
            for line in self._requests:
                if json.loads(line).get("type") == "cancel":
                    on_cancel()
            on_gone()

        threading.Thread(target=hear, name="burla-editor", daemon=True).start()

    def say(self, event: dict[str, Any]) -> None:
        """The extension being gone is no error: what is said then is lost."""
        text = json.dumps(event, ensure_ascii=False, allow_nan=False)
        with self._lock:
            try:
                self._events.write(text + "\n")
                self._events.flush()
            except (BrokenPipeError, ValueError):
                pass


def problem(message: str, cure: str = "", code: Optional[str] = None, place: Optional[dict[str, Any]] = None) -> dict[str, Any]:
    """What ended a run, within the limits of the conversation."""
    return {"code": code, "message": message[:20_000], "cure": cure[:2_000], "place": place}
