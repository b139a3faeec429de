/** Says how a job goes to a screen reader: each change of phase, and else not more often than one can listen to. */
import { element } from "../dom.ts";

const QUIET_MS = 10_000;

export class Announcer {
  readonly root = element("div", { class: "spoken", role: "status", "aria-live": "polite" });
  #lastMs = -Infinity;
  #phase = "";

  say(phase: string, text: string): void {
    const nowMs = performance.now();
    if (phase === this.#phase && nowMs - this.#lastMs < QUIET_MS) return;
    this.#phase = phase;
    this.#lastMs = nowMs;
    if (this.root.textContent !== text) this.root.textContent = text;
  }
}
