"""How far a run is: what its screen shows. Written by the cell's thread, read by the screen's."""

from __future__ import annotations

import linecache
import reprlib
import time
import traceback
from collections import deque
from typing import Any, Optional

from .thumbnails import thumbnail_of
from .tracebacks import Title, titled
from .view import MAX_FAILURES, MAX_LINE_CHARACTERS, MAX_LINES, MAX_SAMPLES, clip

#: Phases that are the last one.
ENDS = ("done", "failed", "cancelled")

_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 400
_shorten.maxlist = _shorten.maxtuple = _shorten.maxdict = _shorten.maxset = 20


class RunState:
    def __init__(self, *, name: str, cluster: str, how: str, title: Title = lambda _file: None) -> None:
        self.name, self.cluster, self.how = clip(name, 256), clip(cluster, 256), how
        self._title = title
        self.job_id: Optional[str] = None
        self.phase, self.reason = "preparing", ""
        self.nodes = self.workers = self.running = 0
        #: Most nodes and workers that it had at once.
        self._most = (0, 0)
        self.total: Optional[int] = None
        self.done = self.failed = 0
        #: File name of the cell's code, by which its own lines are known.
        self.cell_file: Optional[str] = None
        self._started_s = time.time()
        self._began_s = time.monotonic()
        self._ended_s: Optional[float] = None
        self._lines: deque[list[Any]] = deque(maxlen=MAX_LINES)
        #: By input and stream, the line in whose place the next one comes.
        self._updated: dict[tuple[int, int], list[Any]] = {}
        self._line_total = 0
        self._samples: list[dict[str, Any]] = []
        self._failures: list[dict[str, Any]] = []

    def hear_progress(self, progress: Any) -> None:
        if self._ended_s is not None:
            return
        self.phase, self.reason = progress.phase, clip(progress.reason, 1024)
        self.running = progress.running
        self._most = max(self._most[0], progress.nodes), max(self._most[1], progress.workers)
        # Towards its end a job gives them back one by one; where it ran is still worth telling.
        self.nodes, self.workers = (progress.nodes, progress.workers) if progress.workers > 0 else self._most
        self.total = progress.total

    def hear_line(self, line: Any) -> None:
        key = (line.index, 1 if line.stream == "stdout" else 2)
        is_update = line.text.endswith("\r")
        text = line.text[:-1] if is_update else line.text
        shown = self._updated.pop(key, None)
        if shown is not None and not text.strip():
            self._remove_line(shown)
            return
        if shown is None:
            shown = [*key, ""]
            self._line_total += 1
            self._lines.append(shown)
        shown[2] = clip(text, MAX_LINE_CHARACTERS)
        if is_update:
            self._updated[key] = shown

    def _remove_line(self, line: list[Any]) -> None:
        """A bar of progress that was erased at its end."""
        kept = [other for other in self._lines if other is not line]
        if len(kept) < len(self._lines):
            self._line_total -= 1
            self._lines = deque(kept, maxlen=MAX_LINES)

    def hear_value(self, index: int, value: Any) -> None:
        self.done += 1
        # The value of a single call is shown by the kernel itself.
        if self.how == "map" and len(self._samples) < MAX_SAMPLES:
            picture = thumbnail_of(value)
            self._samples.append({"index": index, "text": clip(_text_of(value), 512), **({} if picture is None else {"picture": picture})})

    def hear_failure(self, index: int, error: BaseException) -> None:
        self.failed += 1
        if len(self._failures) < MAX_FAILURES:
            self._failures.append(failure_of(index, error, self.cell_file, self._title))

    def leave_to_kernel(self, index: int) -> None:
        """The kernel itself tells how this input has failed: it is only named here, and of a call nothing is left to say."""
        if self.how == "call":
            self._failures.clear()
        for failure in self._failures:
            if failure["index"] == index:
                failure["traceback"] = ""

    def end(self, phase: str, reason: str = "") -> None:
        self.phase, self.reason, self.running = phase, clip(reason, 1024), 0
        self.nodes, self.workers = self._most
        self._ended_s = time.monotonic()

    @property
    def elapsed_ms(self) -> int:
        return round(((time.monotonic() if self._ended_s is None else self._ended_s) - self._began_s) * 1000)

    def document(self) -> dict[str, Any]:
        lines = list(self._lines)
        return {
            "version": 1,
            "jobId": self.job_id,
            "name": self.name,
            "cluster": self.cluster,
            "how": self.how,
            "phase": self.phase,
            "reason": self.reason,
            "nodes": self.nodes,
            "workers": self.workers,
            "total": self.total,
            "done": self.done,
            "failed": self.failed,
            "running": self.running,
            "startedAtMs": round(self._started_s * 1000),
            "elapsedMs": self.elapsed_ms,
            "log": {"lines": [list(line) for line in lines], "total": self._line_total, "dropped": self._line_total - len(lines)},
            "samples": list(self._samples),
            "failures": sorted(self._failures, key=lambda failure: failure["index"]),
        }


def failure_of(index: int, error: BaseException, cell_file: Optional[str], title: Title) -> dict[str, Any]:
    line = _cell_line(error, cell_file)
    source = linecache.getline(cell_file, line).strip() if cell_file is not None and line is not None else None
    return {
        "index": index,
        "name": clip(str(getattr(error, "name", None) or type(error).__name__), 256),
        "message": clip(str(error), 2048),
        "line": line,
        "source": None if source is None else clip(source, 1024),
        "traceback": clip(titled("".join(traceback.format_exception(type(error), error, error.__traceback__)), title), 16_384),
    }


def _cell_line(error: BaseException, cell_file: Optional[str]) -> Optional[int]:
    """The innermost line of the cell itself; else none: the error is in code of another cell or of a module."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == cell_file]
    return lines[-1] if lines else None


def _text_of(value: Any) -> str:
    try:
        return " ".join(_shorten.repr(value).split())
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raises {type(error).__name__}>"
