"""What a run of a map has so far, and what of a failed run is kept, so that only the failed inputs need to run again."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Optional

from .view import MAX_FAILURES

#: In the place of a result that has not come.
MISSING = object()


class Kept:
    def __init__(self, inputs: Iterable[Any], size: Optional[int], shape: str) -> None:
        self.shape = shape
        #: In order of the inputs. `MISSING` where none has come yet.
        self.values: list[Any] = []
        self.keys: list[Any] = []
        #: All have come.
        self.is_whole = False
        #: Each input has run, or has failed: a job that was stopped leaves some without either.
        self.has_ended = False
        #: What failed, by input, until it has run again.
        self.failures: dict[int, BaseException] = {}
        self.inputs = inputs
        self._size = size
        #: Inputs without a result: those that fail may run again.
        self._open: dict[int, Any] = {}
        #: Of a run of some inputs only: which of all an index of the job means.
        self._only: Optional[tuple[int, ...]] = None

    def feed(self, only: Optional[tuple[int, ...]]) -> Iterable[Any]:
        """What the job takes: all inputs, or some of those that have failed.

        None of them, or as many as a cell shows, means all of those: a cell does not know of more.
        """
        if only is None:
            return _Feed(self._all(), self._size)
        wanted = sorted(self.failures) if not only or len(only) >= MAX_FAILURES else only
        self._only = tuple(index for index in wanted if index in self.failures)
        return [self._open[index] for index in self._only]

    def index_of(self, job_index: int) -> int:
        return job_index if self._only is None else self._only[job_index]

    def fulfil(self, index: int, value: Any) -> None:
        if index >= len(self.values):
            self.values.extend([MISSING] * (index + 1 - len(self.values)))
        self.values[index] = value
        self._open.pop(index, None)
        self.failures.pop(index, None)

    def reject(self, index: int, error: BaseException) -> None:
        self.failures[index] = error

    def shown(self, value: Any) -> Any:
        """What a person sees of a result: of the turn of a loop, what it has collected."""
        return collected_of(value) if self.shape == "loop" else value

    def came(self) -> Iterator[tuple[int, Any, Optional[BaseException]]]:
        """What has come so far, in order of the inputs: the value of each, or what it has raised."""
        for index in range(max(len(self.values), max(self.failures, default=-1) + 1)):
            if index in self.failures:
                yield index, None, self.failures[index]
            elif index < len(self.values) and self.values[index] is not MISSING:
                yield index, self.shown(self.values[index]), None

    def in_shape(self) -> Any:
        """All results as the cell asks for them. Where an input has failed, its exception stands in the place of the value."""
        values = self.values
        if self.failures and self.shape in ("set", "dict"):
            values = [value for _index, value, error in self.came() if error is None]
        elif self.failures:
            values = [value if error is None else error for _index, value, error in self.came()]
        if self.shape == "set":
            return set(values)
        if self.shape == "dict":
            return dict(values)
        if self.shape == "keyed":
            return dict(zip(self.keys, values))
        return list(values)

    def until_failure(self) -> Iterator[Any]:
        """The values before the first input that has failed."""
        return iter(self.values[: min(self.failures)] if self.failures else self.values)

    def recall(self) -> None:
        """After a job that took its inputs from an earlier kernel: the keys, the inputs that have failed, the last turn of a loop."""
        if not self.failures and self.shape not in ("keyed", "loop"):
            return
        for _ in self._all():
            pass
        self._open = {index: value for index, value in self._open.items() if index in self.failures}

    def _all(self) -> Iterator[Any]:
        """Pulled in a thread of the client, ahead of the results."""
        is_keyed = self.shape == "keyed"
        for index, value in enumerate(self.inputs):
            if is_keyed:
                key, value = value
                self.keys.append(key)
            self._open[index] = value
            yield value


def collected_of(turn: tuple[list[tuple[int, tuple[Any, ...]]], Any, Any]) -> Any:
    """One value where the turn has collected one, else all of them in a list."""
    values = [value for _kind, collected in turn[0] for value in collected]
    return values[0] if len(values) == 1 else values


class _Feed:
    def __init__(self, values: Iterator[Any], size: Optional[int]) -> None:
        self._values = values
        if size is not None:
            self.__class__ = _SizedFeed
            self.size = size

    def __iter__(self) -> Iterator[Any]:
        return self._values


class _SizedFeed(_Feed):
    size = 0

    def __len__(self) -> int:
        return self.size


class Keeper:
    """Of each cell whose inputs have failed in part: what its jobs have so far, by their number. And the last job that came to its end."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[int, Kept]] = {}
        self._last: Optional[tuple[Optional[str], Kept]] = None

    def end(self, job_id: Optional[str], kept: Kept) -> None:
        self._last = (job_id, kept)

    def over(self, job_id: str) -> Optional[Kept]:
        return self._last[1] if self._last is not None and self._last[0] == job_id else None

    def new(self, cell_id: str, inputs: Iterable[Any], size: Optional[int], shape: str, job_number: int) -> Kept:
        jobs = self._kept.setdefault(cell_id, {})
        for number in [number for number in jobs if number >= job_number]:
            del jobs[number]
        kept = jobs[job_number] = Kept(inputs, size, shape)
        return kept

    def replace(self, cell_id: str, kept: Kept, job_number: int) -> None:
        """With what another run of the cell has of this job; what is kept of those after it stays."""
        self._kept.setdefault(cell_id, {})[job_number] = kept

    def knows(self, cell_id: str) -> bool:
        return cell_id in self._kept

    def of(self, cell_id: str, job_number: int) -> Optional[Kept]:
        """Whatever became of it."""
        return self._kept.get(cell_id, {}).get(job_number)

    def failed(self, cell_id: str, job_number: int, shape: str) -> Optional[Kept]:
        """None also where another kind of map stood there: the cell has been edited."""
        kept = self.of(cell_id, job_number)
        return kept if kept is not None and kept.shape == shape and kept.has_ended and kept.failures else None

    def whole(self, cell_id: str, job_number: int, shape: str) -> Optional[Kept]:
        """Of a job that had ended well before another one of the cell failed."""
        kept = self.of(cell_id, job_number)
        return kept if kept is not None and kept.shape == shape and kept.is_whole else None

    def done(self, cell_id: str, job_number: int) -> None:
        kept = self._kept.get(cell_id, {}).get(job_number)
        if kept is not None:
            kept.is_whole = True

    def forget(self, cell_id: str) -> None:
        """The cell has come to its end. What has failed, and was caught in the cell, may still run again."""
        if not any(kept.failures for kept in self._kept.get(cell_id, {}).values()):
            self._kept.pop(cell_id, None)
