"""The values of a pickled list, read one by one: what reading one of them raises, or ends, is no matter of the others.

A pickle is a program for a stack machine, which writes an object in one stretch of instructions; what it has written once
it names later by a number (its memo). So each value, and each object that several of them share, is a stretch of the bytes
that can be run by itself, once those that it names are there. Finding the stretches runs none of the user's code, and takes
about a microsecond for an instruction: it is for lists of which the whole cannot be read at once.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from bisect import bisect_left
from copy import copy
from typing import Any, Iterator, NamedTuple

_HEAD = b"\x80" + bytes((pickle.HIGHEST_PROTOCOL,))
_STOP = b"."
_number = struct.Struct("<I")


class _Part:
    """What the stack holds: an object, and the stretch that has made it. It grows while the object is being filled."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def holds(self, other: _Part) -> bool:
        return self.start <= other.start and other.end <= self.end


class _Edit(NamedTuple):
    """An instruction that is another one in a stretch that runs by itself."""

    at: int
    end: int
    #: "drop", "put" or "get".
    kind: str
    #: Its number in the memo.
    memo: int


class Pieces:
    """Raises ValueError for what is no pickle of a list."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = bytes(data)
        self._edits: list[_Edit] = []
        self._made: dict[int, _Part] = {}
        #: Numbers that are named outside of the value that they were given in.
        self._shared: set[int] = set()
        self._values = _Scan(self._data, self._edits, self._made, self._shared).run()
        self._places = [edit.at for edit in self._edits]
        #: Shared objects that have been read.
        self._known: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._values)

    def again(self) -> Pieces:
        """The same pieces, of which nothing has been read."""
        other = copy(self)
        other._known = {}
        return other

    def value(self, position: int) -> Any:
        """Raises whatever the value's own code raises."""
        part = self._values[position]
        for memo in self._named_by(part):
            self._learn(memo)
        return self._read(part)

    def _learn(self, memo: int) -> None:
        """Reads a shared object, and before it those that it names."""
        waiting = [memo]
        while waiting:
            if waiting[-1] in self._known:
                waiting.pop()
                continue
            part = self._closed(self._made[waiting[-1]])
            missing = [named for named in self._named_by(part) if named not in self._known]
            if missing:
                waiting.extend(reversed(missing))
            else:
                self._read(part, is_shared=True)
                waiting.pop()

    def _closed(self, part: _Part) -> _Part:
        """The part, or the one around it that it leads back to: they can be read together only."""
        while True:
            around = [self._made[named] for named in self._named_by(part) if self._made[named].holds(part)]
            if not around:
                return part
            part = max(around, key=lambda each: each.end - each.start)

    def _named_by(self, part: _Part) -> list[int]:
        """Numbers of objects that are made elsewhere; those that hold others come first, so that they go on holding the same."""
        own: set[int] = set()
        named: dict[int, None] = {}
        for edit in self._edits_in(part):
            if edit.kind == "put":
                own.add(edit.memo)
            elif edit.kind == "get" and edit.memo not in own:
                named[edit.memo] = None
        return sorted(named, key=lambda memo: self._made[memo].start - self._made[memo].end)

    def _edits_in(self, part: _Part) -> Iterator[_Edit]:
        """What is in it and known already is named too."""
        end = part.start
        for known in self._known_in(part):
            yield from self._edits_between(end, known.at)
            yield known
            end = known.end
        yield from self._edits_between(end, part.end)

    def _edits_between(self, start: int, end: int) -> Iterator[_Edit]:
        for at in range(bisect_left(self._places, start), bisect_left(self._places, end)):
            yield self._edits[at]

    def _known_in(self, part: _Part) -> list[_Edit]:
        found: list[_Edit] = []
        if not self._known:
            return found
        puts = (edit.memo for edit in self._edits_between(part.start, part.end) if edit.kind == "put" and edit.memo in self._known)
        for memo in sorted(puts, key=lambda each: (self._made[each].start, -self._made[each].end)):
            known = self._made[memo]
            if part.holds(known) and (not found or found[-1].end <= known.start):
                found.append(_Edit(known.start, known.end, "get", memo))
        return found

    def _read(self, part: _Part, *, is_shared: bool = False) -> Any:
        """The value of a part; what others may name of it is kept."""
        code, numbers = self._program(part)
        machine = _Machine(code, self._known)
        value = machine.load()
        kept = [memo for memo in numbers if is_shared or memo in self._shared]
        if kept:
            memory = machine.memo.copy()
            self._known.update((memo, memory[numbers[memo]]) for memo in kept)
        return value

    def _program(self, part: _Part) -> tuple[bytes, dict[int, int]]:
        """The part's instructions, with numbers of its own in the memo."""
        data, at = self._data, part.start
        numbers: dict[int, int] = {}
        code = [_HEAD]
        for edit in self._edits_in(part):
            code.append(data[at : edit.at])
            at = edit.end
            if edit.kind == "put":
                numbers[edit.memo] = len(numbers)
                code.append(pickle.MEMOIZE)
            elif edit.kind == "get" and edit.memo in numbers:
                code.append(pickle.LONG_BINGET + _number.pack(numbers[edit.memo]))
            elif edit.kind == "get":
                code.append(pickle.BININT + _number.pack(edit.memo) + pickle.BINPERSID)
        code += [data[at : part.end], _STOP]
        return b"".join(code), numbers


