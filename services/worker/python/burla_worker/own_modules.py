"""The user's own modules, which travel with a function, for whoever imports them by name: `pickle` does, and a call may."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Mapping, Optional, Sequence


def install_modules(namespaces: Mapping[str, dict[str, Any]]) -> None:
    """:param namespaces: for each module the globals of its functions that have come."""
    if namespaces:
        sys.meta_path.insert(0, _Finder(namespaces))


class _Finder(MetaPathFinder):
    def __init__(self, namespaces: Mapping[str, dict[str, Any]]) -> None:
        self._namespaces = namespaces

    def find_spec(self, name: str, path: Optional[Sequence[str]], _target: Optional[ModuleType] = None) -> Optional[ModuleSpec]:
        namespace = self._namespaces.get(name)
        if namespace is None:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is None:
            return spec
        found = spec or ModuleSpec(name, None)
        found.loader = _Overlaid(found.loader, namespace)
        return found


class _Overlaid(Loader):
    """The module of the file, where there is one, with what has come in the place of what it makes itself."""

    def __init__(self, loader: Optional[Loader], namespace: dict[str, Any]) -> None:
        self._loader = loader
        self._namespace = namespace

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return self._loader.create_module(spec) if self._loader is not None else None

    def exec_module(self, module: ModuleType) -> None:
        if self._loader is not None:
            self._loader.exec_module(module)
        own = {name: value for name, value in self._namespace.items() if not (name.startswith("__") and name.endswith("__"))}
        vars(module).update(own)

    def __getattr__(self, name: str) -> Any:
        """What others ask a loader for, such as the source."""
        return getattr(self._loader, name)
