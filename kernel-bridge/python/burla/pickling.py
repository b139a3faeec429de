"""cloudpickle with the user's own modules by value, as functions of `__main__` are pickled."""

from __future__ import annotations

import os
import threading
from types import ModuleType
from typing import Any, Sequence

from burla_protocol.pickling import dumps

#: Held for moments only: what is pickled may run code of the user's, which may take as long as it likes.
_lock = threading.Lock()
#: How many picklers are at work with each module that is in cloudpickle's table because of us. All threads share the table.
_users: dict[str, int] = {}


def _start_anew() -> None:
    """In a fork, whose other threads are gone: whatever they were doing."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


class ValuePickler:
    def __init__(self, cloudpickle: ModuleType, modules: Sequence[ModuleType]) -> None:
        self.modules = modules
        self._cloudpickle = cloudpickle

    def dumps(self, value: Any) -> bytes:
        if not self.modules:
            return dumps(value)
        added = self._register()
        try:
            return dumps(value)
        finally:
            self._unregister(added)

    def _register(self) -> list[ModuleType]:
        with _lock:
            registered = self._cloudpickle.list_registry_pickle_by_value()
            added = [module for module in self.modules if module.__name__ in _users or module.__name__ not in registered]
            for module in added:
                if module.__name__ not in registered:
                    self._cloudpickle.register_pickle_by_value(module)
                _users[module.__name__] = _users.get(module.__name__, 0) + 1
            return added

    def _unregister(self, added: list[ModuleType]) -> None:
        with _lock:
            for module in added:
                _users[module.__name__] -= 1
                if _users[module.__name__] == 0:
                    del _users[module.__name__]
                    self._cloudpickle.unregister_pickle_by_value(module)
