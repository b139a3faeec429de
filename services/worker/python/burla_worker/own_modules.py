"""The user's own modules, which travel with a function, for whoever imports them by name: `pickle` does, and a call may."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Callable, Mapping, Optional, Sequence


def install_modules(namespaces: Mapping[str, dict[str, Any]]) -> None:
    """:param namespaces: for each module, and the script, the globals of its functions that have come."""
    if len(namespaces) > 1:
        sys.meta_path.insert(0, _Finder(namespaces))


class _Finder(MetaPathFinder):
    def __init__(self, namespaces: Mapping[str, dict[str, Any]]) -> None:
        self._namespaces = namespaces

    def find_spec(self, name: str, path: Optional[Sequence[str]], _target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        namespace = self._namespaces.get(name) if name != "__main__" else None
        if namespace is None:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is None:
            return spec
        found = spec or ModuleSpec(name, None)
        found.loader = _Overlaid(found.loader, lambda: self._travelled(name, namespace))
        return found

    def _travelled(self, name: str, namespace: dict[str, Any]) -> dict[str, Any]:
        """All that has come of a module: as globals of its functions, as a module that others name, or as the class of a value."""
        parts: dict[str, Any] = {kind.__qualname__: kind for kind in travelled_classes(name)}
        for others in self._namespaces.values():
            for value in list(others.values()):
                if isinstance(value, ModuleType) and value.__name__ == name and value is not sys.modules.get(name):
                    parts.update(vars(value))
        parts.update(namespace)
        return {part: value for part, value in parts.items() if not (part.startswith("__") and part.endswith("__"))}


def travelled_classes(module: str) -> list[type]:
    """Those of a module that came by value, also with inputs alone, which no function names."""
    table = getattr(sys.modules.get("cloudpickle.cloudpickle"), "_DYNAMIC_CLASS_TRACKER_BY_CLASS", {})
    return [kind for kind in list(table) if getattr(kind, "__module__", "") == module and "." not in kind.__qualname__]


class _Overlaid(Loader):
    """The module of the file, where there is one, with what has come in the place of what it makes itself."""

    def __init__(self, loader: Optional[Loader], travelled: Callable[[], dict[str, Any]]) -> None:
        self._loader = loader
        self._travelled = travelled

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return self._loader.create_module(spec) if self._loader is not None else None

    def exec_module(self, module: ModuleType) -> None:
        if self._loader is not None:
            self._loader.exec_module(module)
        vars(module).update(self._travelled())

    def __getattr__(self, name: str) -> Any:
        """What others ask a loader for, such as the source."""
        return getattr(self._loader, name)
