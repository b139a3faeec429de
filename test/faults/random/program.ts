/** A program that reads a job, and what it has said so far. */
import type { Script } from "../../support/script.ts";
import type { Read, Reading, ReadingEnd } from "./oracle.ts";
import type { View } from "./plan.ts";

const FOREVER_MS = 2 ** 31 - 1;

export class Program {
  readonly #script: Script;
  readonly #view: View;
  #end: ReadingEnd | undefined;
  #isGone = false;

  constructor(script: Script, view: View) {
    this.#script = script;
    this.#view = view;
    void script.ended(FOREVER_MS).then(({ signal, code, stderr }) => {
      this.#end ??= saidEnd(script.lines) ?? (signal === null ? crash(`ended with ${String(code)}: ${stderr.slice(-1_000)}`) : { kind: "killed" });
      this.#isGone = true;
    });
  }

  get pid(): number {
    return this.#script.pid;
  }

  get isOver(): boolean {
    return this.#isGone;
  }

  get jobId(): string | null {
    return this.#script.lines.map((line) => /^job (\S+)/.exec(line)?.[1]).find((jobId) => jobId !== undefined) ?? null;
  }

  /** Grows with whatever it says. */
  get said(): number {
    return this.#script.lines.length;
  }

  get reading(): Reading {
    return { view: this.#view, reads: this.#script.lines.flatMap((line) => readOf(line) ?? []), end: this.#end ?? saidEnd(this.#script.lines) ?? { kind: "hung" } };
  }

  kill(): void {
    if (!this.#isGone) this.#script.kill();
  }

  /** It says nothing any more, and is not waited for. */
  giveUp(): void {
    this.#end = { kind: "hung" };
    this.kill();
  }
}

function readOf(line: string): Read | null {
  const [, index, outcome] = /^read (-?\d+) (\S+)$/.exec(line) ?? [];
  return index === undefined || outcome === undefined ? null : { index: Number(index), outcome };
}

function saidEnd(lines: readonly string[]): ReadingEnd | null {
  const [, kind, error] = /^over (\w+) ?(.*)$/.exec(lines.at(-1) ?? "") ?? [];
  switch (kind) {
    case "done":
    case "stopped":
    case "left":
      return { kind };
    case "error":
      return { kind: "error", ...(JSON.parse(error ?? "{}") as { code: string; name: string; message: string }) };
    default:
      return null;
  }
}

const crash = (message: string): ReadingEnd => ({ kind: "error", code: "", name: "a crash", message });
