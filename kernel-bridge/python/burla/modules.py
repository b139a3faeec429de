"""Which modules are the user's own, and which come with an installed package."""

from __future__ import annotations

import functools
import os
import pickletools
import sys
import sysconfig
from types import ModuleType
from typing import Any, Iterator

#: Modules of ours, which every worker has.
_OURS = ("burla", "burla_editor", "burla_protocol", "burla_worker")
#: What workers have by themselves.
_ALWAYS_THERE = ("cloudpickle",)

_folders: list[str] = []
_known: dict[str, tuple[int, bool]] = {}


def own_modules() -> tuple[ModuleType, ...]:
    """Imported modules that lie in the user's own folders."""
    return tuple(module for name, module in list(sys.modules.items()) if _is_own(name, module))


def _is_own(name: str, module: Any) -> bool:
    known = _known.get(name)
    if known is None or known[0] != id(module):
        known = _known[name] = (id(module), _looks_own(name, module))
    return known[1]


def _looks_own(name: str, module: Any) -> bool:
    if not isinstance(module, ModuleType) or name.partition(".")[0] in _OURS or name in ("__main__", "__mp_main__"):
        return False
    file = module.__dict__.get("__file__")
    return module.__dict__.get("__name__") == name and isinstance(file, str) and file.endswith(".py") and not is_installed(file)


def is_installed(file: str) -> bool:
    """Whether a file belongs to the standard library or to an installed package."""
    path = os.path.abspath(file)
    return any(path.startswith(folder) for folder in _installed_folders()) or _holds_packages(_root_of(path))


def _root_of(path: str) -> str:
    """The folder from which a module is imported: the first one above it that is no package."""
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


@functools.lru_cache(maxsize=None)
def _holds_packages(folder: str) -> bool:
    """An installer has put packages there, be it `site-packages` or a folder that PYTHONPATH names."""
    if os.path.basename(folder) in ("site-packages", "dist-packages"):
        return True
    try:
        return any(name.endswith(".dist-info") for name in os.listdir(folder))
    except OSError:
        return False


def _installed_folders() -> list[str]:
    if not _folders:
        paths = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
        paths.add(os.path.dirname(os.__file__))
        _folders.extend(os.path.join(os.path.abspath(path), "") for path in paths if path)
    return _folders


def packages_in(pickled: bytes) -> Iterator[tuple[str, str]]:
    """Installed packages whose modules a pickle names (a name that only looks like one does no harm), with versions."""
    tops = {text.partition(".")[0] for text in _texts(pickled)}
    imported = {top for top in tops if top in sys.modules and _is_package(sys.modules[top])}
    names = {name for top in imported - {*_OURS, *_ALWAYS_THERE} for name in _distributions(top)}
    from importlib import metadata

    for name in sorted(names):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _texts(pickled: bytes) -> Iterator[str]:
    for opcode, argument, _at in pickletools.genops(pickled):
        if isinstance(argument, str) and opcode.name != "GLOBAL":
            yield argument


def _is_package(module: Any) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and _holds_packages(_root_of(os.path.abspath(file)))


def _distributions(top: str) -> list[str]:
    """Names of the packages that hold a module."""
    from importlib import metadata

    if not hasattr(metadata, "packages_distributions"):
        return [top]
    if not _by_module:
        _by_module.update(metadata.packages_distributions())
    return _by_module.get(top, [])


_by_module: dict[str, list[str]] = {}
