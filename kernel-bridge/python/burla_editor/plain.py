"""Values as JSON, in the form that the extension's other runner writes: what JSON has no word for has a `$type`."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import json
import math
from typing import Any

_MAX_DEPTH = 50


def to_json(value: Any) -> str:
    """One line."""
    return json.dumps(to_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_plain(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, (bool, str)) and type(value) in (bool, str):
        return value
    if type(value) is int:
        return value if abs(value) < 2**53 else {"$type": "bigint", "value": str(value)}
    if type(value) is float:
        return value if math.isfinite(value) else {"$type": "number", "value": _number_name(value)}
    if depth >= _MAX_DEPTH:
        return {"$type": "deep", "value": type(value).__name__}
    return _container(value, depth + 1)


def _number_name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _container(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): to_plain(part, depth) for key, part in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name, None), depth) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_plain(value._asdict(), depth)
    if isinstance(value, (list, tuple)):
        return [to_plain(part, depth) for part in value]
    if isinstance(value, (set, frozenset)):
        return {"$type": "Set", "value": [to_plain(part, depth) for part in value]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$type": "Uint8Array", "base64": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return to_plain(value.value, depth)
    if isinstance(value, (bool, int, float, str)):
        return to_plain(next(kind for kind in (bool, int, float, str) if isinstance(value, kind))(value), depth)
    return _of_library(value, depth)


def _of_library(value: Any, depth: int) -> Any:
    """Numbers and arrays of numpy, tables of pandas, models of pydantic: by the methods that they share. Else as text."""
    for method, arguments in (("model_dump", {}), ("to_dict", {"orient": "records"}), ("to_dict", {}), ("tolist", {}), ("item", {})):
        made = getattr(value, method, None)
        if not callable(made) or isinstance(value, type):
            continue
        try:
            return to_plain(made(**arguments), depth)
        except Exception:
            continue
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return {"$type": type(value).__name__, "value": text[:10_000]}
