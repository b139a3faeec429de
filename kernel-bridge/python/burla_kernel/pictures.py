"""Figures of matplotlib that come from workers: shown as those that were made here.

What shows a figure as a picture is set up when pyplot loads the backend of the notebook. A figure of a worker may be here
before that, or without it.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, Iterable

_INLINE = "module://"


def as_made_here(values: Iterable[Any]) -> None:
    """Called with the results of a job, in order of the inputs."""
    if "matplotlib.figure" not in sys.modules:
        return
    backend = os.environ.get("MPLBACKEND", "")
    if "matplotlib.pyplot" not in sys.modules and backend.startswith(_INLINE):
        try:
            # It finds the shell and tells it how figures are shown.
            importlib.import_module(backend[len(_INLINE) :])
        except ImportError:
            return
    _in_order(values)


def shown_once(value: Any) -> None:
    """A figure that a call has displayed is not shown again at the end of the cell."""
    pyplot, figure = sys.modules.get("matplotlib.pyplot"), sys.modules.get("matplotlib.figure")
    if pyplot is not None and figure is not None and isinstance(value, figure.Figure):
        pyplot.close(value)


def _in_order(values: Iterable[Any]) -> None:
    """Those that pyplot knows are shown at the end of the cell in the order in which they were unpickled: as they came."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    managers = getattr(getattr(helpers, "Gcf", None), "figs", None)
    if not managers or not hasattr(managers, "move_to_end"):
        return
    figure = sys.modules["matplotlib.figure"].Figure
    for value in values:
        number = getattr(value, "number", None) if isinstance(value, figure) else None
        # One that was closed has the number that it had on its worker.
        if number in managers and managers[number].canvas.figure is value:
            managers.move_to_end(number)
