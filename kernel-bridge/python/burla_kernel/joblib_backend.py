"""A backend of joblib whose calls run on a cluster: so `Parallel(…)`, and scikit-learn where it is given `n_jobs`."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Iterator

from .calls import key_of

#: As many calls as joblib prepares ahead are twice this.
_CALLS_AT_ONCE = 64


@contextlib.contextmanager
def active(make_pool: Callable[[], Any]) -> Iterator[None]:
    """While it is open. Joblib is not imported for it before it is needed."""
    from joblib import parallel_backend, register_parallel_backend
    from joblib.parallel import ParallelBackendBase

    class ClusterBackend(ParallelBackendBase):  # type: ignore[misc]
        supports_timeout = True

        def configure(self, n_jobs: int = 1, parallel: Any = None, **_options: Any) -> int:
            self.parallel = parallel
            self._pool = make_pool()
            return self.effective_n_jobs(n_jobs)

        def effective_n_jobs(self, n_jobs: int) -> int:
            return 1 if n_jobs == 1 else _CALLS_AT_ONCE

        def apply_async(self, func: Callable[[], Any], callback: Any = None) -> Any:
            # The calls within the batch: the batch itself holds on to this run of joblib.
            future = self._pool.submit_known(key_of(getattr(func, "items", func)), (func, (), {}))
            if callback is not None:
                future.add_done_callback(lambda done: None if done.exception() is not None else callback(done.result()))
            return _Waiting(future)

        submit = apply_async

        def terminate(self) -> None:
            self._pool.shutdown(wait=True)

        def abort_everything(self, ensure_ready: bool = True) -> None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            if ensure_ready:
                self._pool = make_pool()

    register_parallel_backend("burla", ClusterBackend)
    with parallel_backend("burla", n_jobs=-1):
        yield


class _Waiting:
    def __init__(self, future: Any) -> None:
        self._future = future

    def get(self, timeout: Any = None) -> Any:
        return self._future.result(timeout)
