"""One number for an input wherever it is told: that of the first run, also when only some run again."""

from __future__ import annotations

from typing import Optional


def told_of(error: BaseException, index: Optional[int]) -> BaseException:
    """The error, which says that it was this input; None: there is only one, of which nobody needs to be told."""
    notes = getattr(error, "__notes__", None)
    said = _note(getattr(error, "input_index", None))
    if isinstance(notes, list):
        notes[:] = [note for note in notes if note != said]
    if index is None:
        return error
    try:
        error.input_index = index  # type: ignore[attr-defined]
    except Exception:
        # A class with slots has no room for it.
        pass
    if hasattr(error, "add_note"):
        error.add_note(_note(index))
    return error


def _note(index: Optional[int]) -> str:
    """As the client says it (`burla.errors`)."""
    return f"burla: this was input {index}"
