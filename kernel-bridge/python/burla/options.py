"""The options of a call: checked and complete before anything starts."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Mapping, Optional, Union

_MIB_PER_GIB = 1024
_MAX_TIMEOUT_S = (2**31 - 1) / 1000
_MAX_CONCURRENCY = 100_000
#: As in `protocol/src/limits.ts`: Linux gives one process no more than this for one variable.
MAX_VARIABLE_CHARACTERS = 128 * 1024
_RAM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(M|G|MB|GB|MiB|GiB)\s*", re.IGNORECASE)
_CLUSTER_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_CLUSTER_URL = re.compile(r"https?://[^\s/@]+(/.*)?")


@dataclass(frozen=True)
class ClusterAddress:
    """Where a cluster is. `certificate`: PEM text that a cluster with TLS must show; None trusts the system's authorities."""

    url: str
    token: str = field(repr=False)
    certificate: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class LogLine:
    """One line that a call printed."""

    #: The input whose call printed it, or -1 when it was printed outside of any call.
    index: int
    #: "call", "setup" for the function `setup`, or "other", such as a module while it was imported.
    origin: str
    #: "stdout" or "stderr".
    stream: str
    #: It ends by `\\r` where it is a state of a line that is written over, as tqdm's: the next of this input and stream takes its place.
    text: str
    #: Unix time.
    time: float
    node: str


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    job_id: str
    #: "waiting", "running" or "interrupted".
    phase: str
    #: Why it waits; empty while it runs.
    reason: str
    nodes: int
    workers: int
    pushed: int
    running: int
    done: int
    failed: int
    #: All inputs, once their end is known.
    total: Optional[int]
    lost_workers: int


Setup = Callable[[], Any]
OnLog = Callable[[LogLine], Any]
OnProgress = Callable[[Progress], Any]
Cluster = Union[str, ClusterAddress, Mapping[str, str], None]


@dataclass(frozen=True)
class Options:
    cpu: float = 1
    ram_mib: Optional[int] = None
    image: Optional[str] = None
    grow: int = 0
    max_parallelism: Optional[int] = None
    concurrency: int = 1
    lookahead: Optional[int] = None
    order: str = "completion"
    on_error: str = "throw"
    retries: int = 0
    timeout_ms: Optional[float] = None
    setup: Optional[Setup] = None
    #: None without `setup`, and for no limit.
    setup_timeout_ms: Optional[float] = None
    detach: bool = False
    name: Optional[str] = None
    env: Mapping[str, Optional[str]] = field(default_factory=dict)
    on_log: Optional[OnLog] = None
    progress: Union[bool, OnProgress] = False
    cluster: Union[str, ClusterAddress, None] = None


def compile_map_options(raw: Mapping[str, Any]) -> Options:
    """Raises TypeError that names the option, what it may be, and what it is."""
    ram = raw["ram"]
    # No limit may be said so.
    parallelism = None if raw["max_parallelism"] == math.inf else _whole(raw, "max_parallelism", 1)
    concurrency = _MAX_CONCURRENCY if raw["concurrency"] == math.inf else _whole(raw, "concurrency", 1, _MAX_CONCURRENCY) or 1
    setup = raw["setup"]
    _require(setup is None or callable(setup), "setup", "must be a function", setup)
    name = raw["name"]
    return Options(
        cpu=_cpu(raw["cpu"]),
        ram_mib=None if ram is None else _ram_mib(ram),
        image=_image(raw["image"]),
        grow=_whole(raw, "grow", 0, 1000) or 0,
        max_parallelism=parallelism,
        concurrency=concurrency if parallelism is None else min(concurrency, parallelism),
        lookahead=_lookahead(raw),
        retries=_whole(raw, "retries", 0, 1000) or 0,
        timeout_ms=_timeout_ms(raw, "timeout_s"),
        setup=setup,
        setup_timeout_ms=None if setup is None else _timeout_ms(raw, "setup_timeout_s"),
        detach=_require(type(raw["detach"]) is bool, "detach", "must be True or False", raw["detach"]) and raw["detach"],
        name=None if name is None else _name(name),
        env=_env(raw["env"]),
        **_reader_options(raw),
    )


def compile_attach_options(raw: Mapping[str, Any]) -> Options:
    return Options(detach=True, **_reader_options(raw))


def _reader_options(raw: Mapping[str, Any]) -> dict[str, Any]:
    order, on_error, on_log, progress = raw["order"], raw["on_error"], raw["on_log"], raw["progress"]
    _require(order in ("completion", "input"), "order", 'must be "completion" or "input"', order)
    _require(on_error in ("throw", "continue"), "on_error", 'must be "throw" or "continue"', on_error)
    _require(on_log is None or callable(on_log), "on_log", "must be a function", on_log)
    _require(type(progress) is bool or callable(progress), "progress", "must be True, False or a function", progress)
    return {"order": order, "on_error": on_error, "on_log": on_log, "progress": progress, "cluster": compile_cluster(raw["cluster"])}


