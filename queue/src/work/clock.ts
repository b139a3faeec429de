import { versionMs, type Version } from "../store.ts";

/** The store's own clock, as far as its answers tell: owners of leases need not agree on the time otherwise. */
export class Clock {
  #aheadMs = 0;

  /** Something was written just now. */
  note(version: Version): void {
    this.#aheadMs = versionMs(version) - Date.now();
  }

  get nowMs(): number {
    return Date.now() + this.#aheadMs;
  }
}
