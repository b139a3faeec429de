"""The body of a chunk (`protocol/src/chunk-body.ts`): of an input that could not be pickled the refusal travels in its place."""

from __future__ import annotations

import struct
from typing import Mapping, NamedTuple

from .messagepack import pack, unpack

#: With this byte begins a body with refusals; a pickle begins with 0x80.
_REFUSALS = 0x02
_head = struct.Struct("<BI")
_MAX_MESSAGE_CHARACTERS = 4_000


class Refusal(NamedTuple):
    """Why an input is not there, as an envelope of an error has it."""

    code: str
    message: str


def with_refusals(values: bytes, refusals: Mapping[int, Refusal]) -> bytes:
    """:param values: all of the chunk, pickled with None in the place of those that are refused."""
    if not refusals:
        return values
    packed = pack([[position, code, _sendable(message)] for position, (code, message) in refusals.items()])
    return b"".join((_head.pack(_REFUSALS, len(packed)), packed, values))


def _sendable(message: str) -> str:
    # What an exception says may hold what no encoding of texts has.
    return message[:_MAX_MESSAGE_CHARACTERS].encode("utf-8", "replace").decode()


def take_refusals(body: bytes) -> tuple[dict[int, Refusal], bytes]:
    """The refusals by position, and the pickled values."""
    if body[:1] != bytes((_REFUSALS,)):
        return {}, body
    _tag, length = _head.unpack_from(body)
    end = _head.size + length
    return {position: Refusal(code, message) for position, code, message in unpack(body[_head.size : end])}, body[end:]
