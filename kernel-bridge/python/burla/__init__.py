"""Burla for Python: run a plain function over thousands of inputs on a cluster, as if it were local.

Needs cloudpickle. Guide: docs/python.md of the project.
"""

from .api import CallContext, attach, context, remote_parallel_map
from .cluster import use_client
from .errors import BurlaError, RemoteError, RemoteTimeoutError
from .options import ClusterAddress, LogLine, Progress
from .results import Entry, Settled
from .stream import FailedInputs, RemoteResults

__all__ = [
    "BurlaError",
    "CallContext",
    "ClusterAddress",
    "Entry",
    "FailedInputs",
    "LogLine",
    "Progress",
    "RemoteError",
    "RemoteResults",
    "RemoteTimeoutError",
    "Settled",
    "attach",
    "context",
    "remote_parallel_map",
    "use_client",
]
