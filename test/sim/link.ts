/** A connection as TCP gives it: in order, with a delay, and cut at any moment, which both ends notice at some time. */
import type { Loop } from "./loop.ts";
import type { Random } from "./random.ts";

export interface End<Incoming> {
  receive(message: Incoming): void;
  closed(): void;
}

export class Link<ToA, ToB> {
  readonly #loop: Loop;
  readonly #random: Random;
  readonly #a: End<ToA>;
  readonly #b: End<ToB>;
  #cut = false;
  #lastToA = 0;
  #lastToB = 0;

  constructor(loop: Loop, random: Random, a: End<ToA>, b: End<ToB>) {
    this.#loop = loop;
    this.#random = random;
    this.#a = a;
    this.#b = b;
  }

  get isOpen(): boolean {
    return !this.#cut;
  }

  sendToA(message: ToA): void {
    this.#lastToA = this.#arrival(this.#lastToA);
    this.#deliver(this.#lastToA, () => this.#a.receive(message));
  }

  sendToB(message: ToB): void {
    this.#lastToB = this.#arrival(this.#lastToB);
    this.#deliver(this.#lastToB, () => this.#b.receive(message));
  }

  /** What is under way is lost. Each end notices on its own, `b` perhaps long after `a` has dialled again. */
  cut({ noticedByBMs = 0 }: { noticedByBMs?: number } = {}): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#loop.after(this.#random.spread(0.1, 5), () => this.#a.closed());
    this.#loop.after(noticedByBMs + this.#random.spread(0.1, 5), () => this.#b.closed());
  }

  #arrival(last: number): number {
    return Math.max(last, this.#loop.nowMs + this.#random.spread(0.05, 3));
  }

  #deliver(atMs: number, run: () => void): void {
    if (this.#cut) return;
    this.#loop.at(atMs, () => {
      if (!this.#cut) run();
    });
  }
}
