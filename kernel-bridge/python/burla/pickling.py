"""cloudpickle with the user's own modules by value, as functions of `__main__` are pickled."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any, Sequence

from burla_protocol.pickling import dumps

#: cloudpickle keeps the modules in a table of its own, which all threads share.
_lock = threading.RLock()


class ValuePickler:
    def __init__(self, cloudpickle: ModuleType, modules: Sequence[ModuleType]) -> None:
        self.modules = modules
        self._cloudpickle = cloudpickle

    def dumps(self, value: Any) -> bytes:
        if not self.modules:
            return dumps(value)
        with _lock:
            registered = self._cloudpickle.list_registry_pickle_by_value()
            added = [module for module in self.modules if module.__name__ not in registered]
            try:
                for module in added:
                    self._cloudpickle.register_pickle_by_value(module)
                return dumps(value)
            finally:
                for module in added:
                    self._cloudpickle.unregister_pickle_by_value(module)
