"""Shows a run in its cell: at once when it begins and ends, and in between at most ten times a second."""

from __future__ import annotations

import contextvars
import threading
import uuid
from typing import Any, Callable, Optional

from .view import bundle

_INTERVAL_S = 0.1
#: Without news, the clock goes on.
_CLOCK_S = 1.0

#: Of the forms of an output: shows them, under an id where it is to be replaced, or in the place of those with that id.
Publish = Callable[[dict[str, Any], Optional[str], bool], None]


class Screen:
    """`document` makes what is shown now; it is called in a thread of the screen's own."""

    def __init__(self, publish: Publish, document: Callable[[], dict[str, Any]]) -> None:
        self._publish = publish
        self._document = document
        self._id = f"burla-{uuid.uuid4().hex}"
        self._news = threading.Event()
        self._is_over = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self._is_shown = False

    def open(self) -> None:
        """Once more for each further job of the cell."""
        self.close()
        self._show(update=self._is_shown)
        self._is_shown = True
        self._is_over.clear()
        # What is displayed belongs to the cell that runs: newer kernels find it in the context.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=lambda: context.run(self._run), name="burla-screen", daemon=True)
        self._thread.start()

    def changed(self) -> None:
        self._news.set()

    def close(self) -> None:
        """Shows the end."""
        if self._thread is None:
            return
        self._is_over.set()
        self._news.set()
        self._thread.join()
        self._thread = None
        self.show()

    def show(self) -> None:
        """Once, outside of a job, where something has been shown before."""
        if self._is_shown:
            self._show(update=True)

    def _run(self) -> None:
        while not self._is_over.wait(_INTERVAL_S):
            self._news.wait(_CLOCK_S)
            self._news.clear()
            if not self._is_over.is_set():
                self._show(update=True)

    def _show(self, *, update: bool) -> None:
        self._publish(bundle(self._document()), self._id, update)


def publisher(display_pub: Any) -> Publish:
    """Of an IPython shell."""

    def publish(data: dict[str, Any], display_id: Optional[str], update: bool) -> None:
        display_pub.publish(data=data, metadata={}, transient={} if display_id is None else {"display_id": display_id}, update=update)

    return publish
