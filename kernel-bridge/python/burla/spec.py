"""What main is told of a job: `jobSpecSchema` of `protocol/src/messages.ts`."""

from __future__ import annotations

import secrets
import sys
import time
from typing import Any

from .bundle_id import bundle_id
from .capture import Bundle
from .cluster import ClusterTarget
from .options import Options

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def job_spec(bundle: Bundle, options: Options, target: ClusterTarget, surroundings: dict[str, Any], inputs_at_hand: bool) -> dict[str, Any]:
    externals = [{"name": name, "version": version, "directory": "", "needs": []} for name, version in bundle.externals]
    return {
        "name": (options.name or bundle.name)[:256],
        "runtime": "python",
        "image": options.image,
        "cpu": options.cpu,
        "ramMiB": options.ram_mib,
        "grow": options.grow,
        "maxParallelism": options.max_parallelism,
        "concurrency": options.concurrency,
        "onError": "continue" if options.detach else options.on_error,
        "retries": options.retries,
        "timeoutMs": options.timeout_ms,
        "detach": options.detach,
        "inputsAtHand": inputs_at_hand,
        "setupTimeoutMs": options.setup_timeout_ms,
        **surroundings,
        "parent": None,
        "queue": None,
        "python": {
            "executable": (sys.executable or None) if target.same_machine else None,
            "version": "%d.%d" % sys.version_info[:2],
        },
        "bundle": {"id": bundle_id("python", externals, bundle.code), "externals": externals},
    }


def new_job_id() -> str:
    """`job-` and 19 characters: nine of time, so that ids sort by age, and ten of chance."""
    rest, digits = int(time.time() * 1000), ""
    for _ in range(9):
        rest, digit = divmod(rest, 32)
        digits = _ALPHABET[digit] + digits
    return f"job-{digits}{''.join(_ALPHABET[byte & 31] for byte in secrets.token_bytes(10))}"
