"""A file of the user's -> its module, as an import by its own name gives it."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType
from typing import Any, Callable


class UsageError(Exception):
    """Something that the user can mend: its message says what."""

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.cure = cure


def load_module(file: str) -> ModuleType:
    """Relative imports work within a package, and siblings are found; `if __name__ == "__main__"` is not true."""
    folder, name = os.path.split(os.path.abspath(file))
    parts = [os.path.splitext(name)[0]]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        parts.insert(0, package)
    if parts[-1] == "__init__":
        parts.pop()
    if not all(part.isidentifier() for part in parts):
        return _load_by_path(file)
    sys.path.insert(0, folder)
    module = importlib.import_module(".".join(parts))
    if os.path.realpath(getattr(module, "__file__", "") or "") == os.path.realpath(file):
        return module
    # Another module of that name was there before: of the standard library, such as `json`.
    return _load_by_path(file)


def _load_by_path(file: str) -> ModuleType:
    """A file whose name is none in Python, such as `2024-scores.py`."""
    from importlib.util import module_from_spec, spec_from_file_location

    stem = os.path.splitext(os.path.basename(file))[0]
    name = "burla_file_" + "".join(letter if letter.isalnum() else "_" for letter in stem)
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def function_of(module: ModuleType, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        raise UsageError(f'{os.path.basename(module.__file__ or "the file")} has no function "{name}"', "Is it saved, and at the top level of the file?")
    return found
