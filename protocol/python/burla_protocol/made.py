"""What a cell that ran on a worker as one call has made of its session: packed there, and put into the session here.

Values of the session that the call has only read are not sent back but named. Lists, dicts, sets, arrays and plain objects
that it has changed, itself or in a function, get their new content where they are: whatever else refers to them sees it.
So do attributes of the session's functions and classes.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from abc import ABCMeta
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Callable, NamedTuple, Optional, Sequence

from .pickling import dumps

_MISSING = object()
#: Values that cannot change.
_FIXED = (int, float, complex, str, bytes, bool, type(None), range)
#: What stays where it is, with all that it has.
_CODE = (ModuleType, BuiltinFunctionType, MethodType)

#: Where a part belongs: the value of the cell, a name, or the content of what a name means.
_VALUE, _NAME, _CONTENT = "value", "name", "content"


class Restored(NamedTuple):
    value: Any
    #: What names mean from now on.
    names: dict[str, Any]
    #: What could not be sent: a name, or None for the value, and why.
    lost: list[tuple[Optional[str], str]]


class Before:
    """The names of a session as a call finds them."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._first = dict(namespace)
        changeable = {name: value for name, value in namespace.items() if not _is_special(name) and not isinstance(value, (*_FIXED, *_CODE))}
        self._digests = {name: _digest(_attributes(value)) for name, value in changeable.items()}

    def pack(self, value: Any, bound: Sequence[str]) -> dict[str, Any]:
        """The cell's value, the names that it binds, and all else that is no more as it was."""
        namespace, first = self._namespace, self._first
        named: dict[int, str] = {}
        contents: dict[str, Any] = {}
        names = {name for name, now in namespace.items() if not _is_special(name) and first.get(name, _MISSING) is not now}
        for name, digest in self._digests.items():
            if digest is None:
                continue
            if _digest(_attributes(first[name])) != digest:
                names.add(name)
                content = _content(first[name])
                if content is None:
                    continue
                contents.setdefault(named.get(id(first[name]), name), content)
            named.setdefault(id(first[name]), name)
        made = {name: namespace[name] for name in sorted({*names, *bound}) if name in namespace}
        return _packed([(_VALUE, None, value), *((_NAME, name, made[name]) for name in made), *((_CONTENT, name, contents[name]) for name in contents)], named)


def restore(packed: dict[str, Any], namespace: dict[str, Any]) -> Restored:
    """Fills what has changed in place; binding the names is up to the caller.

    Raises NameError for a name of the session that is not there any more.
    """
    load = _loader(namespace)
    parts = load(packed["all"]) if packed["all"] is not None else [(kind, name, load(data)) for kind, name, data in packed["one"]]
    restored = Restored(None, {}, list(packed["lost"]))
    for kind, name, part in parts:
        if kind == _VALUE:
            restored = restored._replace(value=part)
        elif kind == _NAME:
            restored.names[name] = part
        else:
            _fill(namespace[name], part)
    return restored


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _digest(value: Any) -> Optional[bytes]:
    """None for what cannot be pickled: nobody can tell whether it has changed."""
    try:
        return hashlib.blake2b(dumps(value)).digest()
    except Exception:
        return None


def _packed(parts: list[tuple[str, Optional[str], Any]], named: dict[int, str]) -> dict[str, Any]:
    try:
        # Together, so that names that share a value go on sharing it.
        return {"all": dumps(parts, named), "one": None, "lost": []}
    except Exception:
        one: list[tuple[str, Optional[str], bytes]] = []
        lost: list[tuple[Optional[str], str]] = []
        for kind, name, part in parts:
            try:
                one.append((kind, name, dumps(part, named)))
            except Exception as error:
                lost.append((name, f"{type(part).__name__}: {error}"[:500]))
        return {"all": None, "one": one, "lost": lost}


def _attributes(value: Any) -> Any:
    """Of functions and classes only what may change is looked at, not their code; anything else is looked at as a whole."""
    if type(value) is FunctionType:
        return {name: part for name, part in vars(value).items() if not _is_special(name)}
    if not isinstance(value, type):
        return value
    # What a metaclass of one's own makes of a class is not known here.
    known = vars(value).items() if type(value) in (type, ABCMeta) and value.__module__ == "__main__" else ()
    return {name: part for name, part in known if not _is_special(name) and not name.startswith("_abc_") and not callable(part) and not hasattr(part, "__get__")}


def _content(value: Any) -> Any:
    """What can be put into the value of the session; None for what has to be replaced."""
    kind = type(value)
    if kind in (list, dict, set, bytearray):
        return kind(value)
    if kind is FunctionType or isinstance(value, type):
        return _attributes(value)
    if _is_array(value):
        return value.copy()
    return dict(vars(value)) if _is_plain(kind) and isinstance(getattr(value, "__dict__", None), dict) else None


def _is_array(value: Any) -> bool:
    """Of numpy, whose arrays are seen through others."""
    return type(value).__name__ == "ndarray" and type(value).__module__ == "numpy" and value.flags.writeable


def _is_plain(kind: type) -> bool:
    """All of its state is in its `__dict__`, and nothing has to hear of a change."""
    special = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__", "__slots__")
    return all(base.__flags__ & 1 << 9 and not any(name in vars(base) for name in special) for base in kind.__mro__[:-1])


def _fill(value: Any, content: Any) -> None:
    if isinstance(value, (list, bytearray)):
        value[:] = content
    elif _is_array(value):
        if value.shape != content.shape:
            value.resize(content.shape, refcheck=False)
        value[...] = content
    elif isinstance(value, (FunctionType, type)):
        for name in _attributes(value).keys() - content.keys():
            delattr(value, name)
        for name, part in content.items():
            setattr(value, name, part)
    else:
        known = value if isinstance(value, (dict, set)) else vars(value)
        known.clear()
        known.update(content)


def _loader(namespace: dict[str, Any]) -> Callable[[bytes], Any]:
    class Unpickler(pickle.Unpickler):
        def persistent_load(self, name: Any) -> Any:
            if name not in namespace:
                raise NameError(f"name {name!r} is not defined any more: run the cell again that defines it")
            return namespace[name]

    return lambda data: Unpickler(io.BytesIO(data)).load()
