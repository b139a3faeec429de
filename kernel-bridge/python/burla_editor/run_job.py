"""One job for the extension: its results to the file, what a person should see to the extension."""

from __future__ import annotations

import os
import threading
import time
from itertools import islice
from typing import Any, Iterable, Iterator, Optional

from burla import RemoteResults, attach, remote_parallel_map
from burla.cluster import use_client
from burla.options import ClusterAddress, Progress

from .channel import Channel
from .inputs import count_of, open_inputs
from .load import function_of, load_module
from .outbox import Outbox
from .plain import to_json
from .rows import clip, row_of

#: A window that is reloaded claims its runs within this time; one that was closed does not.
_CLAIM_TIMEOUT_S = 75
_CLAIM_LOOK_S = 0.2


class RememberedInputs:
    """Hands inputs to a job, and knows what they were until their results are there."""

    def __init__(self, inputs: Iterable[Any], indexes: Optional[list[int]]) -> None:
        self._inputs = inputs
        self._indexes = indexes
        self._texts: dict[int, str] = {}

    def __iter__(self) -> Iterator[Any]:
        wanted = None if self._indexes is None else set(self._indexes)
        at = 0
        for position, value in enumerate(self._inputs):
            if wanted is not None and position not in wanted:
                continue
            self._texts[at] = to_json(value)
            at += 1
            yield value
            if wanted is not None and at == len(wanted):
                return

    def take(self, at: int) -> Optional[str]:
        return self._texts.pop(at, None)


def run_job(request: dict[str, Any], channel: Channel) -> None:
    use_client(request["burlaCommand"])
    outbox = Outbox(request["spool"], channel)
    outbox.read(channel.printed)
    try:
        stream, inputs = _started(request, channel, outbox)
        channel.say({"type": "started", "jobId": stream.job_id})
        _follow(stream, inputs, request, channel, outbox)
    finally:
        outbox.close()


def _started(request: dict[str, Any], channel: Channel, outbox: Outbox) -> tuple[RemoteResults, Optional[RememberedInputs]]:
    options: dict[str, Any] = {"on_error": "continue", "on_log": lambda line: None, "progress": lambda told: outbox.progress(_progress_of(told)), "cluster": _cluster_of(request["cluster"])}
    if request["type"] == "attach":
        return attach(request["jobId"], **options), None
    module = load_module(request["file"])
    function = function_of(module, request["fn"]["name"])
    opened = open_inputs(request["inputs"], module)
    limit = request["limit"]
    if limit is not None:
        channel.say({"type": "counted", "inputs": count_of(opened)})
        opened = list(islice(opened, limit))
    inputs = RememberedInputs(opened, request["indexes"])
    # Detached for main: a window that is reloaded must find the job running.
    return remote_parallel_map(function, inputs, detach=True, **options), inputs


def _follow(stream: RemoteResults, inputs: Optional[RememberedInputs], request: dict[str, Any], channel: Channel, outbox: Outbox) -> None:
    has_left = threading.Event()
    channel.listen(stream.cancel, lambda: _go_on_alone(stream, request, outbox, has_left))
    began_s = None if inputs is None else time.monotonic()
    indexes, skip = request["indexes"], request.get("from", 0)
    for entry in islice(stream.settled(), skip, None):
        if has_left.is_set():
            continue
        index = entry.index if indexes is None else indexes[entry.index]
        after_ms = None if began_s is None else round((time.monotonic() - began_s) * 1000)
        outbox.row(*row_of(index, entry, None if inputs is None else inputs.take(entry.index), after_ms))


def _go_on_alone(stream: RemoteResults, request: dict[str, Any], outbox: Outbox, has_left: threading.Event) -> None:
    """The window has gone. One that takes the run over waits until nobody else writes to the file: the claim is taken away then."""
    claim = f"{request['spool']}.claim"
    leaves = request["outlivesWindow"] or _is_claimed(claim)
    if leaves:
        has_left.set()
        outbox.flush()
        if os.path.exists(claim):
            os.remove(claim)
        stream.wait_uploaded()
    else:
        stream.cancel()
    os._exit(0)


def _is_claimed(claim: str) -> bool:
    """Looks a few times a second: Python has no way to be told of a file."""
    end_s = time.monotonic() + _CLAIM_TIMEOUT_S
    while not os.path.exists(claim):
        if time.monotonic() > end_s:
            return False
        time.sleep(_CLAIM_LOOK_S)
    return True


def _cluster_of(given: Any) -> Any:
    return ClusterAddress(given["url"], given["token"]) if isinstance(given, dict) else given


def _progress_of(told: Progress) -> dict[str, Any]:
    names = ("phase", "nodes", "workers", "pushed", "running", "done", "failed", "total")
    return {"reason": clip(told.reason, 1_000), **{name: getattr(told, name) for name in names}}
