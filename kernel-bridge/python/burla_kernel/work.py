"""Whether an element is work for a cluster. One that only reads, compares or counts costs less here than on its way."""

from __future__ import annotations

import ast
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Collection

from .meaning import UNKNOWN, Meaning, root_of
from .names import last_name

_CHEAP_BUILTINS = {
    *("abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "complex", "dict", "dir", "display", "divmod"),
    *("enumerate", "filter", "float", "format", "frozenset", "getattr", "globals", "hasattr", "hash", "hex", "id", "int", "isinstance"),
    *("issubclass", "iter", "len", "list", "locals", "map", "max", "min", "next", "object", "oct", "ord", "pow", "print", "range", "repr"),
    *("reversed", "round", "set", "setattr", "slice", "sorted", "str", "sum", "super", "tuple", "type", "vars", "zip"),
}
#: Modules whose functions and classes compute with a value or two.
_CHEAP_MODULES = {
    *("builtins", "cmath", "collections", "collections.abc", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools"),
    *("itertools", "math", "numbers", "operator", "_operator", "pathlib", "posixpath", "ntpath", "os.path", "string", "textwrap", "types", "typing", "uuid"),
    *("_functools", "_collections", "_decimal", "_datetime"),
}
#: Methods of texts, numbers, containers, dates, paths; and looks at arrays and frames.
_CHEAP_METHODS = {
    *(name for kind in (str, bytes, int, float, list, tuple, dict, set, frozenset) for name in dir(kind) if not name.startswith("_")),
    *("most_common", "total_seconds", "strftime", "isoformat", "date", "time", "timestamp", "weekday", "timetuple", "joinpath", "with_suffix", "with_name", "as_posix"),
    *("mean", "sum", "min", "max", "std", "median", "head", "tail", "to_dict", "to_list", "tolist", "item", "astype", "nunique", "unique", "describe", "info", "group", "groups"),
}
#: Of pandas and numpy: what gathers values into one, or looks at it.
_GATHERS = {
    *("DataFrame", "Series", "concat", "Index", "Timestamp", "Timedelta", "to_datetime", "isna", "isnull", "notna", "array", "asarray", "ndarray"),
    *("zeros", "ones", "empty", "full", "arange", "linspace", "stack", "vstack", "hstack", "concatenate", "column_stack", "mean", "sum", "std", "min", "max"),
    *("amin", "amax", "median", "percentile", "quantile", "argmax", "argmin", "round", "isnan", "unique", "float64", "int64", "float32", "int32"),
}
#: The work is done by somebody else.
_NOTED_FOR_LATER = {"submit", "apply_async", "map_async", "starmap_async", "create_task", "ensure_future", "delayed", "result"}
_LOOKS = {"matplotlib", "IPython", "seaborn", "plotly"}


class Worth:
    """`own` are names that the piece of code itself binds: of their values nothing is known but what is done with them."""

    def __init__(self, meaning: Meaning, own: Collection[str] = ()) -> None:
        self._meaning = meaning
        self._own = set(own)

    def is_work(self, node: ast.AST) -> bool:
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)):
            return True
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            if hands_on(node):
                return any(map(self.is_work, arguments))
            # `max(texts, key=words)` calls what it is given.
            return self.calls_work(node.func) or any(self.is_work(part) or self._is_own_function(part) for part in arguments)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            targets = {part.id for generator in node.generators for part in ast.walk(generator.target) if isinstance(part, ast.Name)}
            within = Worth(self._meaning, self._own | targets)
            return any(map(within.is_work, ast.iter_child_nodes(node)))
        if isinstance(node, ast.Lambda):
            within = Worth(self._meaning, self._own | {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)})
            return within.is_work(node.body)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return False
        return any(map(self.is_work, ast.iter_child_nodes(node)))

    def _is_own_function(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id not in self._own and not self._meaning.is_async(node.id) and self._meaning.function(node) is not None

    def calls_work(self, function: ast.expr) -> bool:
        """Whether a call of it is."""
        if isinstance(function, ast.Lambda):
            return self.is_work(function)
        if isinstance(function, ast.Attribute):
            value = self._meaning.value(function)
            return self._is_work(value) if value is not UNKNOWN else self._is_working_method(function)
        if not isinstance(function, ast.Name) or function.id in self._own:
            return True
        if self._meaning.is_async(function.id):
            # Only a coroutine is made; whoever awaits it has the work.
            return False
        if self._meaning.is_builtin(function.id) or function.id == "display":
            return function.id not in _CHEAP_BUILTINS
        return self._is_work(self._meaning.value(function))

    def _is_work(self, value: object) -> bool:
        made = self._meaning.text_of(vars(value).get("__init__")) if isinstance(value, type) else None
        if made is not None:
            # An object that only notes what it is given.
            return Worth(self._meaning, {argument.arg for argument in ast.walk(made.args) if isinstance(argument, ast.arg)}).is_work(ast.Module(made.body, []))
        return _is_work(value)

    def _is_working_method(self, function: ast.Attribute) -> bool:
        if self.is_work(function.value):
            return True
        if self._is_look(function):
            return False
        root = root_of(function.value)
        if function.attr not in _CHEAP_METHODS:
            return True
        if root is None or root in self._own or root in self._meaning.assigned:
            return False
        value = self._meaning.namespace.get(root, UNKNOWN)
        return value is not UNKNOWN and not _is_plain(value)

    def _is_look(self, function: ast.Attribute) -> bool:
        """`plt.plot(…)`, `df.plot(…)`: shown here, as the cell does."""
        return function.attr in ("plot", "hist", "show", "savefig", "set_title", "legend") or draws(function, self._meaning)


def hands_on(call: ast.Call) -> bool:
    """`executor.submit(f, x)`, `delayed(f)(x)`: the work is done by somebody else."""
    function = call.func
    if isinstance(function, ast.Call):
        return last_name(function.func) == "delayed"
    return last_name(function) in _NOTED_FOR_LATER


def draws(function: ast.expr, meaning: Meaning) -> bool:
    """`plt.plot`, `display`: what it does is seen in the cell."""
    if isinstance(function, ast.Name) and function.id == "display":
        return True
    root = root_of(function)
    module = getattr(meaning.value(ast.Name(root, ast.Load())), "__name__", "") if root is not None else ""
    return isinstance(module, str) and module.partition(".")[0] in _LOOKS


def _is_plain(value: object) -> bool:
    module = type(value).__module__ or ""
    return module in _CHEAP_MODULES or module.partition(".")[0] in ("pandas", "numpy")


def _is_work(value: object) -> bool:
    if value is UNKNOWN:
        return True
    module = getattr(value, "__module__", None) or getattr(getattr(value, "__self__", None), "__name__", None)
    if str(module).partition(".")[0] in ("pandas", "numpy") and getattr(value, "__name__", "") in _GATHERS:
        return False
    if isinstance(value, type):
        # A class of the user's: what makes an instance may do anything, unless it was generated.
        made = value.__init__
        return module not in _CHEAP_MODULES and not (_is_generated(made) or made is object.__init__)
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodDescriptorType)):
        return module not in _CHEAP_MODULES and str(module).partition(".")[0] not in _LOOKS
    return True


def _is_generated(function: object) -> bool:
    """By `dataclass`; and of a named tuple, which is made by `__new__`, nothing else is there."""
    code = getattr(function, "__code__", None)
    if code is None:
        return True
    return code.co_filename == "<string>" and "__post_init__" not in code.co_names
