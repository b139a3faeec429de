/** A set of indices that mostly come in rising order, as bits: those below a mark take no room at all. */

const PAGE_INDICES = 1024;
const BITS = 32;

interface Page {
  readonly bits: Uint32Array;
  missing: number;
}

export class IndexSet {
  /** All indices of the pages before this one are in. */
  #fullPages = 0;
  readonly #pages = new Map<number, Page>();
  /** Neighbours come together: the page that was used last. */
  #at = -1;
  #page: Page = newPage();

  /** @returns false when it was in already. */
  add(index: number): boolean {
    const at = Math.floor(index / PAGE_INDICES);
    if (at !== this.#at) {
      if (at < this.#fullPages) return false;
      this.#turnTo(at);
    }
    const { bits } = this.#page;
    const offset = index % PAGE_INDICES;
    const word = (offset / BITS) | 0;
    const bit = 1 << (offset % BITS);
    const before = bits[word] ?? 0;
    if ((before & bit) !== 0) return false;
    bits[word] = before | bit;
    if (--this.#page.missing === 0) this.#dropFullPages();
    return true;
  }

  #turnTo(at: number): void {
    const page = this.#pages.get(at) ?? newPage();
    this.#pages.set(at, page);
    this.#at = at;
    this.#page = page;
  }

  #dropFullPages(): void {
    while (this.#pages.get(this.#fullPages)?.missing === 0) this.#pages.delete(this.#fullPages++);
  }
}

function newPage(): Page {
  return { bits: new Uint32Array(PAGE_INDICES / BITS), missing: PAGE_INDICES };
}
