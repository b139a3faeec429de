"""What became of an input -> a line of the file of results, and the row that stands for it."""

from __future__ import annotations

import json
import os
import traceback
from typing import Any, Iterator, Optional

from .plain import to_json, to_plain

#: As in the extension's other runner.
_MAX_TEXT = 300
_MAX_INPUT_BYTES = 16 * 1024
_MAX_FIELDS = 12
_MAX_FIELD_NAME = 64
_MAX_FIELD_TEXT = 100
_MAX_CAUSES = 5


def clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def row_of(index: int, entry: Any, input_json: Optional[str], after_ms: Optional[int]) -> tuple[dict[str, Any], str]:
    """The row, still without its place in the file; and the line."""
    row = {"index": index, "afterMs": after_ms, "input": clip(input_json or "", _MAX_TEXT)}
    line: dict[str, str] = {"index": str(index)}
    if after_ms is not None:
        line["afterMs"] = str(after_ms)
    if input_json is not None and len(input_json) <= _MAX_INPUT_BYTES:
        line["input"] = input_json
    if entry.status == "fulfilled":
        plain = to_plain(entry.value)
        value = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
        return {**row, "isFailed": False, "text": clip(value, _MAX_TEXT), "fields": _fields_of(plain), "place": None}, _joined({**line, "value": value})
    error = plain_error(entry.reason)
    text = clip(" ".join(f"{error['name']}: {error['message']}".split()), _MAX_TEXT)
    return {**row, "isFailed": True, "text": text, "fields": None, "place": place_of(entry.reason)}, _joined({**line, "error": to_json(error)})


def _joined(parts: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def _fields_of(plain: Any) -> Optional[list[list[Any]]]:
    if not isinstance(plain, dict) or "$type" in plain:
        return None
    fields = [[name, _field_of(part)] for name, part in plain.items() if len(name) <= _MAX_FIELD_NAME][:_MAX_FIELDS]
    return fields or None


def _field_of(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return clip(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":")), _MAX_FIELD_TEXT)


def plain_error(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """Name, message, the user's frames with the innermost first, and causes."""
    plain: dict[str, Any] = {"name": getattr(error, "name", None) or type(error).__name__, "message": _message_of(error)}
    plain["stack"] = "\n".join(f"    at {frame.name} ({frame.filename}:{frame.lineno}:1)" for frame in _frames(error))
    cure = getattr(error, "cure", None)
    if isinstance(cure, str) and cure != "":
        plain["cure"] = cure
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < _MAX_CAUSES:
        plain["cause"] = plain_error(cause, depth + 1)
    return plain


def _message_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        return ""
    cure = getattr(error, "cure", None)
    return text.removesuffix(f"\n  {cure}") if isinstance(cure, str) and cure != "" else text


def place_of(error: Optional[BaseException], depth: int = 0) -> Optional[dict[str, Any]]:
    """Where it came from in a file of the user's, or else its cause."""
    if error is None or depth > _MAX_CAUSES:
        return None
    for frame in _frames(error):
        return {"file": frame.filename, "line": frame.lineno, "column": 1}
    return place_of(error.__cause__ or error.__context__, depth + 1)


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    from burla.modules import is_installed

    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        is_own = os.path.isabs(frame.filename) and os.path.isfile(frame.filename) and not is_installed(frame.filename)
        if is_own and not frame.filename.startswith(_OURS) and frame.lineno is not None:
            yield frame


#: The folder of the packages of ours: their frames are nobody's matter.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
