"""Runs the function `setup` of a job, once, before the first call in this worker."""

from __future__ import annotations

import inspect
from typing import Any, Callable

from burla_protocol.call import SETUP_INDEX, enter, leave, set_worker
from burla_protocol.interrupts import Ended

from .link import Link
from .output import Output


class SetupError(Exception):
    """The function `setup` has raised `thrown`."""

    def __init__(self, thrown: BaseException) -> None:
        super().__init__("the function `setup` raised an exception")
        self.thrown = thrown


def set_up(setup: Callable[[], Any], finish: Callable[[Any], Any], link: Link, output: Output) -> None:
    """:param finish: awaits what an asynchronous function has returned. Raises SetupError."""
    link.send({"type": "setupStarted"})
    link.flush()
    enter(SETUP_INDEX, 1)
    try:
        value = setup()
        set_worker(finish(value) if inspect.isawaitable(value) else value)
    except Ended:
        raise
    except BaseException as error:
        raise SetupError(error) from error
    finally:
        output.ended(SETUP_INDEX)
        leave()
