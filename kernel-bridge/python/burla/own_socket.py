"""Main's socket on this machine, and whether what listens on it is a program of this user.

Nobody else can have put it into a folder that is this user's and closed to others. So a token that is said there is heard
by nobody else. The TypeScript side has the same in `protocol/src/own-socket.ts`.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from .errors import BurlaError

_SCHEME = "http+unix"
_WRITABLE_BY_OTHERS = 0o022


def socket_url(path: str) -> str:
    """A URL for what listens on a socket of this machine: the path is where the host usually is."""
    return f"{_SCHEME}://{quote(path, safe='')}"


def socket_of_url(url: str) -> str | None:
    """None when it is the URL of something else."""
    target = urlsplit(url)
    return unquote(target.netloc) if target.scheme == _SCHEME else None


def check_own_socket(path: str) -> None:
    """Raises BurlaError BURLA_UNREACHABLE when it, or a folder that holds it, is not there or not this user's own."""
    folder = Path(path).parent
    if not _is_own(folder.parent):
        raise _refused(path, f"{folder.parent} is not there, or belongs to another user")
    found = _stats_of(folder)
    if found is None or not _is_own(folder) or not stat.S_ISDIR(found.st_mode):
        raise _refused(path, f"{folder} is not there, belongs to another user, or is no folder")
    if found.st_mode & _WRITABLE_BY_OTHERS:
        raise _refused(path, f"{folder} is open to others")
    found = _stats_of(Path(path))
    if found is None or not _is_own(Path(path)) or not stat.S_ISSOCK(found.st_mode):
        raise _refused(path, "it is not there, belongs to another user, or is no socket")


def _is_own(path: Path) -> bool:
    """A link is somebody's as well: whoever owns it says where it leads."""
    found = _stats_of(path)
    return found is not None and hasattr(os, "getuid") and found.st_uid == os.getuid()


def _stats_of(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (OSError, ValueError):
        return None


def _refused(path: str, reason: str) -> BurlaError:
    return BurlaError("BURLA_UNREACHABLE", f"the cluster's socket {path} is not dialled: {reason}")
