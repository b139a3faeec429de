"""Where the inputs come from -> the inputs."""

from __future__ import annotations

import csv
import glob
import json
import os
from itertools import chain
from types import ModuleType
from typing import Any, Iterable, Iterator, Optional, Sized

from .load import UsageError

#: A field of a table may be as long as the file is.
_MAX_FIELD = 2**31 - 1


def open_inputs(source: dict[str, Any], module: Optional[ModuleType]) -> Iterable[Any]:
    """Raises UsageError for what is not there, or has no inputs, before anything is sent."""
    kind = source["kind"]
    if kind == "file":
        return _checked(_of_file(source["path"], source["format"]), source["path"])
    if kind == "glob":
        return _checked(_of_files(source["pattern"], source["read"]), source["pattern"], "No file fits the pattern: choose another one.")
    if module is None:
        raise UsageError("these inputs need the function's file")
    if kind == "export":
        return _checked(_iterable(_named(module, source["name"]), source["name"]), source["name"])
    return _checked(_iterable(_evaluated(module, source["text"]), "the expression"), "the expression")


def count_of(inputs: Iterable[Any]) -> Optional[int]:
    """How many there are; None where only making them all would tell."""
    return len(inputs) if isinstance(inputs, Sized) else None


def _named(module: ModuleType, name: str) -> Any:
    if not hasattr(module, name):
        raise UsageError(f'{os.path.basename(module.__file__ or "the file")} has nothing called "{name}"')
    return getattr(module, name)


def _evaluated(module: ModuleType, text: str) -> Any:
    try:
        code = compile(text, "<the inputs>", "eval")
    except SyntaxError as error:
        raise UsageError(f"the inputs cannot be compiled: {error}", "Write one expression, such as range(100).") from error
    try:
        return eval(code, vars(module))
    except Exception as error:
        raise UsageError(f"the inputs: {type(error).__name__}: {error}", "They are evaluated in the function's file; mend the expression.") from error


def _iterable(value: Any, what: str) -> Iterable[Any]:
    if callable(value) and not isinstance(value, Iterable):
        value = value()
    if not isinstance(value, Iterable):
        raise UsageError(f"{what} must be a list or something else to iterate, not {type(value).__name__}")
    return value


def _checked(inputs: Iterable[Any], what: str, cure: str = "It must give at least one element.") -> Iterable[Any]:
    """The same inputs, of which the first is there."""
    if isinstance(inputs, Sized):
        if len(inputs) == 0:
            raise UsageError(f"{what} has no inputs", cure)
        return inputs
    iterator = iter(inputs)
    try:
        first = next(iterator)
    except StopIteration:
        raise UsageError(f"{what} has no inputs", cure) from None
    return chain([first], iterator)


def _of_file(path: str, form: str) -> Iterable[Any]:
    if not os.path.isfile(path):
        raise UsageError(f"the file {path} is not there")
    if form == "json":
        return _json_list(path)
    if form == "ndjson":
        return _json_lines(path)
    if form in ("csv", "tsv"):
        return _table(path, "\t" if form == "tsv" else None)
    return _lines(path)


def _json_list(path: str) -> list[Any]:
    with open(path, encoding="utf-8-sig") as file:
        try:
            value = json.load(file)
        except ValueError as error:
            raise UsageError(f"{path} is no JSON: {error}") from error
    if not isinstance(value, list):
        raise UsageError(f"{path} holds no list: a file of inputs is a JSON array, or a value in each line (NDJSON)")
    return value


def _json_lines(path: str) -> Iterator[Any]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip() == "":
            continue
        try:
            yield json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number} is no JSON: {error}") from error


def _table(path: str, delimiter: Optional[str]) -> Iterator[dict[str, str]]:
    csv.field_size_limit(_MAX_FIELD)
    with open(path, encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter or _delimiter_of(path))


def _delimiter_of(path: str) -> str:
    with open(path, encoding="utf-8-sig") as file:
        head = file.readline()
    return ";" if head.count(";") > head.count(",") else ","


def _lines(path: str) -> Iterator[str]:
    with open(path, encoding="utf-8-sig") as file:
        for line in file:
            yield line.rstrip("\r\n")


class _of_files:
    """Files by a pattern, in order of their names: their paths, or what is in them."""

    def __init__(self, pattern: str, read: Optional[str]) -> None:
        self._paths = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
        self._read = read

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Any]:
        return (self._content(path) for path in self._paths)

    def _content(self, path: str) -> Any:
        if self._read is None:
            return path
        with open(path, "rb") as file:
            data = file.read()
        return data if self._read == "buffer" else json.loads(data) if self._read == "json" else data.decode("utf-8")
