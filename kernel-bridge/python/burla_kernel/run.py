"""One run of a cell on a cluster: what the rewritten cell calls, under the name `__burla__`."""

from __future__ import annotations

import inspect
import sys
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sized

from burla_protocol.made import restore

from .homes import rehomed
from .interrupts import deferred_interrupts
from .keep import Kept, Keeper
from .order import Order
from .screen import Publish, Screen
from .state import ENDS, RunState

#: The file of what runs around a cell on its worker; it is not shown in tracebacks.
WORKER_FILE = "<burla>"
#: How the files of all modules begin that live in the memory of a kernel.
OWN_FILES = "<burla"


class CannotRunOnCluster(Exception):
    """The cell cannot run on a cluster as it is written."""


class Run:
    def __init__(self, order: Order, how: str, name: str, client: Any, keeper: Keeper, publish: Publish, namespace: dict[str, Any], worker_half: Mapping[str, Any]) -> None:
        self._order, self._name = order, name
        self._client = client
        self._keeper = keeper
        self._namespace = namespace
        self._worker_half = worker_half
        self._state = RunState(name=name, cluster=order.cluster_name, how=how)
        self._screen = Screen(publish, self._state.document)
        self._size: Optional[int] = None

    def refuse(self, reason: str) -> None:
        __tracebackhide__ = True
        raise CannotRunOnCluster(reason)

    def source(self, iterable: Iterable[Any]) -> Iterable[Any]:
        """The one iterable of a comprehension without conditions: its length is the number of inputs."""
        if isinstance(iterable, Sized):
            self._size = len(iterable)
        return iterable

    def map(self, function: Callable[..., Any], inputs: Any, shape: str) -> Any:
        """The results, in order of the inputs, in the shape of the comprehension that they stand for."""
        __tracebackhide__ = True
        if shape == "zip":
            function, inputs = self._worker_half["starred"](function), zip(*inputs)
        elif isinstance(inputs, Sized) and self._size is None:
            self._size = len(inputs)
        self._state.cell_file = sys._getframe(1).f_code.co_filename
        return _shaped(self._results(function, inputs, shape))

    def call(self, cell: Callable[[], Any], bound: tuple[str, ...], deleted: tuple[str, ...]) -> Any:
        """The cell's value. Binds what the cell has assigned, and changes what it has changed."""
        __tracebackhide__ = True
        self._state.cell_file = sys._getframe(1).f_code.co_filename
        whole = self._worker_half["keeping"](cell, bound, inspect.iscoroutinefunction(cell))
        kept = self._results(whole, [None], "list")
        restored = restore(kept.values[0], self._namespace)
        for name, reason in restored.lost:
            what = "the value of the cell" if name is None else f"`{name}`"
            print(f"Burla: {what} cannot be sent back from the worker: {reason}", file=sys.stderr)
        for name, made in restored.names.items():
            self._namespace[name] = rehomed(made, self._namespace)
        for name in deleted:
            if name not in restored.names:
                self._namespace.pop(name, None)
        return restored.value

    # --- the job

    def _results(self, function: Callable[..., Any], inputs: Iterable[Any], shape: str) -> Kept:
        __tracebackhide__ = True
        attach_to = self._order.attach_to
        over = None if attach_to is None else self._keeper.over(attach_to)
        if over is not None:
            # The cell has come to its end while nobody looked.
            self._settle(over)
            return over
        kept = self._begin(inputs, shape)
        self._read(function, kept)
        return kept

    def _begin(self, inputs: Iterable[Any], shape: str) -> Kept:
        __tracebackhide__ = True
        only, cell_id = self._order.only_inputs, self._order.cell_id
        if only is None:
            return self._keeper.new(cell_id, inputs, self._size, shape)
        kept = self._keeper.failed(cell_id)
        if kept is None:
            raise CannotRunOnCluster("The results of the inputs that did not fail are not in this kernel any more. Run the whole cell.")
        return kept

    def _start(self, function: Callable[[Any], Any], kept: Kept) -> Any:
        __tracebackhide__ = True
        cluster = self._order.cluster if self._order.cluster is not None else "local"
        hear = {"on_error": "continue", "on_log": self._hear_line, "progress": self._hear_progress, "cluster": cluster}
        if self._order.attach_to is not None:
            return self._client.attach(self._order.attach_to, **hear)
        # Detached: it goes on when the kernel is lost, and is taken up again by its id. Who ends the cell cancels it.
        return self._client.remote_parallel_map(function, kept.feed(self._order.only_inputs), name=self._name, detach=True, **hear)

    def _read(self, function: Callable[[Any], Any], kept: Kept) -> None:
        __tracebackhide__ = True
        state = self._state
        results = None
        try:
            # An interrupt while it is begun would leave a job of which nobody knows.
            with deferred_interrupts():
                self._screen.open()
                results = self._start(function, kept)
                state.job_id = results.job_id
            self._take(results, kept)
            if self._order.attach_to is not None:
                kept.recall()
            self._keeper.end(results.job_id, kept)
            self._settle(kept)
        except BaseException as error:
            self._end_with(error, results)
            # What the client was doing is of no use to whoever reads the cell.
            raise without_frames(error, OWN_FILES)
        finally:
            self._screen.close()

    def _end_with(self, error: BaseException, results: Any) -> None:
        if isinstance(error, KeyboardInterrupt):
            if results is not None:
                results.cancel()
            self._state.end("cancelled", "stopped by its user")
        elif self._state.phase not in ENDS:
            is_cancelled = getattr(error, "code", "") == "BURLA_CANCELLED"
            self._state.end("cancelled" if is_cancelled else "failed", str(error).split("\n")[0])

    def _take(self, results: Any, kept: Kept) -> None:
        __tracebackhide__ = True
        for entry in results.settled():
            if entry.status == "fulfilled":
                kept.fulfil(entry.index, entry.value)
                self._state.hear_value(kept.index_of(entry.index), entry.value)
            else:
                self._fail(entry, kept)
            self._screen.changed()

    def _fail(self, entry: Any, kept: Kept) -> None:
        error = without_frames(entry.reason, OWN_FILES)
        kept.reject(entry.index, error)
        self._state.hear_failure(kept.index_of(entry.index), error)

    def _settle(self, kept: Kept) -> None:
        __tracebackhide__ = True
        self._state.total = self._state.done + self._state.failed
        if not kept.failures:
            self._state.end("done")
            self._keeper.forget(self._order.cell_id)
            return
        self._state.end("failed")
        raise kept.failures[min(kept.failures)]

    def _hear_progress(self, progress: Any) -> None:
        self._state.hear_progress(progress)
        self._screen.changed()

    def _hear_line(self, line: Any) -> None:
        self._state.hear_line(line)
        self._screen.changed()


def _shaped(kept: Kept) -> Any:
    values = kept.values
    if kept.shape == "set":
        return set(values)
    if kept.shape == "dict":
        return dict(values)
    if kept.shape == "keyed":
        return dict(zip(kept.keys, values))
    return list(values)


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
