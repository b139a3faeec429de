"""Calls by which libraries map a function: `apply` of pandas, executors and pools of Python, joblib."""

from __future__ import annotations

import ast
from typing import Optional

from .meaning import UNKNOWN, Meaning
from .names import last_name

#: Executors of `concurrent.futures`, and pools of `multiprocessing`.
POOLS = {"ThreadPoolExecutor", "ProcessPoolExecutor", "Pool", "ThreadPool"}
_APPLYING = {"apply", "map", "applymap", "progress_apply"}


def spread_function(call: ast.Call, meaning: Meaning) -> Optional[ast.expr]:
    """The function of `series.apply(f)`, `groupby.apply(f)`, `df.apply(f, axis=1)`: as far as the text tells."""
    method = call.func
    if not isinstance(method, ast.Attribute) or method.attr not in _APPLYING or not call.args:
        return None
    called = call.args[0]
    if isinstance(called, ast.Starred) or not isinstance(called, (ast.Lambda, ast.Name, ast.Attribute, ast.Call)):
        return None
    if meaning.value(method) is not UNKNOWN:
        return None
    if isinstance(called, ast.Call) and not (isinstance(called.func, (ast.Name, ast.Attribute)) and ast.unparse(called.func).endswith("partial")):
        return None
    value = meaning.value(called)
    if value is not UNKNOWN and (not callable(value) or isinstance(value, type)):
        return None
    of = meaning.value(method.value)
    return called if of is UNKNOWN or is_pandas(of) else None


def is_pandas(value: object) -> bool:
    """A series, a frame, or one of the groupings of them."""
    # Some of its classes say that they are of `pandas` itself, from version 3 on.
    return (type(value).__module__ or "").partition(".")[0] == "pandas"


def is_parallel(call: ast.Call, meaning: Meaning) -> bool:
    """`Parallel(n_jobs=8)(…)`, and what hands `n_jobs` to joblib: `cross_val_score(…, n_jobs=-1)`, `grid.fit(X, y)`."""
    if isinstance(call.func, ast.Call):
        return last_name(call.func.func) == "Parallel"
    if last_name(call.func) == "Parallel":
        return False
    if any(keyword.arg == "n_jobs" and not _is_one(keyword.value) for keyword in call.keywords):
        return not (last_name(call.func) or "a")[0].isupper()
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("fit", "fit_transform", "predict"):
        of = meaning.value(call.func.value)
        return getattr(of, "n_jobs", None) not in (None, 1) if of is not UNKNOWN else _is_made_parallel(call.func.value, meaning)
    return False


def _is_made_parallel(node: ast.expr, meaning: Meaning) -> bool:
    return isinstance(node, ast.Name) and node.id in meaning.parallel


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (None, 1)
