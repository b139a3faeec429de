"""What a person sees while a job runs: the lines of its calls, and one line that shows how far it is."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from .options import LogLine, Options, Progress

_REDRAW_S = 0.1
#: Without a terminal, a line of progress is printed this often.
_PLAIN_S = 5.0
_BAR_WIDTH = 24


class JobOutput:
    """Called in the consumer's thread: in a notebook what is printed belongs to the cell that runs there."""

    def __init__(self, name: str, options: Options) -> None:
        self._on_log = options.on_log
        self._report = options.progress if callable(options.progress) else None
        self._live = _LiveLine(name) if options.progress is True else None

    def line(self, line: LogLine) -> None:
        if self._on_log is not None:
            self._on_log(line)
            return
        if line.text.endswith("\r"):
            return
        if self._live is not None:
            self._live.clear()
        stream = sys.stdout if line.stream == "stdout" else sys.stderr
        tag = f"[{line.index}] " if line.index >= 0 else "[setup] " if line.origin == "setup" else ""
        stream.write(f"{tag}{line.text}\n")

    def progress(self, progress: Progress) -> None:
        if self._live is not None:
            self._live.show(progress)
        if self._report is not None:
            self._report(progress)

    def clear(self) -> None:
        """Takes the progress line off the screen, so that the program can print."""
        if self._live is not None:
            self._live.clear()

    def end(self) -> None:
        if self._live is not None:
            self._live.end()


def progress_text(name: str, progress: Progress, elapsed_s: float) -> str:
    """Such as `score  ━━━━━━╌╌╌╌ 512/1,000  2 failed  340/s  about 2 s left`."""
    if progress.phase != "running":
        return f"{name}  {progress.reason or progress.phase}"
    settled, total = progress.done + progress.failed, progress.total
    rate = settled / elapsed_s if elapsed_s > 0 else 0.0
    parts = [name, f"{settled:,} of so far {progress.pushed:,}" if total is None else f"{_bar(settled / max(1, total))} {settled:,}/{total:,}"]
    if progress.failed > 0:
        parts.append(f"{progress.failed:,} failed")
    if rate > 0:
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
    if total is not None and rate > 0 and settled < total:
        parts.append(f"about {_duration((total - settled) / rate)} left")
    return "  ".join(parts)


def _bar(share: float) -> str:
    filled = round(min(1.0, share) * _BAR_WIDTH)
    return "━" * filled + "╌" * (_BAR_WIDTH - filled)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class _LiveLine:
    """Redraws one line of a terminal; without one, prints a line now and then, and at once when a job waits or goes on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started_s = time.monotonic()
        self._last: Progress | None = None
        self._drawn_s = float("-inf")
        self._on_screen = False

    def show(self, progress: Progress) -> None:
        is_terminal = _is_terminal()
        is_news = not is_terminal and _state_of(self._last) != _state_of(progress)
        self._last = progress
        now_s = time.monotonic()
        if is_news or now_s - self._drawn_s >= (_REDRAW_S if is_terminal else _PLAIN_S):
            self._drawn_s = now_s
            self._draw()

    def clear(self) -> None:
        if self._on_screen:
            _write("\r\x1b[2K")
            self._on_screen = False
            self._drawn_s = float("-inf")

    def end(self) -> None:
        if self._last is None:
            return
        self._draw()
        if self._on_screen:
            _write("\n")
        self._on_screen, self._last = False, None

    def _draw(self) -> None:
        assert self._last is not None
        text = progress_text(self._name, self._last, time.monotonic() - self._started_s)
        if _is_terminal():
            _write(f"\r\x1b[2K{text[: shutil.get_terminal_size().columns - 1]}")
            self._on_screen = True
        else:
            _write(f"{text}\n")


def _state_of(progress: Progress | None) -> tuple[str, str]:
    if progress is None:
        return ("", "")
    return (progress.phase, "" if progress.phase == "running" else progress.reason)


def _is_terminal() -> bool:
    try:
        return bool(sys.stderr.isatty())
    except Exception:
        return False


def _write(text: Any) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        # Closed, or gone with its terminal.
        pass
