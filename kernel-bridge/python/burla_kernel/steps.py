"""Where each statement of a cell runs, and how far it is: what a card shows of a cell beside the job that runs now."""

from __future__ import annotations

from typing import Any, Optional

from .rewrite import Rewritten
from .state import RunState
from .view import MAX_STEPS, clip


class Steps:
    def __init__(self, rewritten: Rewritten) -> None:
        self._rewritten = rewritten
        #: Jobs of each statement, by its line: a map within a loop has one for each turn.
        self._jobs: dict[int, list[RunState]] = {}
        self._job_number = -1
        #: One quiet line about the cell.
        self.note = rewritten.note

    def begin(self, line: int, state: RunState) -> None:
        self._job_number += 1
        steps = self._rewritten.steps
        at = [step.line for step in steps if step.where == "call"][:1] or [step.line for step in steps if step.line <= line][-1:] or [line]
        self._jobs.setdefault(at[0], []).append(state)

    def document(self) -> dict[str, Any]:
        steps = [self._step(step.line, step.text, step.where) for step in self._rewritten.steps[:MAX_STEPS]]
        line: Optional[int] = self._rewritten.note_line
        return {"step": max(0, self._job_number), "steps": steps, "note": clip(self.note, 512), "noteLine": line}

    def _step(self, line: int, text: str, where: str) -> dict[str, Any]:
        jobs = self._jobs.get(line, [])
        return {
            "line": line, "text": text, "where": where, "jobs": len(jobs),
            "done": sum(job.done for job in jobs), "failed": sum(job.failed for job in jobs), "elapsedMs": sum(job.elapsed_ms for job in jobs),
        }