def compile_cluster(cluster: Cluster) -> str | ClusterAddress | None:
    what = "must be the name of a cluster (small letters, digits, dashes), its URL, or a ClusterAddress"
    if isinstance(cluster, Mapping):
        _require(set(cluster) <= {"url", "token", "certificate"} and {"url", "token"} <= set(cluster), "cluster", what, cluster)
        cluster = ClusterAddress(**cluster)
    if isinstance(cluster, ClusterAddress):
        right = isinstance(cluster.url, str) and _CLUSTER_URL.fullmatch(cluster.url) and isinstance(cluster.token, str) and cluster.token
        _require(bool(right), "cluster", what, cluster)
        return cluster
    named = cluster is None or (isinstance(cluster, str) and (is_cluster_name(cluster) or is_cluster_url(cluster)))
    _require(named, "cluster", what, cluster)
    return cluster


def is_cluster_name(text: str) -> bool:
    return _CLUSTER_NAME.fullmatch(text) is not None


def is_cluster_url(text: str) -> bool:
    """Without user and password: a token does not belong into a URL, which is shown and logged."""
    return _CLUSTER_URL.fullmatch(text) is not None


def check_arguments(function: Any, inputs: Any) -> None:
    """Checks the two arguments that are not options. Raises TypeError."""
    if not callable(function):
        raise TypeError(f"remote_parallel_map: the first argument must be a function, not {_show(function)}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            "remote_parallel_map: the function is a generator function, whose result cannot be sent; return a list instead of yielding"
        )
    if not isinstance(inputs, Iterable) and not hasattr(inputs, "__getitem__"):
        hint = "; an async generator cannot be pulled here: collect it first" if hasattr(inputs, "__aiter__") else ""
        raise TypeError(f"remote_parallel_map: the inputs must be iterable (a list, a generator), not {_show(inputs)}{hint}")


def _require(right: bool, option: str, what: str, value: Any) -> bool:
    if not right:
        raise TypeError(f"remote_parallel_map: the option {option!r} {what}, not {_show(value)}")
    return True


def _whole(raw: Mapping[str, Any], option: str, least: int, most: int = 2**53 - 1) -> int | None:
    value = raw[option]
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _require(whole, option, f"must be a whole number of at least {least}", value)
    _require(value <= most, option, f"must be at most {most}", value)
    return int(value)


def _lookahead(raw: Mapping[str, Any]) -> int | None:
    lookahead = None if raw["lookahead"] == math.inf else _whole(raw, "lookahead", 1)
    _require(lookahead is None or not raw["detach"], "lookahead", "must not go with `detach`, whose results nobody need read", lookahead)
    return lookahead


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _cpu(value: Any) -> float:
    _require(_number(value) and 0.01 <= value <= 4096, "cpu", "must be a number from 0.01 to 4096", value)
    return value


def _ram_mib(value: Any) -> int:
    """GiB as a number, or a number with its unit, as whole MiB."""
    match = _RAM.fullmatch(value) if isinstance(value, str) else None
    amount = float(match[1]) * (_MIB_PER_GIB if match[2][0] in "gG" else 1) if match else value * _MIB_PER_GIB if _number(value) else 0
    _require(amount > 0, "ram", 'must be a number of GiB above 0, or text such as "512 MiB" or "2 GiB"', value)
    return max(1, round(amount))


def _timeout_ms(raw: Mapping[str, Any], option: str) -> float | None:
    value = raw[option]
    if value is None or value == math.inf:
        return None
    _require(_number(value) and 0.001 <= value <= _MAX_TIMEOUT_S, option, f"must be a number of seconds from 0.001 to {_MAX_TIMEOUT_S:.0f}", value)
    return value * 1000


def _name(value: Any) -> str:
    _require(isinstance(value, str) and 0 < len(value) <= 256, "name", "must be text of 1 to 256 characters", value)
    return value


def _image(value: Any) -> str | None:
    right = value is None or (isinstance(value, str) and 0 < len(value) <= 256)
    _require(right, "image", "must be the name of an image, such as python:3.12-slim", value)
    return value


def _env(value: Any) -> dict[str, Optional[str]]:
    if value is None:
        return {}
    pairs = isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(text, (str, type(None))) and 0 < len(name) <= 256 and "=" not in name and "\0" not in name + (text or "")
        for name, text in value.items()
    )
    _require(pairs, "env", "must be a dict of texts, whose names have no `=`, or of None for a variable to take away", value)
    _require(all(len(text or "") <= MAX_VARIABLE_CHARACTERS for text in value.values()), "env", f"must have at most {MAX_VARIABLE_CHARACTERS} characters for a variable", "more")
    return dict(value)


def _show(value: Any) -> str:
    if isinstance(value, (str, int, float, bool, type(None))):
        return repr(value)
    return f"an object of type {type(value).__qualname__}"
