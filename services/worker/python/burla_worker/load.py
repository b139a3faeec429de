"""From a bundle on disk to a callable."""

from __future__ import annotations

import linecache
import os
import pickle
import sys
import time
from typing import Any, Callable, NamedTuple, Optional

from .main_module import become_main
from .own_files import folder
from .own_modules import install_modules


class LoadError(Exception):
    """The function cannot be loaded here, for a reason that the user can mend. Its code is one of the catalogue."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Functions(NamedTuple):
    call: Callable[[Any], Any]
    #: Run once, before the first call.
    setup: Optional[Callable[[], Any]]


def load_functions(message: dict[str, Any]) -> Functions:
    """Sets up the job's environment and opens its bundle. Raises LoadError, and whatever the user's modules raise."""
    _enter_environment(message["env"], message["isWholeEnv"])
    _enter(message["cwd"])
    bundle = read_bundle(message["bundlePath"])
    _check_version(bundle)
    _extend_path(message["packagesPath"], bundle["path"])
    for name, text in bundle["sources"].items():
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    if bundle["argv"]:
        sys.argv[:] = bundle["argv"]
    call, setup, probes, settings = unpickle_parts(bundle)
    for function in (call, setup):
        if function is not None and not callable(function):
            raise TypeError(f"what was sent is no function but {type(function).__qualname__}")
    # Loaded while nobody waits for it, as all that takes time to be loaded.
    from .library_setup import set_libraries_up

    become_main(probes["__main__"].__globals__, message["bundlePath"])
    install_modules({name: probe.__globals__ for name, probe in probes.items()})
    set_libraries_up(settings)
    return Functions(call, setup)


def read_bundle(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        return pickle.load(file)


def unpickle_parts(bundle: dict[str, Any]) -> Any:
    """The function, the function `setup` or None, one for each module, whose globals are those of its functions, and settings of libraries."""
    return _unpickle(bundle["parts"], bundle["cloudpickle"])


def _enter_environment(variables: list[tuple[str, Optional[str]]], is_whole: bool) -> None:
    wanted = dict(variables)
    for name in list(os.environ):
        if (name in wanted and wanted[name] is None) or (is_whole and name not in wanted and not name.startswith("BURLA_")):
            del os.environ[name]
    zone = os.environ.get("TZ")
    os.environ.update({name: value for name, value in wanted.items() if value is not None})
    if os.environ.get("TZ") != zone or is_whole:
        time.tzset()


def _enter(cwd: str | None) -> None:
    """The client's folder, where it exists: only on the same machine."""
    try:
        if cwd is not None:
            os.chdir(cwd)
    except OSError:
        pass


def _check_version(bundle: dict[str, Any]) -> None:
    made_by = tuple(bundle["python"])
    here = sys.version_info[:2]
    if made_by != here:
        raise LoadError(
            "BURLA_PYTHON",
            "the function was made by Python %d.%d, and the workers run Python %d.%d (%s)" % (*made_by, *here, sys.executable),
        )


def _extend_path(packages: str | None, client_path: list[str] | None) -> None:
    """On the same machine modules are found as the client finds them; the client's modules come before ours."""
    own = folder()
    usual = [entry for entry in sys.path if entry not in (own, "")]
    wanted = [*([packages] if packages else []), *(client_path or []), *usual, own]
    sys.path[:] = list(dict.fromkeys(wanted))


def _unpickle(data: bytes, made_by: str) -> Any:
    here = _cloudpickle_version(made_by)
    try:
        return pickle.loads(data)
    except AttributeError as error:
        if here == made_by:
            raise
        raise LoadError("BURLA_PYTHON", f"the function was made by cloudpickle {made_by}, and the workers have {here}: {error}") from error


def _cloudpickle_version(wanted: str) -> str:
    """Of the one that the job's module path gives: a warm worker may have loaded another one before."""
    loaded = sys.modules.get("cloudpickle")
    if loaded is not None and loaded.__version__ != wanted:
        for name in [name for name in sys.modules if name.partition(".")[0] == "cloudpickle"]:
            del sys.modules[name]
    try:
        import cloudpickle
    except ImportError as error:
        raise LoadError("BURLA_PYTHON", f"the workers' Python ({sys.executable}) has no cloudpickle") from error
    return str(cloudpickle.__version__)