class _Machine(pickle.Unpickler):
    def __init__(self, code: bytes, known: dict[int, Any]) -> None:
        super().__init__(io.BytesIO(code))
        self._known = known

    def persistent_load(self, memo: Any) -> Any:
        return self._known[memo]


# What an instruction does with the stack.
_PUSH, _MARK, _MAKE, _MAKE_FROM_MARK, _FILL, _FILL_FROM_MARK, _PUT, _GET, _POP, _POP_MARK, _DROP, _END = range(12)
_ACTIONS = {
    "MARK": _MARK, "BUILD": _FILL, "APPEND": _FILL, "SETITEM": _FILL, "APPENDS": _FILL_FROM_MARK, "SETITEMS": _FILL_FROM_MARK,
    "ADDITEMS": _FILL_FROM_MARK, "MEMOIZE": _PUT, "BINPUT": _PUT, "LONG_BINPUT": _PUT, "BINGET": _GET, "LONG_BINGET": _GET,
    "POP": _POP, "POP_MARK": _POP_MARK, "PROTO": _DROP, "FRAME": _DROP, "STOP": _END,
}
#: Sizes of arguments by their readers in `pickletools`; for the last ones: bytes of the length that comes first.
_SIZES = {"uint1": 1, "uint2": 2, "int4": 4, "uint4": 4, "uint8": 8, "float8": 8}
_LENGTHS = {"string1": 1, "bytes1": 1, "unicodestring1": 1, "long1": 1, "string4": 4, "bytes4": 4, "unicodestring4": 4, "long4": 4, "bytes8": 8, "unicodestring8": 8, "bytearray8": 8}


class _Instruction(NamedTuple):
    action: int
    #: Objects that it takes from the stack; beyond the mark, for one that takes all from there.
    takes: int
    #: Bytes of its argument, or of the length of its argument.
    size: int
    has_length: bool


