"""One run of a cell on a cluster: what the rewritten cell calls, under the name `__burla__`."""

from __future__ import annotations

import inspect
import sys
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sized

from burla_protocol.made import restore

from . import applied, joblib_backend
from .homes import rehomed
from .job_run import JobRun
from .keep import Keeper, Kept
from .order import Order
from .pools import ClusterPool, pool_maker
from .rewrite import Rewritten
from .screen import Publish, Screen
from .state import RunState
from .steps import Steps

#: The file of what runs around a cell on its worker; it is not shown in tracebacks.
WORKER_FILE = "<burla>"


class CannotRunOnCluster(Exception):
    """The cell cannot run on a cluster as it is written."""


class Run:
    def __init__(self, order: Order, rewritten: Rewritten, client: Any, keeper: Keeper, publish: Publish, namespace: dict[str, Any], worker_half: Mapping[str, Any]) -> None:
        self._order, self._how = order, rewritten.how
        self._client = client
        self._keeper = keeper
        self._namespace = namespace
        self._worker_half = worker_half
        self._steps = Steps(rewritten)
        self._state = RunState(name=rewritten.name, cluster=order.cluster_name, how=rewritten.how)
        self._screen = Screen(publish, self._document)
        #: Jobs that this cell has begun: which of them this is tells what is kept of an earlier run of the cell.
        self._jobs = 0
        self._size: Optional[int] = None

    # --- what the cell calls

    def refuse(self, reason: str) -> None:
        __tracebackhide__ = True
        raise CannotRunOnCluster(reason)

    def source(self, iterable: Iterable[Any]) -> Iterable[Any]:
        """The one iterable of a comprehension without conditions: its length is the number of inputs."""
        self._size = len(iterable) if isinstance(iterable, Sized) else None
        return iterable

    def map(self, function: Callable[..., Any], inputs: Any, shape: str, name: str, line: int) -> Any:
        """The results, in order of the inputs, in the shape of the comprehension that they stand for."""
        __tracebackhide__ = True
        size, self._size = self._size, None
        if shape == "zip":
            function, inputs = self._worker_half["starred"](function), zip(*inputs)
        elif size is None and isinstance(inputs, Sized):
            size = len(inputs)
        kept = self._results(function, inputs, shape, size, name, line, sys._getframe(1).f_code.co_filename)
        return _shaped(kept)

    def loop(self, turn: Callable[..., Any], inputs: Any, targets: tuple[str, ...], definite: tuple[str, ...], possible: tuple[str, ...], name: str, line: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """What the turns of a loop have collected, in order. At the end its variables are those of the last turn."""
        __tracebackhide__ = True
        size, self._size = self._size, None
        file = sys._getframe(1).f_code.co_filename
        collecting = self._worker_half["collecting"](turn, definite, possible, inspect.iscoroutinefunction(turn))
        failure: Optional[BaseException] = None
        try:
            kept = self._results(collecting, _Turns(inputs), "loop", size, name, line, file)
        except BaseException as error:
            kept_so_far = self._keeper.failed(self._order.cell_id, self._jobs - 1)
            if kept_so_far is None:
                raise
            kept, failure = kept_so_far, error
        names: dict[str, Any] = {}
        for collected, assigned, lost in kept.until_failure():
            yield from collected
            names.update(assigned)
            self._warn_of(lost)
        if failure is not None:
            raise failure
        turns = kept.inputs
        if turns.seen:
            self._namespace.update(zip(targets, turns.last))
        self._namespace.update(names)

    def call(self, cell: Callable[[], Any], bound: tuple[str, ...], deleted: tuple[str, ...]) -> Any:
        """The cell's value. Binds what the cell has assigned, and changes what it has changed."""
        __tracebackhide__ = True
        file = sys._getframe(1).f_code.co_filename
        whole = self._worker_half["keeping"](cell, bound, inspect.iscoroutinefunction(cell))
        kept = self._results(whole, [None], "list", None, self._state.name, 1, file)
        restored = restore(kept.values[0], self._namespace)
        self._warn_of(restored.lost)
        for name, made in restored.names.items():
            self._namespace[name] = rehomed(made, self._namespace)
        for name in deleted:
            if name not in restored.names:
                self._namespace.pop(name, None)
        return restored.value

    def applied(self, receiver: Any, method: str, name: str, line: int) -> Callable[..., Any]:
        """`df.apply` and the like: on the cluster where the object is one of pandas."""
        file = sys._getframe(1).f_code.co_filename

        def map_values(function: Callable[..., Any], values: list[Any]) -> list[Any]:
            __tracebackhide__ = True
            return self._results(function, values, "list", len(values), name, line, file).values

        return applied.method(receiver, method, map_values, self._worker_half["applied"])

    def pool(self, kind: Any, name: str, line: int) -> Callable[..., Any]:
        """An executor or pool whose calls run on the cluster, in the place of Python's own."""
        file = sys._getframe(1).f_code.co_filename
        return pool_maker(kind, lambda: self._streaming(name, line, file), self._worker_half)

    def with_joblib(self, call: Callable[[], Any]) -> Any:
        """What joblib runs in parallel meanwhile runs on the cluster."""
        __tracebackhide__ = True
        file = sys._getframe(1).f_code.co_filename
        with joblib_backend.active(lambda: ClusterPool(lambda: self._streaming("joblib", 0, file), self._worker_half)):
            return call()

    # --- jobs

    def _results(self, function: Callable[..., Any], inputs: Iterable[Any], shape: str, size: Optional[int], name: str, line: int, file: str) -> Kept:
        __tracebackhide__ = True
        order, job_number = self._order, self._jobs
        self._jobs += 1
        over = self._over(job_number)
        self._begin_state(name, line, file)
        if over is not None:
            # It has come to its end while nobody looked, or in the run before this one.
            self._settle(over, job_number)
            return over
        kept = self._kept(inputs, size, shape, job_number)
        attach_to = order.attach_to if order.attach_to is not None and job_number == order.attach_step else None
        only = order.only_inputs if kept.failures else None
        self._screen.open()
        try:
            run = JobRun(self._client, self._cluster, self._state, self._screen.changed)
            run.run(function, kept, only, attach_to)
            if attach_to is not None:
                kept.recall()
            self._keeper.end(self._state.job_id, kept)
            self._settle(kept, job_number)
        finally:
            self._screen.close()
        return kept

    @property
    def _cluster(self) -> Any:
        return self._order.cluster if self._order.cluster is not None else "local"

    def _over(self, job_number: int) -> Optional[Kept]:
        order = self._order
        if order.attach_to is not None and job_number == order.attach_step:
            return self._keeper.over(order.attach_to)
        if order.only_inputs is not None or order.attach_to is not None:
            return self._keeper.whole(order.cell_id, job_number)
        return None

    def _kept(self, inputs: Iterable[Any], size: Optional[int], shape: str, job_number: int) -> Kept:
        __tracebackhide__ = True
        order = self._order
        if order.only_inputs is not None:
            kept = self._keeper.failed(order.cell_id, job_number)
            if kept is not None:
                return kept
            if not self._keeper.knows(order.cell_id):
                raise CannotRunOnCluster("The results of the inputs that did not fail are not in this kernel any more. Run the whole cell.")
        return self._keeper.new(order.cell_id, inputs, size, shape, job_number)

    def _begin_state(self, name: str, line: int, file: str) -> None:
        if self._how == "map":
            self._state = RunState(name=name, cluster=self._order.cluster_name, how="map")
        self._state.cell_file = file
        self._steps.begin(line, self._state)

    def _settle(self, kept: Kept, job_number: int) -> None:
        __tracebackhide__ = True
        state = self._state
        if state.done + state.failed == 0:
            state.done, state.failed = len(kept.values) - len(kept.failures), len(kept.failures)
        state.total = state.done + state.failed
        if not kept.failures:
            state.end("done")
            self._keeper.done(self._order.cell_id, job_number)
            return
        state.end("failed")
        raise kept.failures[min(kept.failures)]

    def _streaming(self, name: str, line: int, file: str) -> JobRun:
        self._jobs += 1
        self._begin_state(name, line, file)
        self._screen.open()
        return JobRun(self._client, self._cluster, self._state, self._screen.changed)

    def finish(self, *, has_failed: bool) -> None:
        """The cell has come to its end."""
        self._screen.close()
        if not has_failed:
            self._keeper.forget(self._order.cell_id)

    def _document(self) -> dict[str, Any]:
        return {**self._state.document(), **self._steps.document()}

    def _warn_of(self, lost: Iterable[tuple[Optional[str], str]]) -> None:
        for name, reason in lost:
            what = "the value of the cell" if name is None else f"`{name}`"
            print(f"Burla: {what} cannot be sent back from the worker: {reason}", file=sys.stderr)


class _Turns:
    """Goes over the inputs of a loop one ahead, so that the last one knows that it is."""

    def __init__(self, inputs: Iterable[Any]) -> None:
        self._inputs = inputs
        self.seen = False
        self.last: Any = None

    def __iter__(self) -> Iterator[tuple[bool, Any]]:
        values = iter(self._inputs)
        for value in values:
            self.seen, self.last = True, value
            break
        else:
            return
        for following in values:
            yield False, self.last
            self.last = following
        yield True, self.last


def _shaped(kept: Kept) -> Any:
    values = kept.values
    if kept.shape == "set":
        return set(values)
    if kept.shape == "dict":
        return dict(values)
    if kept.shape == "keyed":
        return dict(zip(kept.keys, values))
    return list(values)
