"""What calls find around them: the folder and the environment of their caller, as they are at the call."""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional

from .cluster import ClusterTarget
from .errors import BurlaError
from .options import MAX_VARIABLE_CHARACTERS

#: Pairs of name and text, or None for a variable that is to be taken away.
Variables = "list[tuple[str, Optional[str]]]"

#: As in `protocol/src/limits.ts`.
_MAX_ENVIRONMENT_CHARACTERS = 512 * 1024
#: Variables about a program and its cluster are not passed on.
_OWN_PREFIX = "BURLA_"


def surroundings_of(target: ClusterTarget, given: Mapping[str, Optional[str]]) -> dict[str, Any]:
    """Fields of the job's spec. On the machine of the caller all of it; elsewhere only what the option `env` names.

    The caller's variables may be secrets that were never meant for other machines. Raises BurlaError BURLA_TOO_LARGE.
    """
    environment = _variables(os.environ) if target.same_machine else None
    env = list(given.items())
    if target.same_image:
        # A function in a container that starts a job: what it has set since the container began counts as named.
        env = list({**dict(_changed()), **given}.items())
    _check_size([*(environment or []), *env])
    return {"cwd": _folder() if target.same_machine or target.same_image else None, "env": env, "environment": environment}


def _variables(environ: Mapping[str, str]) -> Variables:
    return [(name, _text(value)) for name, value in environ.items() if name and not name.startswith(_OWN_PREFIX)]


def _text(value: str) -> str:
    """What is no UTF-8 cannot be sent as it is."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _changed() -> Variables:
    """Variables that this process was not started with."""
    before, now = dict(_started_with()), dict(_variables(os.environ))
    gone = [(name, None) for name in before if name not in now]
    return [*((name, value) for name, value in now.items() if before.get(name) != value), *gone]


def _started_with() -> Variables:
    try:
        with open("/proc/self/environ", encoding="utf-8", errors="surrogateescape") as file:
            texts = file.read().split("\0")
    except OSError:
        return []
    return _variables(dict(text.split("=", 1) for text in texts if "=" in text))


def _folder() -> str | None:
    """None when it is gone."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _check_size(variables: Variables) -> None:
    if not variables:
        return
    largest, text = max(variables, key=lambda variable: len(variable[1] or ""))
    cure = f"Take {largest} out of the environment before the call, and pass what it holds as an input."
    if len(text or "") > MAX_VARIABLE_CHARACTERS:
        raise BurlaError("BURLA_TOO_LARGE", f"the variable {largest} has {len(text or '')} characters, over the limit of {MAX_VARIABLE_CHARACTERS}", cure)
    characters = sum(len(name) + len(value or "") for name, value in variables)
    if characters > _MAX_ENVIRONMENT_CHARACTERS:
        message = f"the environment of the calls has {characters} characters, over the limit of {_MAX_ENVIRONMENT_CHARACTERS}; the largest variable is {largest}"
        raise BurlaError("BURLA_TOO_LARGE", message, cure)
