"""How a function travels: by cloudpickle, with the user's own modules inside, and the names of packages."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable

from burla_protocol.values import find_unpicklable

from .errors import BurlaError
from .modules import own_modules, packages_in
from .pickling import ValuePickler
from .sources import sources_of

_MAX_BUNDLE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Bundle:
    """What workers load. `id` is the hash of `code`."""

    id: str
    code: bytes
    name: str
    #: Installed packages that it imports, with their versions, for machines that do not have the user's.
    externals: tuple[tuple[str, str], ...]


def capture(function: Callable[..., Any], *, same_machine: bool) -> tuple[Bundle, ValuePickler]:
    """The function as it is now, with all that it needs, and how its inputs are to be pickled.

    Raises BurlaError BURLA_CAPTURE, BURLA_PYTHON, BURLA_TOO_LARGE.
    """
    pickled, pickler = _pickle(function, same_machine)
    content = {
        "python": sys.version_info[:2],
        "cloudpickle": str(require_cloudpickle().__version__),
        "function": pickled,
        "sources": sources_of(function),
        "path": [os.path.abspath(entry) for entry in sys.path] if same_machine else None,
    }
    code = pickle.dumps(content, protocol=4)
    if len(code) > _MAX_BUNDLE_BYTES:
        raise BurlaError("BURLA_TOO_LARGE", f"the function and what it captured have {len(code)} bytes, over the limit of {_MAX_BUNDLE_BYTES}")
    externals = () if same_machine else tuple(packages_in(pickled))
    return Bundle(hashlib.sha256(code).hexdigest(), code, name_of(function), externals), pickler


def _pickle(function: Callable[..., Any], same_machine: bool) -> tuple[bytes, ValuePickler]:
    """With the user's own modules inside. Workers on the same machine may import what cannot be sent."""
    by_value = ValuePickler(require_cloudpickle(), own_modules())
    try:
        return by_value.dumps(function), by_value
    except Exception as error:
        by_reference = ValuePickler(require_cloudpickle(), ())
        if same_machine and by_value.modules:
            try:
                return by_reference.dumps(function), by_reference
            except Exception:
                # The first error names what the user knows.
                pass
        raise _refusal(function, error) from error


def name_of(function: Any) -> str:
    while hasattr(function, "func"):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return "lambda" if name == "<lambda>" else str(name)


def require_cloudpickle() -> ModuleType:
    try:
        import cloudpickle
    except ImportError as error:
        cure = "Install it here: `pip install cloudpickle`."
        raise BurlaError("BURLA_PYTHON", f"this Python ({sys.executable}) has no cloudpickle, by which functions travel", cure) from error
    return cloudpickle


def _refusal(function: Callable[..., Any], error: Exception) -> BurlaError:
    found = find_unpicklable(function)
    name = name_of(function)
    if found is None:
        return BurlaError("BURLA_CAPTURE", f"{name} cannot be sent to the cluster: {error}")
    path, what = found
    return BurlaError("BURLA_CAPTURE", f"{name} cannot be sent to the cluster: {name}{path} is {what}")
