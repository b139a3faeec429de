"""Which cluster a call is for, and how to reach it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Sequence
from urllib.parse import urlsplit

from burla_protocol import PROTOCOL_VERSION

from .errors import BurlaError
from .options import ClusterAddress, is_cluster_name, is_cluster_url
from .own_socket import check_own_socket, socket_of_url, socket_url

LOCAL = "local"
_START_TIMEOUT_S = 60


@dataclass(frozen=True)
class ClusterTarget:
    #: What people call it: its name, or where it is.
    label: str
    #: Workers have the user's files and packages.
    same_machine: bool
    #: It is there for sure, and comes back if it does not answer: it runs the function that calls.
    is_waited_for: bool
    #: Workers are containers of the image that calls.
    same_image: bool
    #: Where it is; the local cluster is started when it is not there, or did not answer just now. Raises BurlaError.
    locate: Callable[[bool], ClusterAddress]


#: The program that starts the local cluster, as whoever put this module into a kernel knows it.
_starter: list[str] = []


def use_client(command: Sequence[str]) -> None:
    """Names the `burla` command line: a program with its first arguments, such as `["node", "/opt/burla/cli.js"]`."""
    _starter[:] = command


def resolve_cluster(option: str | ClusterAddress | None) -> ClusterTarget:
    """From the option, else from the environment of a worker, else BURLA_CLUSTER, else the local cluster."""
    url, token = os.environ.get("BURLA_URL"), os.environ.get("BURLA_JOB_TOKEN")
    if isinstance(option, ClusterAddress):
        return _fixed(option, same_machine=False)
    if option is None and url and token:
        # Those in containers reach their cluster over a socket of their node.
        in_container = socket_of_url(url) is not None
        born = _fixed(ClusterAddress(url, token, _certificate()), same_machine="BURLA_JOB" in os.environ and not in_container, same_image=in_container, is_waited_for=True)
        return _wherever(born)
    name = option or os.environ.get("BURLA_CLUSTER") or LOCAL
    if is_cluster_url(name):
        return _fixed(ClusterAddress(name, _token_of(name), _certificate()), same_machine=False)
    if not is_cluster_name(name):
        raise TypeError(f"remote_parallel_map: the variable BURLA_CLUSTER must be the name of a cluster or its URL, not {name!r}")
    return ClusterTarget(name, name == LOCAL and not _has_containers(name), False, False, lambda has_failed: _locate(name, has_failed))


def _wherever(target: ClusterTarget) -> ClusterTarget:
    """On main's machine: it may come back at another address, which it writes down; the token of a job stays the same."""
    main_file, born_socket = os.environ.get("BURLA_MAIN_FILE"), os.environ.get("BURLA_MAIN_SOCKET")
    if not main_file:
        return target

    def locate(has_failed: bool) -> ClusterAddress:
        born = target.locate(has_failed)
        file = _read_file(Path(main_file))
        socket = born_socket if file is None else file["socket"]
        if socket:
            return replace(born, url=_checked(socket))
        if file is None or not _is_alive(file.get("pid")):
            # Whoever listens at a URL by now must not get the token.
            raise BurlaError("BURLA_UNREACHABLE", "the cluster that runs this function is starting anew")
        return replace(born, url=file["url"])

    return replace(target, locate=locate)


def _checked(socket: str) -> str:
    """The URL of main's socket, which is dialled at once. Raises BurlaError when it is not this user's."""
    check_own_socket(socket)
    return socket_url(socket)


def _fixed(address: ClusterAddress, *, same_machine: bool, same_image: bool = False, is_waited_for: bool = False) -> ClusterTarget:
    return ClusterTarget(f"at {socket_of_url(address.url) or urlsplit(address.url).netloc}", same_machine, is_waited_for, same_image, lambda _has_failed: address)


def _token_of(url: str) -> str:
    token = os.environ.get("BURLA_TOKEN")
    if token:
        return token
    cure = "Put its token into the variable BURLA_TOKEN, or pass a ClusterAddress as the option `cluster`."
    raise BurlaError("BURLA_UNAUTHORIZED", f"there is no token for the cluster at {urlsplit(url).netloc}", cure)


