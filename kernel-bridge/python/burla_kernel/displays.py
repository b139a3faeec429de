"""What calls on the cluster display: which functions may, and how it gets into the cell, in order of the inputs."""

from __future__ import annotations

import functools
import pickle
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any, Callable, Iterator, Optional

from .meaning import is_own

#: In a result, before the value and what was displayed; of an exception, the attribute that has it (`worker_half.py`).
MARK = "__burla_shown__"


@dataclass(frozen=True)
class Displaying:
    """Of a function that may display something."""

    #: One whose module has imported `display` under that name, where one has.
    importer: Optional[FunctionType]
    #: It imports IPython by itself.
    uses_ipython: bool


def displaying(function: Any) -> Optional[Displaying]:
    """None where neither it nor a function of the user's that it names has the name `display`."""
    importer, names = None, set()
    for own in _functions(function, set()):
        used = {name for code in _nested(own.__code__) for name in code.co_names}
        names |= used
        if "display" in used and getattr(own.__globals__.get("display"), "__module__", "").startswith("IPython."):
            importer = own
    return Displaying(importer, any(name.partition(".")[0] == "IPython" for name in names)) if "display" in names else None


def _functions(value: Any, seen: set[int]) -> Iterator[FunctionType]:
    """The user's own functions that it leads to."""
    if isinstance(value, functools.partial):
        value = value.func
    value = getattr(value, "__func__", None) or getattr(value, "__wrapped__", value)
    if id(value) in seen or not isinstance(value, (FunctionType, type)) or not is_own(value):
        return
    seen.add(id(value))
    if isinstance(value, type):
        for member in list(vars(value).values()):
            yield from _functions(member, seen)
        return
    yield value
    named = {name for code in _nested(value.__code__) for name in code.co_names}
    for other in (*(value.__globals__.get(name) for name in sorted(named)), *map(_content, value.__closure__ or ())):
        yield from _functions(other, seen)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        # It has none yet.
        return None


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _nested(part)


class InOrder:
    """Shows what calls have displayed as soon as all inputs before theirs have run. `show` gets the object and the options."""

    def __init__(self, show: Callable[..., Any]) -> None:
        self._show = show
        self._next = 0
        self._early: dict[int, list[bytes]] = {}

    def settled(self, index: int, value: Any, error: Optional[BaseException]) -> Any:
        """Hears of each input of a job once. Gives the value itself."""
        shown: list[bytes] = getattr(error, "__dict__", {}).pop(MARK, [])
        if type(value) is tuple and len(value) == 3 and value[0] == MARK:
            _mark, value, shown = value
        self._early[index] = shown
        while self._next in self._early:
            for pickled in self._early.pop(self._next):
                made, options = pickle.loads(pickled)
                self._show(made, **options)
            self._next += 1
        return value
