"""Lines that are written over, as bars of progress are: see `protocol/src/overwritten.ts`, which says how they are sent."""

from __future__ import annotations

import re
from typing import Tuple

#: The end of the text of an entry in whose place the next one of its input and stream comes.
UPDATE = "\r"

_BACK = re.compile(r"\x1b\[(?:[12]K|[01]?G)")
_ERASED_BEHIND = re.compile(r"\x1b\[0?K")


def overwritten(text: str) -> Tuple[str, bool, bool]:
    """What is left of text: from the last return on that something follows; whether one stood before, and one at its end."""
    if "\r" not in text and "\x1b[" not in text:
        return text, False, False
    plain = _ERASED_BEHIND.sub("", _BACK.sub("\r", text))
    left = plain.rstrip("\r")
    at = left.rfind("\r")
    return left[at + 1 :], at >= 0, len(left) < len(plain)
