/** What cells show by `display`. Shown things leave in the order in which they were given, whatever they take to draw. */
import { randomUUID } from "node:crypto";
import type { MimeBundle } from "../../kernel.ts";
import type { Reporter } from "./reporter.ts";
import { bundleOf } from "./shown/bundle.ts";
import type { DisplayHandle, DisplayOptions } from "./shown/helpers.ts";

export class Screen {
  readonly #reporter: Reporter;
  #tail: Promise<void> = Promise.resolve();

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

  #shown(draw: () => Promise<MimeBundle>, { id }: DisplayOptions): DisplayHandle {
    const displayId = id ?? randomUUID();
    this.#then(async () => this.#reporter.say({ type: "display", data: await draw(), metadata: {}, displayId }));
    return {
      id: displayId,
      update: (value) => this.#then(async () => this.#reporter.say({ type: "displayUpdate", data: await bundleOf(value), metadata: {}, displayId })),
    };
  }

  #then(work: () => Promise<void>): void {
    this.#tail = this.#tail.then(work).catch(() => undefined);
  }
}

function withText(forms: Record<string, unknown>): MimeBundle {
  if ("text/plain" in forms) return forms;
  const [type, content] = Object.entries(forms)[0] ?? ["nothing", ""];
  const isReadable = type === "text/markdown" || type === "application/json";
  return { ...forms, "text/plain": isReadable && typeof content === "string" ? content : `<${type}>` };
}
