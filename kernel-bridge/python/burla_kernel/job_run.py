"""One job of a cell: from its inputs to its results, shown as it goes on."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable, Iterable, Optional

from .interrupts import deferred_interrupts
from .keep import Kept
from .state import ENDS, RunState

#: How the files of all modules begin that live in the memory of a kernel.
OWN_FILES = "<burla"


class JobRun:
    """`changed` is called when there is something new to show."""

    def __init__(self, client: Any, cluster: Any, state: RunState, changed: Callable[[], None]) -> None:
        self._client, self._cluster = client, cluster
        self.state = state
        self._changed = changed
        self._results: Any = None

    def run(self, function: Callable[[Any], Any], kept: Kept, only: Optional[tuple[int, ...]], attach_to: Optional[str]) -> None:
        """To the last result. Raises what keeps it from there; failures of inputs are kept."""
        __tracebackhide__ = True
        try:
            # An interrupt while it is begun would leave a job of which nobody knows.
            with deferred_interrupts():
                self._results = self._start(function, kept.feed(only), attach_to)
                self.state.job_id = self._results.job_id
            self._take(kept)
        except BaseException as error:
            self._end_with(error)
            # What the client was doing is of no use to whoever reads the cell.
            raise without_frames(error, OWN_FILES)

    def stream(self, function: Callable[[Any], Any], inputs: Iterable[Any], settled: Callable[[Any], None]) -> None:
        """The same for inputs that come one by one: `settled` hears of each as it has run."""
        with deferred_interrupts():
            self._results = self._start(function, inputs, None)
            self.state.job_id = self._results.job_id
        for entry in self._results.settled():
            if entry.status == "fulfilled":
                self.state.hear_value(entry.index, entry.value)
            else:
                without_frames(entry.reason, OWN_FILES)
                self.state.hear_failure(entry.index, entry.reason)
            settled(entry)
            self._changed()

    def cancel(self) -> None:
        if self._results is not None:
            self._results.cancel()

    def _start(self, function: Callable[[Any], Any], inputs: Iterable[Any], attach_to: Optional[str]) -> Any:
        __tracebackhide__ = True
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
            is_cancelled = getattr(error, "code", "") == "BURLA_CANCELLED"
            self.state.end("cancelled" if is_cancelled else "failed", str(error).split("\n")[0])

    def _take(self, kept: Kept) -> None:
        __tracebackhide__ = True
        for entry in self._results.settled():
            if entry.status == "fulfilled":
                kept.fulfil(entry.index, entry.value)
                self.state.hear_value(kept.index_of(entry.index), entry.value)
            else:
                error = without_frames(entry.reason, OWN_FILES)
                kept.reject(entry.index, error)
                self.state.hear_failure(kept.index_of(entry.index), error)
            self._changed()

    def _hear_progress(self, progress: Any) -> None:
        self.state.hear_progress(progress)
        self._changed()

    def _hear_line(self, line: Any) -> None:
        self.state.hear_line(line)
        self._changed()


def without_frames(error: BaseException, files: str) -> BaseException:
    """Takes the frames of files that begin so out of its traceback."""
    entries: list[TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    following: Optional[TracebackType] = None
    for entry in reversed(entries):
        if not entry.tb_frame.f_code.co_filename.startswith(files):
            following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    error.__traceback__ = following
    return error
