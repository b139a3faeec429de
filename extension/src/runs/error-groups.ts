/** Errors that say the same but for numbers and quoted texts: ten thousand failures are often three. */
import type { Row } from "../runner/messages.ts";

export interface ErrorGroup {
  readonly key: string;
  /** One of its errors, in its own words. */
  readonly text: string;
  readonly count: number;
}

/** Errors of more kinds than this are one group: then nobody reads them one by one. */
const MAX_GROUPS = 1_000;
const OTHERS = "";

/** What errors of one kind have in common. */
function kindOf(text: string): string {
  return text.replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "…").replace(/\d+(?:[.,]\d+)*/g, "…");
}

export class ErrorGroups {
  readonly #groups = new Map<string, ErrorGroup>();
  #failed = 0;
  /** Once there are too many groups no new one begins: each error stays in the group that it was put into. */
  #isFull = false;

  /** How many inputs there are in all groups. */
  get failed(): number {
    return this.#failed;
  }

  add({ text }: Pick<Row, "text">): void {
    this.#failed++;
    this.#isFull ||= this.#groups.size >= MAX_GROUPS;
    const key = this.keyOf(text);
    const known = this.#groups.get(key);
    this.#groups.set(key, known === undefined ? { key, text: key === OTHERS ? "Other errors" : text, count: 1 } : { ...known, count: known.count + 1 });
  }

  /** The input ran again, however that ended. */
  remove({ text }: Pick<Row, "text">): void {
    this.#failed--;
    const known = this.#groups.get(this.keyOf(text));
    if (known === undefined) return;
    if (known.count === 1) this.#groups.delete(known.key);
    else this.#groups.set(known.key, { ...known, count: known.count - 1 });
  }

  /** The most frequent ones. */
  top(max: number): readonly ErrorGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count).slice(0, max);
  }

  /** The group that an error is in, or would be in. */
  keyOf(text: string): string {
    const key = kindOf(text);
    return this.#groups.has(key) || !this.#isFull ? key : OTHERS;
  }
}