def _instructions() -> dict[int, _Instruction]:
    """Those that `pickle` writes in the protocols that have them all in binary."""
    found: dict[int, _Instruction] = {}
    for opcode in pickletools.opcodes:
        kind = opcode.arg.name if opcode.arg is not None else None
        if kind is not None and kind not in _SIZES and kind not in _LENGTHS:
            continue
        before = [each.name for each in opcode.stack_before]
        from_mark = "mark" in before
        takes = before.index("mark") if from_mark else len(before)
        action = _ACTIONS.get(opcode.name, _MAKE_FROM_MARK if from_mark else _MAKE if before else _PUSH)
        found[ord(opcode.code)] = _Instruction(action, takes, _SIZES.get(kind, 0) or _LENGTHS.get(kind, 0), kind in _LENGTHS)
    for name in ("PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "DUP", "NEXT_BUFFER", "READONLY_BUFFER"):
        found.pop(ord(next(each.code for each in pickletools.opcodes if each.name == name)), None)
    return found


_INSTRUCTIONS = _instructions()


class _Scan:
    """One pass over the instructions, which plays what they do with the stack, not what they call."""

    def __init__(self, data: bytes, edits: list[_Edit], made: dict[int, _Part], shared: set[int]) -> None:
        self._data = data
        self._edits = edits
        self._made = made
        self._shared = shared
        self._stack: list[_Part] = []
        #: Depths of the stack, and places.
        self._marks: list[tuple[int, int]] = []
        #: The values of the list, known when they are appended.
        self._values: list[_Part] = []

    def run(self) -> list[_Part]:
        """The stretches of the values: each reaches to the next one, or to the instruction that appends them."""
        data, at, stack = self._data, 0, self._stack
        try:
            while True:
                instruction = _INSTRUCTIONS[data[at]]
                end = at + 1 + instruction.size
                if instruction.has_length:
                    end += int.from_bytes(data[at + 1 : end], "little")
                action = instruction.action
                if action == _PUSH:
                    stack.append(_Part(at, end))
                elif action == _END:
                    break
                else:
                    self._play(instruction, at, end)
                at = end
        except (IndexError, KeyError) as error:
            raise ValueError("what should be a pickled list is none") from error
        if len(stack) != 1:
            raise ValueError("what should be a pickled list is none")
        self._find_shared()
        return self._values

    def _play(self, instruction: _Instruction, at: int, end: int) -> None:
        stack, action = self._stack, instruction.action
        if action == _MAKE:
            first = stack[-instruction.takes]
            del stack[-instruction.takes :]
            stack.append(_Part(first.start, end))
        elif action == _PUT:
            memo = len(self._made) if end == at + 1 else self._argument(at, end)
            self._made[memo] = stack[-1]
            stack[-1].end = end
            self._edits.append(_Edit(at, end, "put", memo))
        elif action == _GET:
            stack.append(_Part(at, end))
            self._edits.append(_Edit(at, end, "get", self._argument(at, end)))
        elif action == _FILL:
            taken = stack[1 - instruction.takes :]
            del stack[1 - instruction.takes :]
            self._filled(taken, at, end)
        elif action == _MARK:
            self._marks.append((len(stack), at))
        elif action == _DROP:
            self._edits.append(_Edit(at, end, "drop", 0))
        elif action == _POP:
            self._pop(end)
        else:
            self._play_from_mark(instruction, end, at)

    def _play_from_mark(self, instruction: _Instruction, end: int, at: int) -> None:
        depth, start = self._marks.pop()
        stack = self._stack
        taken = stack[depth:]
        del stack[depth:]
        if instruction.action == _FILL_FROM_MARK:
            self._filled(taken, at, end)
        elif instruction.action == _POP_MARK:
            self._extend(end)
        else:
            if instruction.takes:
                start = stack[-instruction.takes].start
                del stack[-instruction.takes :]
            stack.append(_Part(start, end))

    def _pop(self, end: int) -> None:
        """A mark is popped as an object is. What was made for a moment (a call for its effect) belongs to what lies below."""
        if self._marks and self._marks[-1][0] == len(self._stack):
            self._marks.pop()
        else:
            self._stack.pop()
        self._extend(end)

    def _extend(self, end: int) -> None:
        if self._stack:
            self._stack[-1].end = end

    def _filled(self, taken: list[_Part], at: int, end: int) -> None:
        self._stack[-1].end = end
        if len(self._stack) == 1:
            ends = [*(part.start for part in taken[1:]), at]
            self._values.extend(_Part(part.start, value_end) for part, value_end in zip(taken, ends))

    def _argument(self, at: int, end: int) -> int:
        return int.from_bytes(self._data[at + 1 : end], "little")

    def _find_shared(self) -> None:
        given: dict[int, int] = {}
        value, values = -1, self._values
        for edit in self._edits:
            while value + 1 < len(values) and values[value + 1].start <= edit.at:
                value += 1
            if edit.kind == "put":
                given[edit.memo] = value
            elif edit.kind == "get" and given[edit.memo] != value:
                self._shared.add(edit.memo)
