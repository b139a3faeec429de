"""How a function travels: by cloudpickle, with the user's own modules inside, and the names of packages."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Callable, Optional, Sequence

from burla_protocol.frames import MAX_FUNCTION_BYTES
from burla_protocol.interrupts import is_from_outside
from burla_protocol.values import find_unpicklable, is_picklable

from .errors import BurlaError
from .library_settings import library_settings
from .modules import own_modules, packages_in
from .pickling import ValuePickler
from .sources import sources_of
from .too_large import too_large


@dataclass(frozen=True)
class Bundle:
    """What workers load."""

    code: bytes
    name: str
    #: Installed packages that it imports, with their versions, for machines that do not have the user's.
    externals: tuple[tuple[str, str], ...]


def capture(function: Callable[..., Any], setup: Optional[Callable[[], Any]] = None, *, same_machine: bool) -> tuple[Bundle, ValuePickler]:
    """The function as it is now, with all that it needs, and how its inputs are to be pickled.

    Raises BurlaError BURLA_CAPTURE, BURLA_PYTHON, BURLA_TOO_LARGE.
    """
    pickled, pickler = _pickle(function, setup, same_machine)
    content = {
        "python": sys.version_info[:2],
        "cloudpickle": str(require_cloudpickle().__version__),
        "parts": pickled,
        "sources": sources_of(function, setup),
        "argv": list(sys.argv if same_machine else sys.argv[:1]) if hasattr(sys, "argv") else [],
        "path": [os.path.abspath(entry) for entry in sys.path] if same_machine else None,
    }
    code = pickle.dumps(content, protocol=4)
    if len(code) > MAX_FUNCTION_BYTES:
        raise too_large(function, len(code))
    externals = () if same_machine else tuple(packages_in(pickled))
    return Bundle(code, name_of(function), externals), pickler


def _pickle(function: Callable[..., Any], setup: Optional[Callable[[], Any]], same_machine: bool) -> tuple[bytes, ValuePickler]:
    """With the user's own modules inside. Workers on the same machine may import what cannot be sent.

    Beside the functions goes what the worker needs to make a `__main__` and set libraries up as they are here.
    """
    settings = library_settings(same_machine)
    by_value = ValuePickler(require_cloudpickle(), own_modules())
    try:
        return by_value.dumps((function, setup, _probes(by_value.modules), settings)), by_value
    except BaseException as error:
        if is_from_outside(error):
            raise
        by_reference = ValuePickler(require_cloudpickle(), ())
        if same_machine and by_value.modules:
            try:
                return by_reference.dumps((function, setup, _probes(()), settings)), by_reference
            except Exception:
                # The first error names what the user knows.
                pass
        culprit = setup if setup is not None and is_picklable(function) else function
        raise _refusal(culprit, error) from error


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


def _probes(modules: Sequence[ModuleType]) -> dict[str, Callable[[], None]]:
    """For the script and each module that travels a function, whose globals are on the worker those of its functions that do."""
    main = sys.modules["__main__"]
    namespaces = {module.__name__: vars(module) for module in modules}
    namespaces["__main__"] = getattr(main, "__burla_namespace__", vars(main))
    return {name: FunctionType(_nothing.__code__, namespace, "burla_probe") for name, namespace in namespaces.items()}


def _nothing() -> None:
    pass


def _refusal(function: Callable[..., Any], error: BaseException) -> BurlaError:
    found = find_unpicklable(function)
    name = name_of(function)
    if found is None:
        return BurlaError("BURLA_CAPTURE", f"{name} cannot be sent to the cluster: {error}")
    path, what = found
    return BurlaError("BURLA_CAPTURE", f"{name} cannot be sent to the cluster: {name}{path} is {what}")
