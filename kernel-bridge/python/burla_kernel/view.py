"""What a cell shows of its run, as a document (`kernel-bridge/src/cell-view.ts`) and as HTML and text that stand alone."""

from __future__ import annotations

import html
from typing import Any

MIME = "application/vnd.burla.job+json"
MAX_LINES = 200
MAX_FAILURES = 20
MAX_SAMPLES = 5
MAX_LINE_CHARACTERS = 4096
MAX_STEPS = 50

#: The words of `kernel-bridge/src/cell-view-text.ts`.
_PHASES = {
    "preparing": "is being prepared",
    "waiting": "waits",
    "running": "runs",
    "done": "is done",
    "failed": "has failed",
    "cancelled": "was cancelled",
    "interrupted": "was interrupted",
}
#: Lines of the log that the forms without a renderer show.
_STATIC_LINES = 20


def clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def bundle(view: dict[str, Any]) -> dict[str, Any]:
    """All forms of it, by MIME type."""
    return {MIME: view, "text/html": to_html(view), "text/plain": to_text(view)}


def headline(view: dict[str, Any]) -> str:
    """Such as `score is done on local, 100 of 100 inputs, 2 failed, 1.3 s`."""
    total, failed, workers = view["total"], view["failed"], view["workers"]
    parts = [f"{view['name']} {_PHASES[view['phase']]} on {view['cluster']}"]
    if view["how"] == "map":
        parts.append(f"{view['done'] + failed:,}{'' if total is None else f' of {total:,}'} inputs")
    if failed > 0 and view["how"] == "map":
        parts.append(f"{failed:,} failed")
    if view["phase"] == "running" and workers > 0:
        parts.append(f"{workers:,} worker{'' if workers == 1 else 's'}")
    parts.append(_seconds(view["elapsedMs"]))
    return ", ".join(parts) + (f": {view['reason']}" if view["reason"] else "")


def to_text(view: dict[str, Any]) -> str:
    lines = [headline(view)]
    for failure in view["failures"]:
        lines.append(f"{_label(view, failure['index'])}{failure['name']}: {failure['message']}")
        if failure["source"]:
            lines.append(f"    line {failure['line']}: {failure['source']}")
    lines += _hidden_failures(view)
    lines += [f"{_label(view, sample['index'])}{sample['text']}" for sample in view["samples"]]
    shown = view["log"]["lines"][-_STATIC_LINES:]
    if view["log"]["total"] > len(shown):
        lines.append(f"… {view['log']['total'] - len(shown):,} lines before")
    lines += [f"{_label(view, index)}{text}" for index, _stream, text in shown]
    return "\n".join(lines)


def to_html(view: dict[str, Any]) -> str:
    parts = [f"<p><strong>{html.escape(headline(view))}</strong></p>"]
    if view["failures"]:
        parts.append("<ul>" + "".join(_failure_html(view, failure) for failure in view["failures"]) + "</ul>")
    parts += [f"<p>{html.escape(line)}</p>" for line in _hidden_failures(view)]
    if view["samples"]:
        rows = "".join(f"<tr><td>{sample['index']}</td><td><code>{html.escape(sample['text'])}</code></td></tr>" for sample in view["samples"])
        parts.append(f"<table><thead><tr><th scope='col'>Input</th><th scope='col'>Result</th></tr></thead><tbody>{rows}</tbody></table>")
    shown = view["log"]["lines"][-_STATIC_LINES:]
    if shown:
        lines = "\n".join(html.escape(f"{_label(view, index)}{text}") for index, _stream, text in shown)
        total = view["log"]["total"]
        before = f", the last {len(shown)} of {total:,}" if total > len(shown) else ""
        parts.append(f"<details><summary>Output{before}</summary><pre>{lines}</pre></details>")
    return "\n".join(parts)


def _failure_html(view: dict[str, Any], failure: dict[str, Any]) -> str:
    what = html.escape(f"{_label(view, failure['index'])}{failure['name']}: {failure['message']}")
    place = f"<pre>{failure['line']}: {html.escape(failure['source'])}</pre>" if failure["source"] else ""
    trace = f"<details><summary>Traceback</summary><pre>{html.escape(failure['traceback'])}</pre></details>" if failure["traceback"] else ""
    return f"<li>{what}{place}{trace}</li>"


def _hidden_failures(view: dict[str, Any]) -> list[str]:
    hidden = view["failed"] - len(view["failures"])
    return [f"and {hidden:,} more"] if hidden > 0 and view["failures"] else []


def _label(view: dict[str, Any], index: int) -> str:
    """Which input a line or failure belongs to; a cell that is one call has no need of it."""
    return "" if index < 0 or view["how"] == "call" else f"[{index}] "


def _seconds(milliseconds: int) -> str:
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds // 60_000} min {round(milliseconds % 60_000 / 1000)} s"
