"""The door: one request, its events, the end."""

from __future__ import annotations

import os
import sys
from typing import Any

from .channel import Channel, problem
from .explain import explain
from .load import UsageError
from .rows import plain_error, place_of
from .run_job import run_job


def main() -> None:
    channel = Channel()
    request = channel.request()
    try:
        if request["type"] == "explain":
            channel.say({"type": "explained", "text": explain(request)})
        else:
            run_job(request, channel)
        channel.say({"type": "ended", "outcome": "done", "problem": None})
    except BaseException as error:
        told = problem_of(error)
        channel.say({"type": "ended", "outcome": "cancelled" if told["code"] == "BURLA_CANCELLED" else "failed", "problem": told})
    # Threads of the user's do not keep a program that has said its last word.
    sys.stderr.flush()
    os._exit(0)


def problem_of(error: BaseException) -> dict[str, Any]:
    code = getattr(error, "code", None)
    plain = plain_error(error)
    if isinstance(error, UsageError):
        return problem(plain["message"], error.cure)
    if isinstance(error, SyntaxError) and error.filename is not None and error.lineno is not None:
        where = {"file": error.filename, "line": error.lineno, "column": max(1, error.offset or 1)}
        return problem(f"{type(error).__name__}: {error.msg}", "Mend that line; the file is imported before it is sent.", None, where)
    if isinstance(code, str) and code.startswith("BURLA_"):
        return problem(plain["message"], plain.get("cure", ""), code, place_of(error))
    return problem(f"{plain['name']}: {plain['message']}", "The file is imported before its function is sent; mend that line.", None, place_of(error))


main()
