"""Bytes <-> frames: `u32 rest length | u32 header length | header (MessagePack) | body`, little-endian."""

from __future__ import annotations

import struct
from typing import Any, Iterator

from .messagepack import pack, unpack

MAX_FRAME_BYTES = 512 * 1024 * 1024
#: A function with all that it has captured.
MAX_FUNCTION_BYTES = 128 * 1024 * 1024
MAX_HEADER_BYTES = 1024 * 1024

_prefix = struct.Struct("<II")


class FrameError(Exception):
    """The stream is beyond repair and must be closed."""


def encode_frame(header: dict[str, Any], *body: bytes) -> list[bytes]:
    """The buffers of one frame; parts of the body are not copied. Raises FrameError above the limits."""
    packed = pack(header)
    rest_bytes = 4 + len(packed) + sum(map(len, body))
    if len(packed) > MAX_HEADER_BYTES or rest_bytes > MAX_FRAME_BYTES:
        raise FrameError(f"a message of {rest_bytes} bytes is over the limit of {MAX_FRAME_BYTES}")
    return [_prefix.pack(rest_bytes, len(packed)) + packed, *(part for part in body if part)]


class FrameDecoder:
    """Feed it pieces of any size; it gives each frame when it is complete."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, piece: bytes | memoryview) -> Iterator[tuple[dict[str, Any], bytes]]:
        held = self._held
        held += piece
        at = 0
        try:
            while len(held) - at >= _prefix.size:
                rest_bytes, header_bytes = _prefix.unpack_from(held, at)
                if rest_bytes > MAX_FRAME_BYTES or header_bytes > MAX_HEADER_BYTES or header_bytes + 4 > rest_bytes:
                    raise FrameError(f"a frame says that its header has {header_bytes} of {rest_bytes} bytes")
                end = at + 4 + rest_bytes
                if len(held) < end:
                    return
                body_at = at + _prefix.size + header_bytes
                with memoryview(held) as view:
                    packed, body = bytes(view[at + _prefix.size : body_at]), bytes(view[body_at:end])
                at = end
                yield _header(packed), body
        finally:
            del held[:at]


def _header(data: bytes) -> dict[str, Any]:
    try:
        header = unpack(data)
    except ValueError as error:
        raise FrameError(str(error)) from error
    if not isinstance(header, dict) or not isinstance(header.get("type"), str):
        raise FrameError("a message has no type")
    return header