def _certificate() -> str | None:
    """What a cluster with TLS must show: the variable holds the certificate itself, or the name of a file with it."""
    text = os.environ.get("BURLA_CERTIFICATE") or None
    if text is None or "-----BEGIN" in text:
        return text
    try:
        return Path(text).read_text("ascii")
    except (OSError, ValueError) as error:
        cure = "BURLA_CERTIFICATE is the name of a PEM file, or its content."
        raise BurlaError("BURLA_UNAUTHORIZED", f"the certificate cannot be read: {error}", cure) from error


def _locate(name: str, has_failed: bool) -> ClusterAddress:
    file = _read(name)
    if name == LOCAL:
        if has_failed or file is None or not _may_be_used(file):
            _start()
            file = _read(name)
        if file is None:
            raise BurlaError("BURLA_CLUSTER_START", "the local cluster has started and does not say where it is")
    if file is None:
        cure = "Nothing on this machine knows a cluster of that name. Name it by its URL, with its token in the variable BURLA_TOKEN."
        raise BurlaError("BURLA_UNREACHABLE", f'the cluster "{name}" is not running', cure)
    if file.get("protocolVersion") != PROTOCOL_VERSION:
        message = f"the cluster at {file['url']} has version {file.get('version')}, with another protocol than this client"
        raise BurlaError("BURLA_VERSION", message)
    socket = file["socket"]
    return ClusterAddress(file["url"] if socket is None else _checked(socket), file["token"], file.get("certificate"))


def state_directory() -> Path:
    """`BURLA_HOME`, or `burla` in the user's state folder: as the TypeScript client has it."""
    home = os.environ.get("BURLA_HOME")
    if home:
        return _START_FOLDER / home
    return _START_FOLDER / (os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "burla"


def _start_folder() -> Path:
    """Of a folder that is gone, which is no trouble for absolute paths, the root."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


#: A relative state folder lies in the folder in which the program was started, wherever it goes later.
_START_FOLDER = _start_folder()


def _read(name: str) -> dict[str, Any] | None:
    return _read_file(state_directory() / "clusters" / name / "cluster.json")


def _read_file(path: Path) -> dict[str, Any] | None:
    try:
        file = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    right = isinstance(file, dict) and isinstance(file.get("url"), str) and isinstance(file.get("token"), str)
    if not right:
        return None
    # Of a main on another machine, or an older one, there is none.
    socket = file.get("socket")
    return {**file, "socket": socket if isinstance(socket, str) else None}


def _has_containers(name: str) -> bool:
    """Workers in containers see no file of this machine, as those of a cluster elsewhere."""
    try:
        spec = json.loads((state_directory() / "clusters" / name / "spec.json").read_text("utf-8"))
        return spec["containers"]["runtime"] != "process"
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _may_be_used(file: dict[str, Any]) -> bool:
    """A main that is dead has left its file."""
    return file.get("protocolVersion") == PROTOCOL_VERSION and _is_alive(file.get("pid"))


def _is_alive(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _start() -> None:
    command = [*_find_starter(), "up", "--json"]
    # The same folder, also where this program has gone to another one since.
    env = {**os.environ, "BURLA_HOME": str(state_directory())}
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_START_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BurlaError("BURLA_CLUSTER_START", f"the local cluster did not start: {error}") from error
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}"
        raise BurlaError("BURLA_CLUSTER_START", f"the local cluster did not start: {said}")


def _find_starter() -> list[str]:
    if _starter:
        return list(_starter)
    named = os.environ.get("BURLA_CLIENT")
    beside = Path(__file__).resolve().parent.parent.parent / "cli.js" if "__file__" in globals() else None
    for program in (named, shutil.which("burla"), str(beside) if beside is not None and beside.is_file() else None):
        if program:
            return [shutil.which("node") or "node", program] if program.endswith((".js", ".mjs", ".cjs")) else [program]
    cure = "Install it with `npm install -g burla`, name it in the variable BURLA_CLIENT, or start the cluster in VS Code."
    raise BurlaError("BURLA_CLUSTER_START", "no local cluster runs, and the program `burla`, which starts it, is not on the PATH", cure)
