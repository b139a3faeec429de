"""`burla.last`: what the last map of a cell has so far, whatever became of the cell."""

from __future__ import annotations

from burla import Settled

from .keep import Kept


class Last:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def settled(self) -> list[Settled]:
        """A `burla.Settled` for each input that has run, in order of the inputs; after a re-run of failed inputs, of all of them."""
        return [
            Settled(index, "fulfilled", value) if error is None else Settled(index, "rejected", None, error)
            for index, value, error in self._kept.came()
        ]

    def __repr__(self) -> str:
        failed = len(self._kept.failures)
        done = sum(1 for _ in self._kept.came()) - failed
        return f"<burla.last: {done:,} results{f', {failed:,} failed' if failed else ''}; see settled()>"
