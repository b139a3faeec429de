"""A job's entries as an iterator: what a user loops over."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from operator import attrgetter
from types import TracebackType
from typing import Any, Callable, Iterator

from .errors import BurlaError
from .job import Job
from .options import LogLine, Options, Progress
from .output import JobOutput
from .results import Entry, Settled

#: Jobs of this program that somebody reads: they are cancelled when the program ends.
open_streams: weakref.WeakSet[RemoteResults] = weakref.WeakSet()

StartJob = Callable[[str], Job]

_COLLECTOR, _READER = "collector", "reader"
_index_of = attrgetter("index")


class FailedInputs(Exception):
    """With `on_error="continue"`: what failed, told when all other results were taken."""

    def __init__(self, message: str, exceptions: tuple[BaseException, ...]) -> None:
        super().__init__(message)
        self.exceptions = exceptions

    def __reduce__(self):
        return FailedInputs, (str(self), self.exceptions)


class RemoteResults(Iterator[Any]):
    """Values of the inputs, as they complete (or in order of the inputs).

    The job starts at the first use, at once with `detach`. Whoever stops reading cancels it, unless it is detached.
    Threads may share it: each result goes to one of them.
    """

    def __init__(self, job_id: str, start: StartJob, name: str, options: Options) -> None:
        self.job_id = job_id
        self._start = start
        self._options = options
        self._output = JobOutput(name, options)
        self._job: Job | None = None
        self._failures: list[BaseException] = []
        #: Taken from the job, and not yet by the user.
        self._ready: deque[Settled] = deque()
        self._over = False
        #: Who reads, if anybody: results that one reader has taken are not there for `to_list`, and it leaves none for others.
        self._reader: str | None = None
        #: Held while one thread takes a result, or waits for one. Not by whoever ends the reading.
        self._reading = threading.RLock()
        #: In a fork of the process that reads: the threads that speak with the cluster are there, not here.
        self._is_inherited = False

    def __next__(self) -> Any:
        return self._take_fulfilled().value

    def __iter__(self) -> RemoteResults:
        return self

    def entries(self) -> Iterator[Entry]:
        """Index and value of each input."""
        return _View(self._next_entry)

    def settled(self) -> Iterator[Settled]:
        """Every outcome, failures too; nothing is raised for them, and they do not end the job."""
        return _View(self._next_outcome)

    def to_list(self) -> list[Any]:
        """All values, in order of the inputs. Raises TypeError when somebody reads the results already."""
        self._check_own()
        with self._reading:
            if self._reader is not None:
                raise _read_twice(self._reader)
            self._reader = _COLLECTOR
            entries: list[Settled] = []
            try:
                while True:
                    entries.append(self._next_fulfilled(None))
            except StopIteration:
                pass
        return [entry.value for entry in sorted(entries, key=_index_of)]

    def begin(self) -> None:
        """Starts the job now instead of at the first use."""
        self._begun(self._options.on_error)

    def wait_uploaded(self) -> None:
        """Returns when the cluster has all inputs: from then on a detached job needs this program no more."""
        self._begun(self._options.on_error).wait_uploaded()

    def cancel(self) -> None:
        """Ends the job on the cluster. A thread that waits for its results meanwhile is told so by a `BurlaError`."""
        if self._over or self._is_inherited:
            return
        if self._options.detach:
            # One that somebody else has started runs, though nobody has read anything of it here.
            self.begin()
        self._stop("cancelled by its client")

    def close(self) -> None:
        """Reads no more: cancels the job, unless it is detached or done."""
        if self._over or self._is_inherited:
            return
        job = self._job
        if job is None or self._options.detach or job.is_over:
            self._end()
        else:
            self._stop("its results are not wanted any more")

    def __enter__(self) -> RemoteResults:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:
            # The interpreter ends; the cluster notices by the lost connection.
            pass

    def _next_entry(self) -> Entry:
        entry = self._take_fulfilled()
        return Entry(entry.index, entry.value)

    def _next_outcome(self) -> Settled:
        self._note_reader()
        with self._reading:
            entry = self._next_settled("continue")
        if entry is None:
            raise StopIteration
        return entry

    def _become_inherited(self) -> None:
        """In a fork, whose other threads are gone, whatever they held."""
        self._is_inherited, self._reading, self._ready, self._over, self._reader = True, threading.RLock(), deque(), False, None

    def _begun(self, on_error: str) -> Job:
        self._check_own()
        if self._job is None:
            self._job = self._start(on_error)
            open_streams.add(self)
        return self._job

    def _check_own(self) -> None:
        """Before anything that would end the job: its locks are those of threads that are not here, its connection is the parent's."""
        if self._is_inherited:
            raise RuntimeError("these results belong to the process that has begun to read them; call remote_parallel_map in this one")

    def _take_fulfilled(self) -> Settled:
        """Without the lock as long as there is one: taking from the left of a deque is one step for all threads."""
        if self._reader is not _READER:
            self._note_reader()
        try:
            entry = self._ready.popleft()
        except IndexError:
            entry = None
        if entry is not None and entry.status == "fulfilled":
            return entry
        with self._reading:
            return self._next_fulfilled(entry)

    def _note_reader(self) -> None:
        self._check_own()
        if self._reader is _COLLECTOR and not self._over:
            raise _read_twice(_COLLECTOR)
        self._reader = self._reader or _READER

    def _next_fulfilled(self, taken: Settled | None) -> Settled:
        """:param taken: one that has been taken already."""
        while True:
            entry, taken = taken or self._next_settled(self._options.on_error), None
            if entry is None:
                self._raise_failures()
                raise StopIteration
            if entry.status == "fulfilled":
                return entry
            assert entry.reason is not None
            if self._options.on_error == "throw":
                self.close()
                raise entry.reason
            self._failures.append(entry.reason)

    def _raise_failures(self) -> None:
        failures, self._failures = tuple(self._failures), []
        if failures:
            raise FailedInputs(f"{len(failures)} input{'s' if len(failures) > 1 else ''} failed; the first: {failures[0]!r}", failures)

    def _next_settled(self, on_error: str) -> Settled | None:
        try:
            return self._ready.popleft()
        except IndexError:
            pass
        if self._over:
            return None
        try:
            return self._wait(self._begun(on_error))
        except KeyboardInterrupt:
            self._stop("interrupted by its user")
            raise
        except BaseException:
            if not self._over:
                self._end_or_cancel()
            raise

    def _wait(self, job: Job) -> Settled | None:
        while True:
            news = job.next()
            if type(news) is deque:
                # Others take from it as soon as it is there.
                first = news.popleft()
                self._ready = news
                return first
            if news is None:
                self._end()
                return None
            self._tell(news)

    def _tell(self, news: LogLine | Progress) -> None:
        if isinstance(news, LogLine):
            self._output.line(news)
        else:
            self._output.progress(news)

    def _end_or_cancel(self) -> None:
        """A callback of the user's has raised, or the job has failed."""
        job = self._job
        if job is not None and not job.is_over and not self._options.detach:
            self._stop("a callback of its client failed")
        else:
            self._end()

    def _stop(self, reason: str) -> None:
        job = self._job
        self._over = True
        if job is not None:
            job.cancel(reason, BurlaError("BURLA_CANCELLED", "the job was cancelled"))
        self._end()

    def _end(self) -> None:
        self._over = True
        self._ready = deque()
        if self._job is not None:
            self._job.leave()
        open_streams.discard(self)
        self._output.end()


def _read_twice(reader: str) -> TypeError:
    how = "to_list() collects them" if reader is _COLLECTOR else "some have been read already"
    return TypeError(f"the results of this job are each given once, and {how}: read them in one place")


class _View(Iterator[Any]):
    """What `take` gives, until it raises StopIteration. Unlike a generator, threads may share it."""

    def __init__(self, take: Callable[[], Any]) -> None:
        self._take = take

    def __next__(self) -> Any:
        return self._take()


def _after_fork() -> None:
    for stream in list(open_streams):
        stream._become_inherited()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def close_all() -> None:
    """At the end of the program: the cluster need not wait for whoever will not come back."""
    for stream in list(open_streams):
        stream.close()
