/** The line to the harness: JSON lines out on file descriptor 3, a word in on standard input. */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

const HARNESS_FD = 3;

/** Sends one record. */
export function send(record: Record<string, unknown>): void {
  writeSync(HARNESS_FD, `${JSON.stringify(record)}\n`);
}

/** Sends one figure. */
export function report(metric: string, value: number, unit: string): void {
  send({ metric, value, unit });
}

/** Sends that something happened now, on the clock that all processes of a machine share. */
export function event(name: string, more: Record<string, unknown> = {}): void {
  send({ event: name, atNs: Number(process.hrtime.bigint()), ...more });
}

export interface Harness {
  /** Resolves when the harness says that the measured part may begin. */
  readonly go: Promise<void>;
  /** Resolves when the harness has seen enough and the system may be shut down. */
  readonly end: Promise<void>;
}

/** Listens to the harness. */
export function listen(): Harness {
  const lines = createInterface({ input: process.stdin });
  return {
    go: new Promise((resolve) => lines.once("line", () => resolve())),
    end: new Promise((resolve) => lines.once("close", () => resolve())),
  };
}
