import type { Deadline, Deadlines } from "./state.ts";

interface Entry {
  atMs: number;
  deadline: Deadline;
}

/** A binary heap by time. Deadlines of the same time come in no particular order. */
export class DeadlineHeap implements Deadlines {
  readonly #heap: Entry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(atMs: number, deadline: Deadline): void {
    this.#heap.push({ atMs, deadline });
    this.#siftUp(this.#heap.length - 1);
  }

  nextMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  due(nowMs: number): Deadline[] {
    const due: Deadline[] = [];
    for (let top = this.#heap[0]; top !== undefined && top.atMs <= nowMs; top = this.#heap[0]) {
      due.push(top.deadline);
      this.#removeTop();
    }
    return due;
  }

  #at(index: number): number {
    return this.#heap[index]?.atMs ?? Infinity;
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const child = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(child) >= this.#at(at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #siftUp(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= this.#at(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a] as Entry;
    this.#heap[a] = this.#heap[b] as Entry;
    this.#heap[b] = first;
  }
}
