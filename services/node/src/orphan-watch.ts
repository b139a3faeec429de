/** Ends a node that nobody looks after: main is out of reach, and no work goes on without it. */
import { afterListening, type Deadline } from "@burla/protocol";

export interface OrphanWatchOptions {
  /** Without main for this long, a node that has no such work ends. */
  readonly orphanMs: number;
  /** One that has ends after this long. */
  readonly aloneMs: number;
  /** Whether there is work that needs no main. */
  readonly worksAlone: () => boolean;
  readonly onOrphaned: () => void;
}

export class OrphanWatch {
  readonly #options: OrphanWatchOptions;
  #deadline: Deadline | undefined;

  constructor(options: OrphanWatchOptions) {
    this.#options = options;
  }

  /** Main is out of reach, from now on or still. */
  mainLost(): void {
    if (this.#deadline === undefined) this.#lookLater(performance.now());
  }

  /** Main is there, or the node ends. */
  close(): void {
    this.#deadline?.stop();
    this.#deadline = undefined;
  }

  #lookLater(lostMs: number): void {
    this.#deadline = afterListening(this.#options.orphanMs, () => {
      const { aloneMs, worksAlone, onOrphaned } = this.#options;
      if (worksAlone() && performance.now() - lostMs < aloneMs) return this.#lookLater(lostMs);
      onOrphaned();
    });
  }
}
