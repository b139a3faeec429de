/** A virtual clock: runs what is due in order of time, as fast as it can. */
interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Loop {
  nowMs = 0;
  readonly #heap: Task[] = [];
  #order = 0;
  #soon: (() => void)[] = [];

  /** Runs at this time; things of the same time in the order in which they were asked for. */
  at(atMs: number, run: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.nowMs), order: this.#order++, run });
  }

  after(ms: number, run: () => void): void {
    this.at(this.nowMs + ms, run);
  }

  /** Runs when the present task is through, like a microtask. */
  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Runs all that is due until then, or until `done` says so. */
  runUntil(untilMs: number, done: () => boolean = () => false): void {
    for (let top = this.#heap[0]; top !== undefined && top.atMs <= untilMs && !done(); top = this.#heap[0]) {
      this.#pop();
      this.nowMs = top.atMs;
      top.run();
      for (let next = this.#soon.shift(); next !== undefined; next = this.#soon.shift()) next();
    }
    if (!done()) this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.push(task) - 1;
    while (at > 0 && before(task, heap[(at - 1) >> 1])) {
      heap[at] = heap[(at - 1) >> 1] as Task;
      at = (at - 1) >> 1;
    }
    heap[at] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Task;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const child = before(heap[left + 1], heap[left]) ? left + 1 : left;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child] as Task;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Task | undefined, b: Task | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
