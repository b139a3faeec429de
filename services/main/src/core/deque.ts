/** First in, first out, with a way back in at the front. Amortised constant time. */
export class Deque<Item> {
  /** Items put back, last one first. */
  #front: Item[] = [];
  #back: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#front.length + this.#back.length - this.#head;
  }

  push(item: Item): void {
    this.#back.push(item);
  }

  unshift(item: Item): void {
    this.#front.push(item);
  }

  peek(): Item | undefined {
    return this.#front.length > 0 ? this.#front[this.#front.length - 1] : this.#back[this.#head];
  }

  shift(): Item | undefined {
    if (this.#front.length > 0) return this.#front.pop();
    if (this.#head >= this.#back.length) return undefined;
    const item = this.#back[this.#head++];
    if (this.#head > 1024 && this.#head * 2 > this.#back.length) {
      this.#back = this.#back.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let at = this.#front.length - 1; at >= 0; at--) yield this.#front[at] as Item;
    for (let at = this.#head; at < this.#back.length; at++) yield this.#back[at] as Item;
  }
}
