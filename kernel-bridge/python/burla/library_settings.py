"""How the program has set up `logging` and `warnings`, as far as that can travel: workers are set up so."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any, Optional

from burla_protocol.pickling import dumps


#: Modules whose own functions show warnings, if nobody has set others; `logging` does so by its own setting.
_LIBRARIES = ("warnings", "_py_warnings", "logging")


def library_settings(same_machine: bool) -> bytes | None:
    """Pickled apart, each by itself: what the program's handlers hold must not keep a function from being sent, nor one the others."""
    settings: dict[str, Any] = {"warnings": list(warnings.filters), "logging": _logging(same_machine), "levels": _level_names(), **_shows()}
    pickled = {name: _pickled(value) for name, value in settings.items()}
    return dumps({name: data for name, data in pickled.items() if data is not None})


def _pickled(value: Any) -> Optional[bytes]:
    try:
        return dumps(value)
    except Exception:
        return None


def _shows() -> dict[str, Any]:
    """What the program has put in the place of functions that show a warning."""
    found = {name: getattr(warnings, name) for name in ("showwarning", "formatwarning")}
    return {name: show for name, show in found.items() if getattr(show, "__module__", None) not in _LIBRARIES}


def _level_names() -> dict[int, str]:
    """Those that `addLevelName` has added."""
    usual = {"CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET"}
    names: dict[int, str] = logging._levelToName  # type: ignore[attr-defined]
    return {level: name for level, name in names.items() if name not in usual}


def _logging(same_machine: bool) -> dict[str, Any]:
    loggers = {name: logger for name, logger in list(logging.Logger.manager.loggerDict.items()) if isinstance(logger, logging.Logger)}
    changed = {name: _logger(logger, same_machine) for name, logger in loggers.items() if _is_set(logger)}
    root = logging.getLogger()
    return {
        "root": _logger(root, same_machine),
        "loggers": changed,
        "disable": logging.Logger.manager.disable,
        "captures_warnings": getattr(logging, "_warnings_showwarning", None) is not None,
    }


def _is_set(logger: logging.Logger) -> bool:
    return bool(logger.level or logger.handlers or logger.filters or not logger.propagate or logger.disabled)


def _logger(logger: logging.Logger, same_machine: bool) -> dict[str, Any]:
    handlers = (_handler(handler, same_machine) for handler in logger.handlers)
    return {
        "level": logger.level,
        "propagate": logger.propagate,
        "disabled": logger.disabled,
        "filters": _sendable(logger.filters),
        "handlers": [handler for handler in handlers if handler is not None],
    }


def _handler(handler: logging.Handler, same_machine: bool) -> Optional[dict[str, Any]]:
    """Those that write to stdout, stderr or, on this machine, to a file."""
    kind = _kind(handler, same_machine)
    if kind is None:
        return None
    formatter = _sendable([handler.formatter]) if handler.formatter is not None else []
    return {"kind": kind, "level": handler.level, "formatter": formatter[0] if formatter else None, "filters": _sendable(handler.filters)}


def _kind(handler: logging.Handler, same_machine: bool) -> Optional[tuple[str, ...]]:
    if isinstance(handler, logging.NullHandler):
        return ("null",)
    if isinstance(handler, logging.FileHandler):
        # One file for all: of another class it might be moved away below the others.
        return ("file", handler.baseFilename, handler.encoding or "") if same_machine and type(handler) is logging.FileHandler else None
    if isinstance(handler, logging.StreamHandler):
        stream = handler.stream
        if stream in (sys.stdout, sys.__stdout__) or getattr(stream, "name", None) == "<stdout>":
            return ("stdout",)
        if stream in (sys.stderr, sys.__stderr__) or getattr(stream, "name", None) == "<stderr>":
            return ("stderr",)
    return None


def _sendable(parts: list[Any]) -> list[Any]:
    return [part for part in parts if _pickled(part) is not None]
