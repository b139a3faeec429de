"""What a user calls."""

from __future__ import annotations

import atexit
import re
from contextvars import copy_context
from dataclasses import replace
from typing import Any, Callable, Iterable, NamedTuple, Optional, TypeVar, Union

from burla_protocol.call import current, worker

from .capture import capture
from .cluster import resolve_cluster
from .job import Job
from .options import Cluster, OnLog, OnProgress, Setup, check_arguments, compile_attach_options, compile_map_options
from .spec import new_job_id
from .stream import RemoteResults, close_all
from .surroundings import surroundings_of

Input = TypeVar("Input")

atexit.register(close_all)


class CallContext(NamedTuple):
    #: Position of this input among the inputs, from 0.
    index: int
    #: Which attempt this is, from 1: more after `retries`, or when a worker was lost.
    attempt: int
    #: What the function `setup` has given in this worker.
    worker: Any


def remote_parallel_map(
    function_: Callable[[Input], Any],
    inputs: Iterable[Input],
    *,
    cpu: float = 1,
    ram: Union[float, str, None] = None,
    image: Optional[str] = None,
    grow: int = 0,
    max_parallelism: Optional[float] = None,
    concurrency: int = 1,
    lookahead: Optional[float] = None,
    order: str = "completion",
    on_error: str = "throw",
    retries: int = 0,
    timeout_s: Optional[float] = None,
    setup: Optional[Setup] = None,
    setup_timeout_s: Optional[float] = 600,
    detach: bool = False,
    name: Optional[str] = None,
    env: Optional[dict[str, Optional[str]]] = None,
    on_log: Optional[OnLog] = None,
    progress: Union[bool, OnProgress] = False,
    cluster: Cluster = None,
) -> RemoteResults:
    """Runs a function over inputs on a cluster, as if it were local.

    >>> for score in remote_parallel_map(score_document, documents):
    ...     print(score)
    >>> scores = remote_parallel_map(score_document, documents).to_list()

    The function and what it uses are captured at the call; the job starts when its results are first asked for (at once
    with `detach`). With no cluster configured, one on this machine is started, and stays warm for ten minutes.

    :param cpu: processors for one call.
    :param ram: memory for one call: GiB as a number, or text such as "512 MiB". Default: the node's share.
    :param image: image of the containers, one that the cluster spec names.
    :param grow: nodes that the cluster may add for this job, as far as its spec allows.
    :param max_parallelism: calls at once over the whole cluster. Default: as many as fit.
    :param concurrency: calls at once in one worker, for work that mostly waits: in threads, or in one event loop for an
        `async` function.
    :param lookahead: inputs that may be pulled beyond those whose results were taken, for an iterable whose pulling has
        effects. Default: as many as the cluster needs, up to 65,536 small ones.
    :param order: "completion", or "input" for the order of the inputs.
    :param on_error: "throw" ends the job with the first exception; "continue" raises `FailedInputs` after the last result.
    :param retries: further calls after an exception of the function.
    :param timeout_s: seconds after which a call is ended.
    :param setup: a function without arguments that runs once in each worker before its first call, for what calls share there:
        a model, a connection, the settings of a library. What it returns, awaited, is `burla.context().worker`.
    :param setup_timeout_s: seconds that `setup` may take in one worker.
    :param detach: the job goes on, and keeps its results, when this program is gone; `attach` reads them.
    :param name: what people see. Default: the function's name.
    :param env: variables of the environment of the calls; None takes one away. On the local cluster they go over those of this
        program, which calls see as they are at the call; on other clusters they are all that is sent.
    :param on_log: called with each `LogLine` that calls print, instead of printing it.
    :param progress: True shows a line; a function is called with each `Progress`.
    :param cluster: name or URL of a cluster, or a `ClusterAddress`.
    :raises TypeError: for an argument or option that cannot be.
    :raises BurlaError: when something that the function needs cannot be sent; the message names the path to it.

    The iteration raises what the function raised, with `input_index` added, and BurlaError for all else.
    """
    given = {name_: value for name_, value in locals().items() if name_ not in ("function_", "inputs")}
    options = compile_map_options(given)
    check_arguments(function_, inputs)
    target = resolve_cluster(options.cluster)
    bundle, pickler = capture(function_, options.setup, same_machine=target.same_machine)
    surroundings = surroundings_of(target, options.env)
    job_id = new_job_id()
    caller = copy_context()

    def start(on_error: str) -> Job:
        job = Job(job_id, target, replace(options, on_error=on_error))
        job.submit(bundle, pickler, inputs, surroundings, caller)
        return job

    results = RemoteResults(job_id, start, options.name or bundle.name, options)
    if options.detach:
        results.begin()
    return results


def attach(
    job_id: str,
    *,
    order: str = "completion",
    on_error: str = "throw",
    on_log: Optional[OnLog] = None,
    progress: Union[bool, OnProgress] = False,
    cluster: Cluster = None,
) -> RemoteResults:
    """The results of a job that runs already, or has ended: of a detached one, from the first result on."""
    if not isinstance(job_id, str) or not re.fullmatch(r"job-[0-9a-z]{19}", job_id):
        raise TypeError(f"attach: the id of a job is like job-01j9x3k5v7abcdefghj, not {job_id!r}")
    options = compile_attach_options({"order": order, "on_error": on_error, "on_log": on_log, "progress": progress, "cluster": cluster})
    target = resolve_cluster(options.cluster)

    def start(_on_error: str) -> Job:
        job = Job(job_id, target, options)
        job.attach()
        return job

    return RemoteResults(job_id, start, job_id, options)


def context() -> Optional[CallContext]:
    """In a function that runs on the cluster: which call this is. None elsewhere."""
    call = current()
    return None if call is None or call[0] < 0 else CallContext(*call, worker())
