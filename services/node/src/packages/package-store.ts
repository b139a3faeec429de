/**
 * Folders of packages by content hash. A folder appears under its name when it is complete, by a rename: what was
 * begun and not finished has another name, and is removed when the node starts.
 */
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { killLeftBehind } from "../containers/descendants.ts";

const UNFINISHED = ".installing-";
const MARK_BYTES = 6;
/** Sets that no job has asked for in this time go, and so do all but the last few. */
const KEEP_MS = 7 * 24 * 60 * 60_000;
const MAX_KEPT = 32;

/** Fills a folder. */
export type Install = (work: { readonly folder: string; readonly mark: string; readonly signal: AbortSignal; readonly onProgress: (text: string) => void }) => Promise<void>;

export interface Waiting {
  /** This one waits no longer; the install ends when nobody does. */
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

interface Pending {
  readonly done: Promise<string>;
  readonly abort: AbortController;
  readonly waiting: Set<Waiting>;
  told: string;
}

export class PackageStore {
  readonly #directory: string;
  readonly #pending = new Map<string, Pending>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Removes what an earlier node service has begun, and ends what it runs for that. */
  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await chmod(this.#directory, 0o755);
    const running = new Set([...this.#pending.keys()].map((hash) => `${UNFINISHED}${hash}`));
    const begun = (await readdir(this.#directory)).filter((name) => name.startsWith(UNFINISHED) && ![...running].some((one) => name.startsWith(one)));
    killLeftBehind(begun);
    for (const name of begun) await rm(join(this.#directory, name), { recursive: true, force: true });
    await this.prune(new Set());
  }

  /**
   * The folder of that content, which is made once, however many ask for it at the same time.
   * @throws what the install throws; the signal's reason when this one was aborted.
   */
  async ensure(hash: string, install: Install, waiting: Waiting): Promise<string> {
    waiting.signal.throwIfAborted();
    const folder = join(this.#directory, hash);
    if (existsSync(folder)) {
      const now = new Date();
      await utimes(folder, now, now);
      return folder;
    }
    const pending = this.#pending.get(hash) ?? this.#begin(hash, install);
    return this.#join(hash, pending, waiting);
  }

  /** Removes what was not asked for lately. @param inUse hashes that stay. */
  async prune(inUse: ReadonlySet<string>): Promise<void> {
    const sets: { name: string; usedMs: number }[] = [];
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(UNFINISHED) || inUse.has(name)) continue;
      sets.push({ name, usedMs: (await stat(join(this.#directory, name))).mtimeMs });
    }
    sets.sort((a, b) => b.usedMs - a.usedMs);
    const old = sets.filter(({ usedMs }, at) => at >= MAX_KEPT || usedMs < Date.now() - KEEP_MS);
    for (const { name } of old) await this.#discard(name);
  }

  /** Its name goes first, so that half of it is never taken for all. */
  async #discard(name: string): Promise<void> {
    const gone = join(this.#directory, `${UNFINISHED}old-${name}`);
    await rename(join(this.#directory, name), gone);
    await rm(gone, { recursive: true, force: true });
  }

  #begin(hash: string, install: Install): Pending {
    const abort = new AbortController();
    const waiting = new Set<Waiting>();
    const tell = (text: string) => {
      pending.told = text;
      for (const { onProgress } of waiting) onProgress(text);
    };
    const done = this.#install(hash, install, abort.signal, tell).finally(() => {
      if (this.#pending.get(hash) === pending) this.#pending.delete(hash);
    });
    done.catch(() => undefined);
    const pending: Pending = { done, abort, waiting, told: "" };
    this.#pending.set(hash, pending);
    return pending;
  }

  async #join(hash: string, pending: Pending, waiting: Waiting): Promise<string> {
    pending.waiting.add(waiting);
    if (pending.told !== "") waiting.onProgress(pending.told);
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        pending.waiting.delete(waiting);
        if (pending.waiting.size === 0) {
          // Whoever asks from now on begins anew.
          this.#pending.delete(hash);
          pending.abort.abort(waiting.signal.reason);
        }
        reject(waiting.signal.reason as Error);
      };
    });
    waiting.signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([pending.done, left]);
    } finally {
      waiting.signal.removeEventListener("abort", leave);
      pending.waiting.delete(waiting);
    }
  }

  async #install(hash: string, install: Install, signal: AbortSignal, onProgress: (text: string) => void): Promise<string> {
    const mark = `${UNFINISHED}${hash}-${randomBytes(MARK_BYTES).toString("hex")}`;
    const folder = join(this.#directory, mark);
    try {
      await mkdir(folder);
      await chmod(folder, 0o755);
      await install({ folder, mark, signal, onProgress });
      signal.throwIfAborted();
      const complete = join(this.#directory, hash);
      await rename(folder, complete);
      return complete;
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }
}
