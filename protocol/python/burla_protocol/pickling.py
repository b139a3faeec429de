"""cloudpickle, and what scripts hold that it cannot send, or sends by its name in a `__main__` that workers do not have."""

from __future__ import annotations

import dataclasses
import functools
import io
import pickle
import sys
import typing
import weakref
from types import CellType, FunctionType, ModuleType
from typing import Any, Callable, Mapping, Optional

#: What `reducer_override` gives: a callable, its arguments, and perhaps a state.
_Reduced = Optional[tuple[Any, ...]]


def dumps(value: Any, named: Optional[Mapping[int, str]] = None, bare: Optional[BaseException] = None) -> bytes:
    """Raises whatever cloudpickle raises for what it cannot pickle.

    :param named: objects, by their `id`, that whoever loads it has under a name: that goes in their place.
    :param bare: an exception that is written without its attributes.
    """
    import cloudpickle

    with io.BytesIO() as file:
        pickler = (_pickler if named is None else _naming_pickler)(cloudpickle)(file, protocol=pickle.HIGHEST_PROTOCOL)
        pickler.named = named
        pickler.bare = bare
        pickler.cells = {}
        pickler.dump(value)
        return file.getvalue()


@functools.lru_cache(maxsize=None)
def _pickler(cloudpickle: ModuleType) -> Any:
    """For each cloudpickle: a worker takes another one when its job needs it."""

    class Pickler(cloudpickle.CloudPickler):  # type: ignore[name-defined,misc]
        def reducer_override(self, value: Any) -> Any:
            reduce = _REDUCERS.get(type(value))
            if reduce is not None and not _is_importable(value, cloudpickle):
                return reduce(value)
            if value is self.bare and value is not None:
                return reduce_exception(value)[:2]
            if isinstance(value, BaseException) and has_own_constructor(type(value)):
                return reduce_exception(value)
            reduced = super().reducer_override(value)
            if type(reduced) is not tuple:
                return reduced
            if type(value) is FunctionType and value.__closure__:
                return self._with_shared_cells(value, reduced)
            return _with_plain_bases(value, reduced) if isinstance(value, type) else reduced

        def _with_shared_cells(self, function: FunctionType, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
            """cloudpickle gives each function empty cells of its own, to fill when it is there; functions that share one go on sharing."""
            make, arguments, *rest = reduced
            at = next((at for at, part in enumerate(arguments) if _are_cells(part)), None)
            if at is None or len(arguments[at]) != len(function.__closure__ or ()):
                return reduced
            # The cells themselves are kept too, so that no other comes to have the id of one.
            cells = tuple(self.cells.setdefault(id(cell), (cell, empty))[1] for cell, empty in zip(function.__closure__ or (), arguments[at]))
            return (make, (*arguments[:at], cells, *arguments[at + 1 :]), *rest)

    return Pickler


def _are_cells(part: Any) -> bool:
    return type(part) is tuple and len(part) > 0 and all(type(each) is CellType for each in part)


@functools.lru_cache(maxsize=None)
def _naming_pickler(cloudpickle: ModuleType) -> Any:
    """Apart, because it is asked about each object."""

    class NamingPickler(_pickler(cloudpickle)):  # type: ignore[misc]
        def persistent_id(self, value: Any) -> Optional[str]:
            return self.named.get(id(value))

    return NamingPickler


def _is_importable(value: Any, cloudpickle: ModuleType) -> bool:
    """Whether a worker finds it under its name, in a module that does not travel with the job."""
    name, path = getattr(value, "__module__", None), getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = sys.modules.get(name) if isinstance(name, str) and name != "__main__" else None
    if module is None or path is None:
        return False
    if any(name == own or name.startswith(f"{own}.") for own in cloudpickle.list_registry_pickle_by_value()):
        return False
    found: Any = module
    for step in path.split("."):
        found = getattr(found, step, None)
    return found is value


def _with_plain_bases(kind: type, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """`NamedTuple` makes a class and is none: whoever has the class needs `tuple`, its real base, to build it again."""
    make, arguments, *rest = reduced
    if not (issubclass(kind, tuple) and len(arguments) > 2 and isinstance(arguments[2], tuple) and typing.NamedTuple in arguments[2]):
        return reduced
    bases = tuple(tuple if base is typing.NamedTuple else base for base in arguments[2])
    return (make, (*arguments[:2], bases, *arguments[3:]), *rest)


def cached(function: Callable[..., Any], maxsize: Optional[int], typed: bool) -> Any:
    """For pickles: a function of `functools.lru_cache` or `cache` again, with nothing in its cache."""
    return functools.lru_cache(maxsize, typed)(function)


def _reduce_cached(value: Any) -> _Reduced:
    parameters = value.cache_parameters()
    return cached, (value.__wrapped__, parameters["maxsize"], parameters["typed"])


_REDUCING = ("__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__")


@functools.lru_cache(maxsize=1024)
def has_own_constructor(kind: type[BaseException]) -> bool:
    """Whether an exception is made from other arguments than its `args`, which is what pickles make it from again."""
    return not _has_own(kind, _REDUCING) and _has_own(kind, ("__init__", "__new__"))


@functools.lru_cache(maxsize=1024)
def is_reduced_by_itself(kind: type[BaseException]) -> bool:
    """Whether an exception is pickled, or read again, by code of its own class."""
    return _has_own(kind, (*_REDUCING, "__getstate__", "__setstate__"))


def _has_own(kind: type[BaseException], names: tuple[str, ...]) -> bool:
    own = kind.__mro__[: kind.__mro__.index(_builtin_of(kind))]
    return any(name in vars(base) for base in own for name in names)


def _builtin_of(kind: type[BaseException]) -> type[BaseException]:
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")


def reduce_exception(value: BaseException) -> tuple[Any, ...]:
    """As what it is, without a call of its constructor."""
    _kind, args, *rest = _builtin_of(type(value)).__reduce__(value)  # type: ignore[misc]
    # Some have attributes that are no arguments, such as the `name` of an ImportError.
    fields = rest[0] if rest and isinstance(rest[0], dict) else {}
    slots = (name for base in type(value).__mro__ for name in _slots(base))
    state = {**fields, **{name: getattr(value, name) for name in slots if hasattr(value, name)}, **vars(value)}
    return rebuilt_exception, (type(value), args), state or None


def _slots(kind: type) -> tuple[str, ...]:
    names = vars(kind).get("__slots__", ())
    return tuple(name for name in ((names,) if isinstance(names, str) else names) if name not in ("__dict__", "__weakref__"))


def rebuilt_exception(kind: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """For pickles: an exception as its built-in base makes it."""
    base = _builtin_of(kind)
    error = base.__new__(kind, *args)
    base.__init__(error, *args)
    return error


def _reduce_cached_property(value: Any) -> _Reduced:
    """Before Python 3.12 it holds a lock."""
    return functools.cached_property, (value.func,), {"attrname": value.attrname}


def _reduce_new_type(value: Any) -> _Reduced:
    return type(value), (value.__name__, value.__supertype__), {"__module__": value.__module__}


def _reduce_parameter(value: Any) -> _Reduced:
    return type(value), (value.__name__,)


def _reduce_weak_keys(value: Any) -> _Reduced:
    """Functions of `functools.singledispatch` hold one."""
    return weakref.WeakKeyDictionary, (dict(value),)


def _reduce_mark(value: Any) -> Any:
    """`dataclasses` asks whether a mark of its own is this very one; older versions of cloudpickle make another one of it."""
    return next((name for name, mark in vars(dataclasses).items() if mark is value), NotImplemented)


#: Such as `MISSING`, and the kinds of fields.
_MARKS = [mark for mark in vars(dataclasses).values() if getattr(type(mark), "__module__", "") == "dataclasses"]


def _reducers() -> dict[type, Callable[[Any], _Reduced]]:
    reducers: dict[type, Callable[[Any], _Reduced]] = {
        functools._lru_cache_wrapper: _reduce_cached,
        functools.cached_property: _reduce_cached_property,
        weakref.WeakKeyDictionary: _reduce_weak_keys,
        **{type(mark): _reduce_mark for mark in _MARKS},
    }
    for name, reduce in (("NewType", _reduce_new_type), ("ParamSpec", _reduce_parameter), ("TypeVarTuple", _reduce_parameter)):
        kind = getattr(typing, name, None)
        # In Python 3.9 some are functions, and some are not there.
        if isinstance(kind, type):
            reducers[kind] = reduce
    return reducers


_REDUCERS = _reducers()
