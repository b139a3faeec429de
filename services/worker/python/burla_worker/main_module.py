"""`__main__` of a worker: what the script of the user defines is found in it by name, as `pickle` looks for it.

So functions and classes of the script go to processes that a call makes with `multiprocessing` or `concurrent.futures`. Those
that are forked have this module. Those that are started anew run the file `spawned_main.py` in the place of the script.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

from .own_modules import travelled_classes

_BUNDLE = "BURLA_WORKER_BUNDLE"


def install_main() -> None:
    """In the place of the program that runs the worker, before anything of the user's is loaded."""
    sys.modules["__main__"] = types.ModuleType("__main__")


def become_main(namespace: dict[str, Any], bundle_path: str) -> None:
    """:param namespace: the globals of the functions of the script."""
    main = sys.modules["__main__"]
    os.environ[_BUNDLE] = bundle_path
    # Asked for by the client, when a call starts a job of its own.
    main.__burla_namespace__ = namespace
    main.__file__ = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawned_main.py")
    main.__getattr__ = lambda name: find(namespace, name)  # type: ignore[method-assign]


def find(namespace: dict[str, Any], name: str) -> Any:
    """What a module does for a name that it does not have. Raises AttributeError."""
    if not (name.startswith("__") and name.endswith("__")):
        if name in namespace:
            return namespace[name]
        for kind in travelled_classes("__main__"):
            if kind.__qualname__ == name:
                return kind
    raise AttributeError(f"module '__main__' has no attribute {name!r}")


_loaded: dict[str, Any] = {}


def find_anew(name: str) -> Any:
    """In a process that was started anew: the script is loaded when something of it is asked for first."""
    if name.startswith("__") and name.endswith("__"):
        raise AttributeError(f"module '__main__' has no attribute {name!r}")
    if not _loaded:
        from .load import read_bundle, unpickle_parts

        _call, _setup, probes, _settings = unpickle_parts(read_bundle(os.environ[_BUNDLE]))
        _loaded.update(namespace=probes["__main__"].__globals__)
    return find(_loaded["namespace"], name)
