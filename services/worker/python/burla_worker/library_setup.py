"""Sets `logging` and `warnings` up as the program has them (`burla/library_settings.py`)."""

from __future__ import annotations

import logging
import pickle
import sys
import warnings
from typing import Any, Callable, Optional


def set_libraries_up(pickled: Optional[bytes]) -> None:
    """What cannot be had here is left as it is: it is not what the user's function was sent for."""
    settings: dict[str, bytes] = pickle.loads(pickled) if pickled is not None else {}
    for name, set_up in _SETTERS.items():
        try:
            if name in settings:
                set_up(pickle.loads(settings[name]))
        except Exception:
            continue


def _set_filters(filters: list[Any]) -> None:
    # Also tells the module that filters have changed.
    warnings.resetwarnings()
    warnings.filters.extend(filters)  # type: ignore[attr-defined]


def _name_levels(names: dict[int, str]) -> None:
    for level, name in names.items():
        logging.addLevelName(level, name)


def _set_logging(settings: dict[str, Any]) -> None:
    _set_logger(logging.getLogger(), settings["root"])
    for name, logger in settings["loggers"].items():
        _set_logger(logging.getLogger(name), logger)
    logging.disable(settings["disable"])
    logging.captureWarnings(settings["captures_warnings"])


def _set_logger(logger: logging.Logger, settings: dict[str, Any]) -> None:
    logger.setLevel(settings["level"])
    logger.propagate = settings["propagate"]
    logger.disabled = settings["disabled"]
    logger.filters[:] = settings["filters"]
    handlers = [_handler(each) for each in settings["handlers"]]
    logger.handlers[:] = [handler for handler in handlers if handler is not None]


def _handler(settings: dict[str, Any]) -> Optional[logging.Handler]:
    kind, *arguments = settings["kind"]
    handler: logging.Handler
    if kind == "null":
        handler = logging.NullHandler()
    elif kind == "file":
        # Many write to it: none begins it anew.
        handler = logging.FileHandler(arguments[0], "a", encoding=arguments[1] or None, delay=True)
    else:
        handler = logging.StreamHandler(sys.stdout if kind == "stdout" else sys.stderr)
    handler.setLevel(settings["level"])
    handler.setFormatter(settings["formatter"])
    handler.filters[:] = settings["filters"]
    return handler


_SETTERS: dict[str, Callable[[Any], None]] = {
    # Before `logging`, which may take the place of what shows warnings.
    "showwarning": lambda show: setattr(warnings, "showwarning", show),
    "formatwarning": lambda form: setattr(warnings, "formatwarning", form),
    "warnings": _set_filters,
    "levels": _name_levels,
    "logging": _set_logging,
}
