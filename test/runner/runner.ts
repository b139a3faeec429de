/** The extension's runners as the extension starts them, and what they say. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { eventSchema, type Problem, type Request, type Row, type RunnerEvent } from "../../extension/src/runner/messages.ts";
import { startRunner, type RunnerLink, type RunnerProgram } from "../../extension/src/runs/runner-link.ts";
import { within } from "../support/until.ts";

const NODE: RunnerProgram = { kind: "node", program: fileURLToPath(new URL("../../extension/dist/runner.mjs", import.meta.url)), nodePath: process.execPath };
const PATIENCE_MS = 60_000;

export interface RunnerEnd {
  readonly outcome: "done" | "cancelled" | "failed";
  readonly problem: Problem | null;
}

export class Runner {
  readonly folder: string;
  readonly #link: RunnerLink;
  readonly events: RunnerEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #isGone = false;

  constructor(folder: string, request: Request, program: RunnerProgram = NODE) {
    this.folder = folder;
    this.#link = startRunner(program, folder);
    const { child } = this.#link;
    child.stderr?.pipe(process.stderr, { end: false });
    this.#link.onMessage((message) => {
      this.events.push(v.parse(eventSchema, message));
      this.#changed();
    });
    const gone = () => {
      this.#isGone = true;
      this.#changed();
    };
    child.once("close", gone);
    this.#link.send(request);
  }

  get rows(): Row[] {
    return this.events.flatMap((event) => (event.type === "rows" ? event.rows : []));
  }

  /** What the code that makes the inputs has printed. */
  get printed(): string[] {
    return this.events.flatMap((event) => (event.type === "printed" ? event.lines : []));
  }

  /** The window goes. */
  leave(): void {
    this.#link.child.once("exit", () => {
      this.#isGone = true;
      this.#changed();
    });
    this.#link.leave();
  }

  cancel(): void {
    this.#link.send({ type: "cancel" });
  }

  /** The first event of that type that fits. */
  event<Type extends RunnerEvent["type"]>(type: Type, fits: (event: Extract<RunnerEvent, { type: Type }>) => boolean = () => true): Promise<Extract<RunnerEvent, { type: Type }>> {
    return this.#until(`the event ${type}`, () => this.events.find((event): event is Extract<RunnerEvent, { type: Type }> => event.type === type && fits(event as never)));
  }

  ended(): Promise<RunnerEnd> {
    return this.event("ended");
  }

  /** Resolves when the process is gone. */
  async gone(): Promise<void> {
    await this.#until("the runner's end", () => this.#isGone || undefined);
  }

  #until<Value>(what: string, look: () => Value | undefined): Promise<Value> {
    const wait = async (): Promise<Value> => {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#isGone) throw new Error(`the runner ended without ${what}: ${JSON.stringify(this.events.at(-1))}`);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    };
    return within(PATIENCE_MS, what, wait());
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A folder of a user, with files in it. */
export function userFolder(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "burla-runner-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export function linesOfFile(file: string): Record<string, unknown>[] {
  return readFileSync(file, "utf8").trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>);
}
