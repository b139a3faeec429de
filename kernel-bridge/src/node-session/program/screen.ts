/** What cells show by `display`. Shown things leave in the order in which they were given, whatever they take to draw. */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { MimeBundle } from "../../kernel.ts";
import type { Report } from "../messages.ts";
import type { Reporter } from "./reporter.ts";
import { bundleOf } from "./shown/bundle.ts";
import type { DisplayHandle, DisplayOptions } from "./shown/helpers.ts";

/** After a cell has failed or was interrupted, what it shows has this long to be drawn. */
const DRAW_TIMEOUT_MS = 500;

export class Screen {
  readonly #reporter: Reporter;
  #tail: Promise<void> = Promise.resolve();
  /** What an earlier one began to draw is not shown any more. */
  #sheet = {};

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  show(value: unknown, options: DisplayOptions = {}): DisplayHandle {
    return this.#shown(() => bundleOf(value), options);
  }

  showForms(forms: Record<string, unknown>, options: DisplayOptions = {}): DisplayHandle {
    return this.#shown(() => Promise.resolve(withText(forms)), options);
  }

  /** Resolves when all that was given has been shown. */
  get isDrawn(): Promise<void> {
    return this.#tail;
  }

  /** The same for a cell that has come to a bad end: what takes too long, or for ever, is given up. */
  async finish(timeoutMs = DRAW_TIMEOUT_MS): Promise<void> {
    const timer = new AbortController();
    const isLate = await Promise.race([this.#tail.then(() => false), pause(timeoutMs, true, { signal: timer.signal }).catch(() => true)]);
    timer.abort();
    if (!isLate) return;
    this.#sheet = {};
    this.#tail = Promise.resolve();
  }

  #shown(draw: () => Promise<MimeBundle>, { id }: DisplayOptions): DisplayHandle {
    const displayId = id ?? randomUUID();
    this.#then(async () => ({ type: "display", data: await draw(), metadata: {}, displayId }));
    return {
      id: displayId,
      update: (value) => this.#then(async () => ({ type: "displayUpdate", data: await bundleOf(value), metadata: {}, displayId })),
    };
  }

  #then(draw: () => Promise<Report>): void {
    const sheet = this.#sheet;
    const drawn = async () => {
      const report = await draw();
      if (sheet === this.#sheet) this.#reporter.say(report);
    };
    this.#tail = this.#tail.then(drawn).catch(() => undefined);
  }
}

function withText(forms: Record<string, unknown>): MimeBundle {
  if ("text/plain" in forms) return forms;
  const [type, content] = Object.entries(forms)[0] ?? ["nothing", ""];
  const isReadable = type === "text/markdown" || type === "application/json";
  return { ...forms, "text/plain": isReadable && typeof content === "string" ? content : `<${type}>` };
}
