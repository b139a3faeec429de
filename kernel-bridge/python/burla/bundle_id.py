"""What a bundle is called: the hash of all that it stands for. `protocol/src/bundle-id.ts` has the rule, and computes it anew."""

from __future__ import annotations

import hashlib
from typing import Any, Iterator, Mapping, Sequence


def bundle_id(runtime: str, externals: Sequence[Mapping[str, Any]], code: bytes) -> str:
    """The only name under which this code may be kept or run, with these externals as they stand in a job's spec."""
    digest = hashlib.sha256()
    for text in _head(runtime, externals):
        data = text.encode("utf-8")
        digest.update(len(data).to_bytes(4, "little") + data)
    digest.update(code)
    return digest.hexdigest()


def _head(runtime: str, externals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from ("burla bundle", runtime, str(len(externals)))
    for external in externals:
        needs = external["needs"]
        yield from (external["name"], external["version"], external["directory"], str(len(needs)), *needs)
