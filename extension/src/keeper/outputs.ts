/**
 * The outputs of one cell, as the kernel's events make them. What has changed since it was last taken is gathered, so that
 * a hundred thousand lines are a few changes for whoever shows them. No editor, no clock.
 */
import type { KernelEvent } from "@burla/kernel-bridge";
import type { Change, Output } from "./messages.ts";

/** Most text of stdout and stderr that one cell holds. What comes after it is handed to the spool. */
export const MAX_STREAM_CHARACTERS = 4 * 1024 * 1024;

/** Displays of all cells of a kernel, by the id that the code gave them: an update may come from a later cell. */
export class Displays {
  readonly #ids = new Map<string, Set<number>>();
  #lastId = 0;

  nextId(): number {
    return ++this.#lastId;
  }

  add(displayId: string, id: number): void {
    const ids = this.#ids.get(displayId) ?? new Set();
    this.#ids.set(displayId, ids.add(id));
  }

  with(displayId: string): readonly number[] {
    return [...(this.#ids.get(displayId) ?? [])];
  }

  remove(ids: Iterable<number>): void {
    for (const id of ids) for (const set of this.#ids.values()) set.delete(id);
  }
}

export class CellOutputs {
  readonly #displays: Displays;
  readonly #spool: (text: string) => string;
  readonly #outputs = new Map<number, Output>();
  #changes: Change[] = [];
  #characters = 0;
  #lastId = 0;
  #isClearing = false;
  #isFull = false;

  /** @param spool takes text for which there is no room. @returns where it is kept, for people. */
  constructor(displays: Displays, spool: (text: string) => string) {
    this.#displays = displays;
    this.#spool = spool;
  }

  get all(): { readonly id: number; readonly output: Output }[] {
    return [...this.#outputs].map(([id, output]) => ({ id, output }));
  }

  /** What has changed since the last call. */
  take(): Change[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  apply(event: KernelEvent): void {
    switch (event.type) {
      case "stream":
        return this.#addText(event.name, event.text);
      case "display":
        return this.#addDisplay(event);
      case "displayUpdate":
        return this.#update(event);
      case "value":
        return this.#add({ kind: "value", data: event.data, metadata: event.metadata, executionCount: event.executionCount });
      case "error":
        return this.#add({ kind: "error", name: event.name, message: event.message, traceback: [...event.traceback] });
      case "clear":
        return event.wait ? void (this.#isClearing = true) : this.#clear();
      case "started":
      case "input":
      case "ended":
        return;
    }
  }

  #add(output: Output): void {
    if (this.#isClearing) this.#clear();
    const id = this.#displays.nextId();
    this.#outputs.set(id, output);
    this.#lastId = id;
    if (output.kind === "display" && output.displayId !== null) this.#displays.add(output.displayId, id);
    this.#changes.push({ op: "append", id, output });
  }

  #addDisplay({ data, metadata, displayId }: Extract<KernelEvent, { type: "display" }>): void {
    this.#add({ kind: "display", data, metadata, displayId });
  }

  #update({ data, metadata, displayId }: Extract<KernelEvent, { type: "displayUpdate" }>): void {
    for (const id of this.#displays.with(displayId)) {
      const output: Output = { kind: "display", data, metadata, displayId };
      if (this.#outputs.has(id)) this.#outputs.set(id, output);
      this.#replace(id, output);
    }
  }

  /** An output that nobody has seen yet is changed where it waits; of many updates the last one counts. */
  #replace(id: number, output: Output): void {
    const waiting = this.#changes.findIndex((change) => (change.op === "append" || change.op === "replace") && change.id === id);
    const before = this.#changes[waiting];
    if (before === undefined) this.#changes.push({ op: "replace", id, output });
    else this.#changes[waiting] = { op: before.op === "append" ? "append" : "replace", id, output };
  }

  #addText(name: "stdout" | "stderr", text: string): void {
    if (this.#isClearing) this.#clear();
    const room = MAX_STREAM_CHARACTERS - this.#characters;
    if (text.length > room) return this.#overflow(name, text.slice(0, room), text.slice(room));
    this.#characters += text.length;
    const before = this.#outputs.get(this.#lastId);
    if (before?.kind !== "stream" || before.name !== name) return this.#add({ kind: "stream", name, text });
    this.#outputs.set(this.#lastId, { ...before, text: before.text + text });
    this.#more(this.#lastId, text);
  }

  #more(id: number, text: string): void {
    const change = this.#changes.at(-1);
    if (change?.op === "text" && change.id === id) this.#changes[this.#changes.length - 1] = { ...change, text: change.text + text };
    else if (change?.op === "append" && change.id === id && change.output.kind === "stream") this.#changes[this.#changes.length - 1] = { ...change, output: { ...change.output, text: change.output.text + text } };
    else this.#changes.push({ op: "text", id, text });
  }

  #overflow(name: "stdout" | "stderr", head: string, tail: string): void {
    if (head !== "") this.#addText(name, head);
    const where = this.#spool(tail);
    if (this.#isFull) return;
    this.#isFull = true;
    this.#add({ kind: "stream", name: "stderr", text: `… the output is too long for a cell; all that follows is in ${where}\n` });
  }

  #clear(): void {
    this.#isClearing = false;
    this.#displays.remove(this.#outputs.keys());
    this.#outputs.clear();
    this.#characters = 0;
    this.#isFull = false;
    this.#lastId = 0;
    // Of earlier cells, perhaps.
    this.#changes = [...this.#changes.filter(({ op }) => op === "replace"), { op: "clear" }];
  }
}
