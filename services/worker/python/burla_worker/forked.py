"""A process that a call has forked and that comes back out of the call: it is no worker, and ends as a script does."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn, Optional

from .own_files import is_ours


def leave(error: Optional[BaseException]) -> NoReturn:
    code: object = 0
    if isinstance(error, SystemExit):
        code = 0 if error.code is None else error.code
        if not isinstance(code, int):
            print(code, file=sys.stderr)
    elif error is not None:
        trace = error.__traceback__
        while trace is not None and is_ours(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(code & 0xFF if isinstance(code, int) else 1)
