"""One run of a cell on a cluster: what the rewritten cell calls, under the name `__burla__`."""

from __future__ import annotations

import inspect
import linecache
import sys
from types import FunctionType
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, Sized

from burla_protocol.made import restore

from . import applied, joblib_backend
from .calls import KeptCalls
from .clock import Clock
from .displays import displaying
from .homes import rehomed
from .interrupts import deferred_interrupts
from .job_run import JobRun
from .keep import Keeper, Kept
from .last import Last
from .order import Order
from .pictures import as_made_here, shown_once
from .pools import ClusterPool, pool_maker
from .rewrite import Rewritten
from .screen import Publish, Screen
from .state import RunState
from .steps import Steps
from .tracebacks import PIECES, Title, only_of_the_user

#: The file of what runs around a cell on its worker; it is not shown in tracebacks.
WORKER_FILE = "<burla>"
_STANDS = "; where an input has failed, its exception stands"
#: By the shape of a map.
_WHERE_FAILED = {"list": _STANDS, "zip": _STANDS, "keyed": _STANDS, "set": "", "dict": ""}


class CannotRunOnCluster(Exception):
    """The cell cannot run on a cluster as it is written."""


class Run:
    def __init__(self, order: Order, rewritten: Rewritten, client: Any, keeper: Keeper, publish: Publish, namespace: dict[str, Any], worker_half: Mapping[str, Any], title: Title = lambda _file: None) -> None:
        self._order, self._how = order, rewritten.how
        self._client = client
        self._keeper = keeper
        self._namespace = namespace
        self._worker_half = worker_half
        self._title = title
        self._steps = Steps(rewritten)
        self._clock = Clock()
        #: The text of the cell, where Python knows another one.
        self.cell_text: Optional[str] = None
        self._state = RunState(name=rewritten.name, cluster=order.cluster_name, how=rewritten.how, title=title)
        self._screen = Screen(publish, self._document)
        #: Jobs that this cell has begun: which of them this is tells what is kept of an earlier run of the cell.
        self._jobs = 0
        self._size: Optional[int] = None
        #: The last map, where inputs of it have failed, and the names that get its results.
        self._failed: Optional[Kept] = None
        self._into: tuple[str, ...] = ()

    # --- what the cell calls

    def refuse(self, reason: str) -> None:
        raise CannotRunOnCluster(reason)

    def source(self, iterable: Iterable[Any]) -> Iterable[Any]:
        """The one iterable of a comprehension without conditions: its length is the number of inputs."""
        self._size = len(iterable) if isinstance(iterable, Sized) else None
        return iterable

    def map(self, function: Callable[..., Any], inputs: Any, shape: str, name: str, line: int, into: tuple[str, ...] = ()) -> Any:
        """The results, in order of the inputs, in the shape of the comprehension that they stand for.

        `into` are the names that get them. When the cell ends since some inputs have failed, they get what has come.
        """
        size, self._size = self._size, None
        if shape == "zip":
            function, inputs = self._worker_half["starred"](function), zip(*inputs)
        elif size is None and isinstance(inputs, Sized):
            size = len(inputs)
        return self._results(function, inputs, shape, size, name, line, sys._getframe(1).f_code.co_filename, into).in_shape()

    def loop(self, turn: Callable[..., Any], inputs: Any, targets: tuple[str, ...], definite: tuple[str, ...], possible: tuple[str, ...], name: str, line: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """What the turns of a loop have collected, in order. At the end its variables are those of the last turn."""
        size, self._size = self._size, None
        file = sys._getframe(1).f_code.co_filename
        collecting = self._worker_half["collecting"](turn, definite, possible, inspect.iscoroutinefunction(turn))
        failure: Optional[BaseException] = None
        try:
            kept = self._results(collecting, _Turns(inputs), "loop", size, name, line, file)
        except BaseException as error:
            kept_so_far = self._keeper.failed(self._order.cell_id, self._jobs - 1, "loop")
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
        file = sys._getframe(1).f_code.co_filename
        whole = self._worker_half["keeping"](cell, bound, inspect.iscoroutinefunction(cell))
        kept = self._results(whole, [None], "list", None, self._state.name, 1, file)
        restored = restore(kept.values[0], self._namespace)
        as_made_here([restored.value])
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
            return self._results(function, values, "list", len(values), name, line, file).values

        return applied.method(receiver, method, map_values, self._worker_half["applied"])

    def pool(self, kind: Any, name: str, line: int) -> Callable[..., Any]:
        """An executor or pool whose calls run on the cluster, in the place of Python's own."""
        file = sys._getframe(1).f_code.co_filename
        return pool_maker(kind, lambda: self._streaming(name, line, file, "calls"), self._worker_half)

    def with_joblib(self, call: Callable[[], Any]) -> Any:
        """What joblib runs in parallel meanwhile runs on the cluster."""
        file = sys._getframe(1).f_code.co_filename
        with joblib_backend.active(lambda: ClusterPool(lambda: self._streaming("joblib", 0, file, "batches"), self._worker_half)):
            return call()

    def start_clock(self) -> None:
        if self.cell_text is not None:
            file = sys._getframe(1).f_code.co_filename
            entry = (len(self.cell_text), None, self.cell_text.splitlines(True), file)
            # Older versions of IPython put theirs back.
            for cache in (linecache.cache, getattr(linecache, "_ipython_cache", {})):
                cache[file] = entry
        self._clock.start()

    def read_clock(self, value: Any = None) -> Any:
        """The value of what was measured."""
        took = self._clock.read()
        if took is not None:
            print(took)
        return value

    def seen(self) -> None:
        """Called where the cell has caught an exception: what it prints of it is that of its user."""
        error = sys.exc_info()[1]
        if error is not None:
            only_of_the_user(error)

    # --- jobs

    def _results(self, function: Callable[..., Any], inputs: Iterable[Any], shape: str, size: Optional[int], name: str, line: int, file: str, into: tuple[str, ...] = ()) -> Kept:
        order, job_number = self._order, self._jobs
        self._jobs += 1
        self._failed, self._into = None, into
        over = self._over(job_number, shape)
        self._begin_state(name, line, file)
        _call_it(name, function)
        shows = displaying(function)
        if shows is not None:
            function = self._worker_half["showing"](function, shows.importer, shows.uses_ipython, inspect.iscoroutinefunction(function))
            function.__name__ = function.__qualname__ = name
        if over is not None:
            # It has come to its end while nobody looked, or in the run before this one.
            self._settle(over, job_number)
            return over
        kept = self._kept(inputs, size, shape, job_number)
        if self._how == "map":
            self._client.last = Last(kept)
        attach_to = order.attach_to if order.attach_to is not None and job_number == order.attach_step else None
        only = order.only_inputs if kept.failures else None
        try:
            run = JobRun(self._client, self._cluster, self._state, self._screen.changed, self._display)
            run.run(function, kept, only, attach_to, self._screen.open)
            if attach_to is not None:
                kept.recall()
            self._keeper.end(self._state.job_id, kept)
            as_made_here(kept.values)
            self._settle(kept, job_number)
        finally:
            self._screen.close()
        return kept

    @property
    def _cluster(self) -> Any:
        return self._order.cluster if self._order.cluster is not None else "local"

    def _over(self, job_number: int, shape: str) -> Optional[Kept]:
        order = self._order
        if order.attach_to is not None and job_number == order.attach_step:
            return self._keeper.over(order.attach_to)
        if order.only_inputs is not None or order.attach_to is not None:
            return self._keeper.whole(order.cell_id, job_number, shape)
        return None

    def _kept(self, inputs: Iterable[Any], size: Optional[int], shape: str, job_number: int) -> Kept:
        order = self._order
        if order.only_inputs is not None:
            kept = self._keeper.failed(order.cell_id, job_number, shape)
            if kept is not None:
                return kept
            self._require_known()
        return self._keeper.new(order.cell_id, inputs, size, shape, job_number)

    def _kept_calls(self, shape: str, job_number: int) -> KeptCalls:
        order = self._order
        if order.only_inputs is None and order.attach_to is None:
            self._keeper.new(order.cell_id, (), None, shape, job_number)
        elif order.only_inputs is not None:
            self._require_known()
        earlier = self._keeper.of(order.cell_id, job_number)
        kept = KeptCalls(shape, earlier if isinstance(earlier, KeptCalls) else None, order.only_inputs or ())
        self._keeper.replace(order.cell_id, kept, job_number)
        return kept

    def _require_known(self) -> None:
        if not self._keeper.knows(self._order.cell_id):
            raise CannotRunOnCluster("The results of the inputs that did not fail are not in this kernel any more. Run the whole cell.")

    def _begin_state(self, name: str, line: int, file: str) -> None:
        if self._how == "map":
            self._state = RunState(name=name, cluster=self._order.cluster_name, how="map", title=self._title)
        self._state.cell_file = file
        self._steps.begin(line, self._state)

    def _settle(self, kept: Kept, job_number: int) -> None:
        state = self._state
        if state.done + state.failed == 0:
            state.done, state.failed = len(kept.values) - len(kept.failures), len(kept.failures)
        state.total = state.done + state.failed
        if not kept.failures:
            state.end("done")
            self._keeper.done(self._order.cell_id, job_number)
            return
        state.end("failed")
        self._failed = kept
        raise kept.failures[min(kept.failures)]

    def _streaming(self, name: str, line: int, file: str, shape: str) -> tuple[JobRun, KeptCalls]:
        kept = self._kept_calls(shape, self._jobs)
        self._jobs += 1
        # What ends the cell may be the failure of one of these.
        self._failed, self._into = kept, ()
        if self._how == "map":
            self._client.last = Last(kept)
        self._begin_state(name, line, file)
        job = JobRun(self._client, self._cluster, self._state, self._screen.changed, self._display)
        with deferred_interrupts():
            self._screen.open()
        return job, kept

    def finish(self, error: Optional[BaseException]) -> None:
        """The cell has come to its end: None, or what it has raised."""
        if isinstance(error, KeyboardInterrupt) and self._state.job_id is None:
            # Shown, and stopped before a job has begun that could say so.
            self._state.end("cancelled", "stopped by its user")
        self._screen.close()
        if error is None:
            self._keeper.forget(self._order.cell_id)
            return
        told = [index for index, failure in self._failed.failures.items() if failure is error] if self._failed is not None else []
        if told:
            assert self._failed is not None
            self._bind_what_came(self._failed)
            self._state.leave_to_kernel(told[0])
            self._screen.show()

    def _bind_what_came(self, kept: Kept) -> None:
        if not self._into:
            return
        results = sum(1 for _index, _value, error in kept.came() if error is None)
        if results == 0:
            return
        made = kept.in_shape()
        self._namespace.update((name, made) for name in self._into)
        self._steps.note = f"`{self._into[0]}` has {_count(results, 'result')} that came{_WHERE_FAILED[kept.shape]}. Run Failed Inputs Again completes it."

    def _display(self, made: Any, **options: Any) -> None:
        from IPython.display import display

        as_made_here([made])
        display(made, **options)
        shown_once(made)

    def _document(self) -> dict[str, Any]:
        return {**self._state.document(), **self._steps.document()}

    def _warn_of(self, lost: Iterable[tuple[Optional[str], str]]) -> None:
        for name, reason in lost:
            what = "the value of the cell" if name is None else f"`{name}`"
            print(f"Burla: {what} cannot be sent back from the worker: {reason}", file=sys.stderr)


def _call_it(name: str, function: Callable[..., Any]) -> None:
    """By which messages name a function that is a piece of the cell."""
    if isinstance(function, FunctionType) and function.__code__.co_name in PIECES:
        function.__name__ = function.__qualname__ = name


def _count(number: int, what: str) -> str:
    return f"the {number:,} {what}{'' if number == 1 else 's'}"


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

