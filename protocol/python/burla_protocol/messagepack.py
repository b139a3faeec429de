"""MessagePack of plain values: None, bool, int, float, str, bytes, list or tuple, dict.

The part of the format that `protocol/src/frame.ts` uses; extension types are read as their bytes.
"""

from __future__ import annotations

import struct
from typing import Any

_float64 = struct.Struct(">d")
_float32 = struct.Struct(">f")
_u16 = struct.Struct(">H")
_u32 = struct.Struct(">I")
_u64 = struct.Struct(">Q")
_i8 = struct.Struct(">b")
_i16 = struct.Struct(">h")
_i32 = struct.Struct(">i")
_i64 = struct.Struct(">q")
_MAX_DEPTH = 200


def pack(value: Any) -> bytes:
    """Raises TypeError for what MessagePack has no form for, OverflowError for integers beyond 64 bits."""
    out = bytearray()
    pack_into(out, value)
    return bytes(out)


def pack_into(out: bytearray, value: Any) -> None:
    kind = type(value)
    if kind is int:
        pack_int(out, value)
    elif kind is str:
        pack_str(out, value)
    elif value is None:
        out.append(0xC0)
    elif kind is bool:
        out.append(0xC3 if value else 0xC2)
    elif kind is float:
        out.append(0xCB)
        out += _float64.pack(value)
    elif kind is list or kind is tuple:
        pack_array_head(out, len(value))
        for item in value:
            pack_into(out, item)
    elif kind is dict:
        _head(out, len(value), 0x80, 15, None, 0xDE, 0xDF)
        for key, item in value.items():
            pack_into(out, key)
            pack_into(out, item)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        _head(out, len(value), None, -1, 0xC4, 0xC5, 0xC6)
        out += value
    else:
        raise TypeError(f"MessagePack has no form for {kind.__name__}")


def pack_int(out: bytearray, value: int) -> None:
    if value >= 0:
        if value < 0x80:
            out.append(value)
        elif value < 0x100:
            out += bytes((0xCC, value))
        elif value < 0x10000:
            out.append(0xCD)
            out += _u16.pack(value)
        elif value < 0x100000000:
            out.append(0xCE)
            out += _u32.pack(value)
        else:
            out.append(0xCF)
            out += _fits(_u64, value)
    elif value >= -32:
        out.append(value & 0xFF)
    elif value >= -0x80:
        out.append(0xD0)
        out += _i8.pack(value)
    elif value >= -0x8000:
        out.append(0xD1)
        out += _i16.pack(value)
    elif value >= -0x80000000:
        out.append(0xD2)
        out += _i32.pack(value)
    else:
        out.append(0xD3)
        out += _fits(_i64, value)


def pack_str(out: bytearray, text: str) -> None:
    data = text.encode("utf-8", "replace")
    _head(out, len(data), 0xA0, 31, 0xD9, 0xDA, 0xDB)
    out += data


def pack_array_head(out: bytearray, length: int) -> None:
    _head(out, length, 0x90, 15, None, 0xDC, 0xDD)


def _fits(form: struct.Struct, value: int) -> bytes:
    try:
        return form.pack(value)
    except struct.error:
        raise OverflowError("MessagePack has integers of 64 bits") from None


def _head(out: bytearray, length: int, fixed: int | None, fixed_max: int, head8: int | None, head16: int, head32: int) -> None:
    if length <= fixed_max and fixed is not None:
        out.append(fixed | length)
    elif head8 is not None and length < 0x100:
        out += bytes((head8, length))
    elif length < 0x10000:
        out.append(head16)
        out += _u16.pack(length)
    else:
        out.append(head32)
        out += _u32.pack(length)


def unpack(data: bytes | bytearray | memoryview) -> Any:
    """One whole value. Raises ValueError for anything else; never allocates more than the bytes can hold."""
    data = bytes(data)
    try:
        value, at = _read(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise ValueError("what should be MessagePack is not, or ends too early") from error
    if at != len(data):
        raise ValueError("there is more than one MessagePack value")
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    tag = data[at]
    at += 1
    if tag < 0x80:
        return tag, at
    if tag >= 0xE0:
        return tag - 0x100, at
    if tag < 0x90:
        return _map(data, at, tag & 0x0F, depth)
    if tag < 0xA0:
        return _array(data, at, tag & 0x0F, depth)
    if tag < 0xC0:
        return _text(data, at, tag & 0x1F)
    return _READERS[tag](data, at, depth)


def _take(data: bytes, at: int, length: int) -> bytes:
    end = at + length
    if end > len(data):
        raise IndexError(end)
    return data[at:end]


def _text(data: bytes, at: int, length: int) -> tuple[str, int]:
    return _take(data, at, length).decode("utf-8"), at + length


def _bytes(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    return _take(data, at, length), at + length


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list, int]:
    _check_depth(depth)
    items = []
    for _ in range(length):
        item, at = _read(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict, int]:
    _check_depth(depth)
    entries = {}
    for _ in range(length):
        key, at = _read(data, at, depth + 1)
        entries[key], at = _read(data, at, depth + 1)
    return entries, at


def _check_depth(depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"a MessagePack value is nested more than {_MAX_DEPTH} deep")


def _number(form: struct.Struct):
    def read(data, at, _depth):
        return form.unpack_from(data, at)[0], at + form.size

    return read


def _sized(form: struct.Struct, part, *, nested: bool = False, extra: int = 0):
    def read(data, at, depth):
        length = form.unpack_from(data, at)[0]
        at += form.size
        return part(data, at, length, depth) if nested else part(data, at, length + extra)

    return read


def _constant(value):
    return lambda _data, at, _depth: (value, at)


def _never(_data, _at, _depth):
    raise ValueError("0xc1 is no MessagePack value")


_u8 = struct.Struct(">B")
_READERS = {
    0xC0: _constant(None),
    0xC1: _never,
    0xC2: _constant(False),
    0xC3: _constant(True),
    0xC4: _sized(_u8, _bytes),
    0xC5: _sized(_u16, _bytes),
    0xC6: _sized(_u32, _bytes),
    0xC7: _sized(_u8, _bytes, extra=1),
    0xC8: _sized(_u16, _bytes, extra=1),
    0xC9: _sized(_u32, _bytes, extra=1),
    0xCA: _number(_float32),
    0xCB: _number(_float64),
    0xCC: _number(_u8),
    0xCD: _number(_u16),
    0xCE: _number(_u32),
    0xCF: _number(_u64),
    0xD0: _number(_i8),
    0xD1: _number(_i16),
    0xD2: _number(_i32),
    0xD3: _number(_i64),
    **{0xD4 + at: (lambda size: lambda data, at, _depth: _bytes(data, at, size))(1 + (1 << at)) for at in range(5)},
    0xD9: _sized(_u8, _text),
    0xDA: _sized(_u16, _text),
    0xDB: _sized(_u32, _text),
    0xDC: _sized(_u16, _array, nested=True),
    0xDD: _sized(_u32, _array, nested=True),
    0xDE: _sized(_u16, _map, nested=True),
    0xDF: _sized(_u32, _map, nested=True),
}
