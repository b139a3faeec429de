/**
 * The descriptors of this program's logs: opened when one is used, the longest unused closed for the next. A job that is
 * kept costs none. Whoever is refused a descriptor by the system gets one of these.
 */
import { closeSync, openSync } from "node:fs";
import { MAX_OPEN_LOGS, systemCode } from "@burla/protocol";

/** One that was not used for as long is closed. */
const IDLE_MS = 10_000;
/** What is always there to be opened. */
const SPARE = "/dev/null";

/** Whoever a descriptor belongs to: a file that may be opened again at any time. */
export interface FileOwner {
  /** Opens it. @throws what the system says. */
  open(): number;
}

export class OpenFiles {
  readonly #maxOpen: number;
  /** The longest unused first. */
  readonly #open = new Map<FileOwner, number>();
  /** How often each is held. */
  readonly #held = new Map<FileOwner, number>();
  #usedSinceLook = new Set<FileOwner>();
  #last: FileOwner | undefined;
  #lastDescriptor = -1;
  #timer: NodeJS.Timeout | undefined;
  /** Given up when the system has no descriptor left, so that one file at a time can always be opened. */
  #spare: number | null = null;

  constructor(maxOpen = MAX_OPEN_LOGS) {
    this.#maxOpen = maxOpen;
    this.#takeSpare();
  }

  /** How many are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Good until the next call of anything here: never to be kept. @throws what the system says when it cannot be opened. */
  descriptor(owner: FileOwner): number {
    if (owner === this.#last) return this.#lastDescriptor;
    const known = this.#open.get(owner);
    if (known === undefined) this.#makeRoom(this.#maxOpen - 1);
    const descriptor = known ?? this.withRoom(() => owner.open());
    this.#open.delete(owner);
    this.#open.set(owner, descriptor);
    this.#usedSinceLook.add(owner);
    this.#last = owner;
    this.#lastDescriptor = descriptor;
    this.#closeIdleLater();
    return descriptor;
  }

  /** Closes it, unless it is held; it is opened again when it is used. */
  close(owner: FileOwner): void {
    if (!this.#held.has(owner)) this.#close(owner);
  }

  /** It stays open until it is released as often, so that it can be read although its name is gone. */
  hold(owner: FileOwner): void {
    this.descriptor(owner);
    this.#held.set(owner, (this.#held.get(owner) ?? 0) + 1);
  }

  isHeld(owner: FileOwner): boolean {
    return this.#held.has(owner);
  }

  release(owner: FileOwner): void {
    const holders = (this.#held.get(owner) ?? 1) - 1;
    if (holders > 0) this.#held.set(owner, holders);
    else this.#held.delete(owner);
  }

  /** Does what needs a descriptor for a moment: when there is none left, files that are not used at this moment make room. */
  withRoom<Value>(action: () => Value): Value {
    try {
      return action();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      this.#makeRoom(0);
      this.#giveSpare();
      try {
        return action();
      } finally {
        this.#takeSpare();
      }
    }
  }

  /** Closes all; what is used afterwards is opened again. */
  closeAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#held.clear();
    this.#makeRoom(0);
    this.#giveSpare();
  }

  #makeRoom(count: number): void {
    for (const owner of this.#open.keys()) {
      if (this.#open.size <= count) return;
      if (!this.#held.has(owner)) this.#close(owner);
    }
  }

  #close(owner: FileOwner): void {
    const descriptor = this.#open.get(owner);
    if (owner === this.#last) this.#last = undefined;
    if (descriptor === undefined) return;
    this.#open.delete(owner);
    this.#usedSinceLook.delete(owner);
    closeSync(descriptor);
  }

  #closeIdleLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const used = this.#usedSinceLook;
      this.#usedSinceLook = new Set();
      this.#last = undefined;
      for (const owner of [...this.#open.keys()]) if (!used.has(owner)) this.close(owner);
      if (this.#open.size > 0) this.#closeIdleLater();
    }, IDLE_MS).unref();
  }

  #giveSpare(): void {
    if (this.#spare !== null) closeSync(this.#spare);
    this.#spare = null;
  }

  #takeSpare(): void {
    try {
      this.#spare ??= openSync(SPARE, "r");
    } catch {
      // There is none now. Files that are open are closed for others all the same.
    }
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EMFILE" || code === "ENFILE";
}
