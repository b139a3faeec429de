/** A set of indices that mostly come in rising order: those below a mark are not stored one by one. */
export class IndexSet {
  /** Everything below is in. */
  #below = 0;
  readonly #above = new Set<number>();

  /** @returns false when it was in already. */
  add(index: number): boolean {
    if (index < this.#below || this.#above.has(index)) return false;
    if (index > this.#below) {
      this.#above.add(index);
      return true;
    }
    this.#below++;
    while (this.#above.delete(this.#below)) this.#below++;
    return true;
  }
}
