"""`concurrent.futures` executors and `multiprocessing` pools whose calls run on a cluster: one job, whose inputs are the calls."""

from __future__ import annotations

import ast
import concurrent.futures
import multiprocessing.pool
import queue
import threading
from concurrent.futures import Future
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional

from .calls import KeptCalls, key_of
from .effects import why_in_one_place
from .job_run import JobRun
from .meaning import Meaning
from .pictures import as_made_here

_END = object()


#: Begins a job for calls that come one by one, with what is kept of them.
Begin = Callable[[], tuple[JobRun, KeptCalls]]


def pool_maker(kind: Any, begin: Begin, worker_half: Mapping[str, Any]) -> Callable[..., Any]:
    """What stands in the place of `ThreadPoolExecutor`: itself, where it is not the one of Python, or is more than a number of workers."""

    def make(*arguments: Any, **options: Any) -> Any:
        if not _is_known(kind) or len(arguments) > 1 or set(options) - {"max_workers", "processes", "mp_context", "thread_name_prefix"}:
            return kind(*arguments, **options)
        made = ClusterPool if _is_executor(kind) else ProcessPool
        return made(begin, worker_half, lambda: kind(*arguments, **options), shares_memory=_shares_memory(kind))

    return make


def _is_known(kind: Any) -> bool:
    if isinstance(kind, type):
        return issubclass(kind, (concurrent.futures.ThreadPoolExecutor, concurrent.futures.ProcessPoolExecutor, multiprocessing.pool.Pool))
    return getattr(kind, "__name__", "") == "Pool" and type(getattr(kind, "__self__", None)).__module__.startswith("multiprocessing")


def _is_executor(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, concurrent.futures.Executor)


def _shares_memory(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, (concurrent.futures.ThreadPoolExecutor, multiprocessing.pool.ThreadPool))


