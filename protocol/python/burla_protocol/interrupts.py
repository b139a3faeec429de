"""Which exceptions come from outside, and which from a value's own code that pickling calls."""

from __future__ import annotations

import dis


class Ended(BaseException):
    """A worker was asked to end: raised in the user's code, so that it can clean up until it is killed."""


class TookTooLong(BaseException):
    """The code of a value had longer than it may, where it was written or read: raised in it by another thread."""


def is_from_outside(error: BaseException) -> bool:
    """Whether it is to go on upwards, however a value is read or written: the process shall end, the time is up, or a user has
    pressed Ctrl-C.

    `KeyboardInterrupt` counts when no `raise` has made it: that of a signal comes in the midst of any other instruction.
    """
    return isinstance(error, (Ended, TookTooLong)) or (isinstance(error, KeyboardInterrupt) and not _was_raised(error))


def _was_raised(error: BaseException) -> bool:
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code.co_code
    return 0 <= trace.tb_lasti < len(code) and dis.opname[code[trace.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
