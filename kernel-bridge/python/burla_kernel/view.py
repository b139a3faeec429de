"""What a cell shows of its run, as a document (`kernel-bridge/src/cell-view.ts`) and as HTML and text that stand alone."""

from __future__ import annotations

import html
from typing import Any

MIME = "application/vnd.burla.job+json"
MAX_LINES = 200
MAX_FAILURES = 20
MAX_SAMPLES = 5
MAX_LINE_CHARACTERS = 4096

_WORDS = {
    "preparing": "Preparing",
    "waiting": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted",
}
#: Lines of the log that the forms without a renderer show.
_STATIC_LINES = 20


def clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def bundle(view: dict[str, Any]) -> dict[str, Any]:
    """All forms of it, by MIME type."""
    return {MIME: view, "text/html": to_html(view), "text/plain": to_text(view)}


def headline(view: dict[str, Any]) -> str:
    """Such as `Done: score, 98 of 100, 2 failed, on local (2 nodes, 4 workers), 1.3 s`."""
    settled, total, failed = view["done"] + view["failed"], view["total"], view["failed"]
    parts = [view["name"]]
    if view["how"] == "map":
        parts.append(f"{settled:,} of {total:,}" if total is not None else f"{settled:,}")
    if failed > 0 and view["how"] == "map":
        parts.append(f"{failed:,} failed")
    where = f"on {view['cluster']}"
    if view["workers"] > 0:
        where += f" ({_count(view['nodes'], 'node')}, {_count(view['workers'], 'worker')})"
    parts += [where, f"{view['elapsedMs'] / 1000:.1f} s"]
    reason = f" — {view['reason']}" if view["reason"] else ""
    return f"{_WORDS[view['phase']]}: {', '.join(parts)}{reason}"


def to_text(view: dict[str, Any]) -> str:
    lines = [headline(view)]
    lines += [f"[{sample['index']}] {sample['text']}" for sample in view["samples"]]
    for failure in view["failures"]:
        at = "" if failure["line"] is None else f", line {failure['line']}: {failure['source'] or ''}".rstrip(": ")
        lines.append(f"input {failure['index']} failed{at}: {failure['name']}: {failure['message']}")
    lines += _log_texts(view)
    return "\n".join(lines)


def to_html(view: dict[str, Any]) -> str:
    parts = [f"<div><b>Burla</b> {html.escape(headline(view))}"]
    if view["failures"]:
        parts.append("<ul>" + "".join(f"<li>{_failure_html(failure)}</li>" for failure in view["failures"]) + "</ul>")
    if view["samples"] and view["how"] == "map":
        rows = "".join(f"<tr><td>{sample['index']}</td><td><code>{html.escape(sample['text'])}</code></td></tr>" for sample in view["samples"])
        parts.append(f"<table><thead><tr><th scope='col'>input</th><th scope='col'>result</th></tr></thead><tbody>{rows}</tbody></table>")
    log = _log_texts(view)
    if log:
        parts.append(f"<pre>{html.escape(chr(10).join(log))}</pre>")
    return "".join([*parts, "</div>"])


def _failure_html(failure: dict[str, Any]) -> str:
    place = "" if failure["line"] is None else f", line {failure['line']}: <code>{html.escape(failure['source'] or '')}</code>"
    return f"input {failure['index']}{place}<br><code>{html.escape(failure['name'])}: {html.escape(failure['message'])}</code>"


def _log_texts(view: dict[str, Any]) -> list[str]:
    log = view["log"]
    shown = log["lines"][-_STATIC_LINES:]
    hidden = log["total"] - len(shown)
    texts = [] if hidden <= 0 else [f"… {hidden:,} earlier lines; `burla logs {view['jobId'] or ''}` has all of them"]
    return texts + [f"[{index}] {text}" if index >= 0 and view["how"] == "map" else text for index, _stream, text in shown]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
