"""A line as far as it has been written; one that is written over, as a bar of progress, is sent by its states."""

from __future__ import annotations

from typing import NamedTuple

from .overwritten import UPDATE, overwritten
from .pace import MAX_LOG_LINE_BYTES, UPDATE_CHARACTERS, UPDATE_MS


class PartialLine(NamedTuple):
    #: Its begin,
    kept: str = ""
    #: and how long it really is.
    length: int = 0
    #: What the node can read of it.
    told: str = ""
    #: What follows is written over it.
    has_returned: bool = False
    #: Something was written over its begin.
    is_over: bool = False
    #: Its last state that was sent, if there is one, and when.
    sent: str = ""
    sent_s: float = float("-inf")

    def extended(self, text: str) -> PartialLine:
        """With text, in which no end of a line is, behind it or in its place."""
        rest, is_new, has_returned = overwritten(text)
        is_replaced = is_new or (self.has_returned and rest != "")
        kept, length = ("", 0) if is_replaced else (self.kept, self.length)
        if len(kept) < MAX_LOG_LINE_BYTES:
            kept += rest[: MAX_LOG_LINE_BYTES - len(kept)]
        return PartialLine(
            kept,
            length + len(rest),
            self.told,
            has_returned or (self.has_returned and rest == ""),
            self.is_over or is_replaced,
            self.sent,
            self.sent_s,
        )

    @property
    def to_tell(self) -> str:
        return self.kept + UPDATE if self.has_returned else self.kept

    @property
    def is_erased(self) -> bool:
        """Nothing is left of it, unless its states are to be taken away again."""
        return self.is_over and self.sent == "" and not self.kept.strip()

    def due_update(self, now_s: float) -> str | None:
        """The state that is to be sent; None when none is due."""
        if self.kept == self.sent or now_s - self.sent_s < UPDATE_MS / 1000 or not self.kept.strip():
            return None
        return self.kept[:UPDATE_CHARACTERS] + UPDATE


NO_LINE = PartialLine()
