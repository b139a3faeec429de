"""One job of a cell: from its inputs to its results, shown as it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Iterable, Optional

from .displays import InOrder
from .interrupts import deferred_interrupts
from .keep import Kept
from .numbering import told_of
from .state import ENDS, RunState
from .tracebacks import only_of_the_user

#: Hears of an input that has run: its number, its value, what it has raised.
Settled = Callable[[int, Any, Optional[BaseException]], None]


class JobRun:
    """`changed` is called when there is something new to show, `display` with what calls have displayed."""

    def __init__(self, client: Any, cluster: Any, state: RunState, changed: Callable[[], None], display: Callable[..., Any]) -> None:
        self._client, self._cluster = client, cluster
        self._display = display
        self.state = state
        self._changed = changed
        self._results: Any = None
        self._is_cancelled = False
        #: Of an input of the job: which one of the first run it is.
        self._index_of: Callable[[int], int] = lambda index: index

    def run(self, function: Callable[[Any], Any], kept: Kept, only: Optional[tuple[int, ...]], attach_to: Optional[str], show: Callable[[], None]) -> None:
        """To the last result. Raises what keeps it from there; failures of inputs are kept.

        `show` shows that it begins: whoever sees it may stop it from then on.
        """
        self._index_of = kept.index_of
        try:
            # An interrupt while it is begun would leave a job of which nobody knows.
            with deferred_interrupts():
                show()
                self._begin(function, kept.feed(only), attach_to)
            self._take(kept)
            kept.has_ended = True
        except BaseException as error:
            self._end_with(error)
            raise

    def stream(self, function: Callable[[Any], Any], inputs: Iterable[Any], kept: Kept, settled: Settled) -> None:
        """The same for inputs that come one by one: `settled` hears of each as it has run."""
        self._index_of = kept.index_of
        with deferred_interrupts():
            self._begin(function, inputs, None)
        self._take(kept, settled)

    def cancel(self) -> None:
        """Also before it has begun, in another thread: then right after."""
        self._is_cancelled = True
        if self._results is not None:
            self._results.cancel()

    def _begin(self, function: Callable[[Any], Any], inputs: Iterable[Any], attach_to: Optional[str]) -> None:
        self._results = self._start(function, inputs, attach_to)
        self.state.job_id = self._results.job_id
        if self._is_cancelled:
            self._results.cancel()

    def _start(self, function: Callable[[Any], Any], inputs: Iterable[Any], attach_to: Optional[str]) -> Any:
        hear = {"on_error": "continue", "on_log": self._hear_line, "progress": self._hear_progress, "cluster": self._cluster}
        if attach_to is not None:
            return self._client.attach(attach_to, **hear)
        # Detached: it goes on when the kernel is lost, and is taken up again by its id. Who ends the cell cancels it.
        return self._client.remote_parallel_map(function, inputs, name=self.state.name, detach=True, **hear)

    def _end_with(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.cancel()
            self.state.end("cancelled", "stopped by its user")
        elif self.state.phase not in ENDS:
            code = getattr(error, "code", None)
            # What the user's own code has raised is told by the kernel.
            reason = f"the inputs have raised {type(error).__name__}" if code is None else str(error).split("\n")[0]
            self.state.end("cancelled" if code == "BURLA_CANCELLED" else "failed", reason)

    def _take(self, kept: Kept, settled: Settled = lambda _index, _value, _error: None) -> None:
        displays = InOrder(self._display)
        for entry in self._results.settled():
            index = kept.index_of(entry.index)
            value = displays.settled(entry.index, entry.value, entry.reason)
            if entry.status == "fulfilled":
                kept.fulfil(index, value)
                self.state.hear_value(index, kept.shown(value))
                settled(index, value, None)
            else:
                error = told_of(only_of_the_user(entry.reason), index if self.state.how == "map" else None)
                kept.reject(index, error)
                self.state.hear_failure(index, error)
                settled(index, None, error)
            self._changed()

    def _hear_progress(self, progress: Any) -> None:
        self.state.hear_progress(progress)
        self._changed()

    def _hear_line(self, line: Any) -> None:
        self.state.hear_line(line if line.index < 0 else replace(line, index=self._index_of(line.index)))
        self._changed()