class ClusterPool(concurrent.futures.Executor):
    """Both an executor and a pool. A function that changes what threads share runs in Python's own (`make_local`)."""

    def __init__(self, begin: Begin, worker_half: Mapping[str, Any], make_local: Optional[Callable[[], Any]] = None, *, shares_memory: bool = False) -> None:
        self._begin = begin
        self._called = worker_half["called"]
        self._make_local = make_local if shares_memory else None
        self._local: Any = None
        self._calls: "queue.SimpleQueue[Any]" = queue.SimpleQueue()
        self._futures: "dict[int, Future[Any]]" = {}
        self._job: Optional[JobRun] = None
        self._kept: Optional[KeptCalls] = None
        #: Settles what has come in the run before: in a thread, as a pool does it.
        self._known: Optional[concurrent.futures.Executor] = None
        self._thread: Optional[threading.Thread] = None
        self._lock = threading.Lock()
        self._is_closed = False

    # --- concurrent.futures

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if self._needs_memory(fn):
            self._local = self._local or self._make_local()  # type: ignore[misc]
            is_executor = isinstance(self._local, concurrent.futures.Executor)
            return self._local.submit(fn, *args, **kwargs) if is_executor else self._local.apply_async(fn, args, kwargs)
        return self.submit_known(key_of((fn, args, kwargs)), (fn, args, kwargs))

    def submit_known(self, key: Optional[bytes], call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> "Future[Any]":
        """What has come of a call of this key in the run before is not called again."""
        future: "Future[Any]" = Future()
        with self._lock:
            if self._is_closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._kept is None:
                self._job, self._kept = self._begin()
            future.set_running_or_notify_cancel()
            index, outcome = self._kept.place(key)
            if outcome is None:
                self._send(index, call, future)
            else:
                self._known = self._known or concurrent.futures.ThreadPoolExecutor(1, "burla-known")
                self._known.submit(_settle, future, outcome.value, outcome.error)
        return future

    def _send(self, index: int, call: Any, future: "Future[Any]") -> None:
        self._futures[index] = future
        self._calls.put(call)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="burla-pool", daemon=True)
            self._thread.start()

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], timeout: Optional[float] = None, chunksize: int = 1) -> Iterator[Any]:  # type: ignore[override]
        futures = [self.submit(fn, *arguments) for arguments in zip(*iterables)]
        return (_result(future, timeout) for future in futures)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._calls.put(_END)
                self._end_unsent()
        if cancel_futures and self._job is not None:
            self._job.cancel()
        if self._known is not None:
            self._known.shutdown(wait)
        if self._local is not None:
            (getattr(self._local, "shutdown", None) or self._local.close)()
        if wait and self._thread is not None:
            try:
                self._thread.join()
            except KeyboardInterrupt:
                if self._job is not None:
                    self._job.cancel()
                raise

    def __exit__(self, *failure: Any) -> None:
        # After a call has failed the others still run, as those of any map do: only what failed is left to run again.
        self.shutdown(wait=True, cancel_futures=failure[0] is not None and not self._has_raised(failure[1]))

    def _has_raised(self, error: BaseException) -> bool:
        return self._kept is not None and any(failure is error for failure in self._kept.failures.values())

    # --- multiprocessing.Pool

    def apply(self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}) -> Any:
        return self.submit(func, *args, **kwds).result()

    def apply_async(self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}, callback: Any = None, error_callback: Any = None) -> Any:
        return _Async([self.submit(func, *args, **kwds)], True, callback, error_callback)

    def map_async(self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: Optional[int] = None, callback: Any = None, error_callback: Any = None) -> Any:
        return _Async([self.submit(func, value) for value in iterable], False, callback, error_callback)

    def starmap(self, func: Callable[..., Any], iterable: Iterable[Iterable[Any]], chunksize: Optional[int] = None) -> list[Any]:
        return [_result(future) for future in [self.submit(func, *values) for values in iterable]]

    def starmap_async(self, func: Callable[..., Any], iterable: Iterable[Iterable[Any]], chunksize: Optional[int] = None, callback: Any = None, error_callback: Any = None) -> Any:
        return _Async([self.submit(func, *values) for values in iterable], False, callback, error_callback)

    def imap(self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int = 1) -> Iterator[Any]:
        return ClusterPool.map(self, func, iterable)

    def imap_unordered(self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int = 1) -> Iterator[Any]:
        futures = [self.submit(func, value) for value in iterable]
        return (_result(future) for future in concurrent.futures.as_completed(futures))

    def close(self) -> None:
        self.shutdown(wait=False)

    def join(self) -> None:
        self.shutdown(wait=True)

    def terminate(self) -> None:
        self.shutdown(wait=False, cancel_futures=True)

    # --- the job

    def _needs_memory(self, fn: Callable[..., Any]) -> bool:
        """Threads may work on one list together; processes and workers cannot."""
        if self._make_local is None:
            return False
        home = getattr(fn, "__globals__", {})
        call = ast.Call(ast.Name("__burla_function__", ast.Load()), [ast.Name("__burla_input__", ast.Load())], [])
        ast.fix_missing_locations(ast.copy_location(call, ast.Constant(0, lineno=1, col_offset=0)))
        return why_in_one_place([call], ["__burla_input__"], Meaning([], {**home, "__burla_function__": fn})) is not None

    def _run(self) -> None:
        job, kept = self._job, self._kept
        assert job is not None and kept is not None
        try:
            job.stream(self._called, self._feed(), kept, self._settle)
            job.state.total = job.state.done + job.state.failed
            job.state.end("failed" if job.state.failed else "done")
        except BaseException as error:
            is_cancelled = getattr(error, "code", "") == "BURLA_CANCELLED"
            if is_cancelled and job.state.failed:
                # The cell has ended since a call has failed, and so the others were cancelled.
                job.state.end("failed")
            else:
                job.state.end("cancelled" if is_cancelled else "failed", str(error).split("\n")[0])
            for future in list(self._futures.values()):
                if not future.done():
                    future.set_exception(error)

    def _feed(self) -> Iterator[Any]:
        while True:
            call = self._calls.get()
            if call is _END:
                return
            yield call

    def _end_unsent(self) -> None:
        """All calls had run before: there is no job that says so."""
        if self._job is None or self._kept is None or self._kept.has_sent:
            return
        state, failed = self._job.state, len(self._kept.failures)
        state.done, state.failed = len(list(self._kept.came())) - failed, failed
        state.total = state.done + failed
        state.end("failed" if failed else "done")

    def _settle(self, index: int, value: Any, error: Optional[BaseException]) -> None:
        as_made_here([value])
        _settle(self._futures.pop(index), value, error)


class ProcessPool(ClusterPool):
    """Whose `map` gives a list, as that of `multiprocessing` does."""

    def map(self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: Optional[int] = None) -> Any:  # type: ignore[override]
        return [_result(future) for future in [self.submit(func, value) for value in iterable]]


class _Async:
    """What `apply_async` and `map_async` give."""

    def __init__(self, futures: Any, is_one: bool, callback: Any, error_callback: Any) -> None:
        self._futures, self._is_one = futures, is_one
        if callback is not None or error_callback is not None:
            threading.Thread(target=self._tell, args=(callback, error_callback), daemon=True).start()

    def _tell(self, callback: Any, error_callback: Any) -> None:
        try:
            value = self.get()
        except Exception as error:
            if error_callback is not None:
                error_callback(error)
        else:
            if callback is not None:
                callback(value)

    def get(self, timeout: Optional[float] = None) -> Any:
        values = [_result(future, timeout) for future in self._futures]
        return values[0] if self._is_one else values

    def wait(self, timeout: Optional[float] = None) -> None:
        concurrent.futures.wait(self._futures, timeout)

    def ready(self) -> bool:
        return all(future.done() for future in self._futures)

    def successful(self) -> bool:
        if not self.ready():
            raise ValueError("not ready")
        return all(future.exception() is None for future in self._futures)


def _settle(future: "Future[Any]", value: Any, error: Optional[BaseException]) -> None:
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def _result(future: Any, timeout: Optional[float] = None) -> Any:
    return future.result(timeout) if hasattr(future, "result") else future.get(timeout)
