/** Peers that have not said yet whose they are: beyond a bound the one that has waited longest goes. */
import { MAX_UNKNOWN_CONNECTIONS } from "./limits.ts";

/** What is used of a socket. */
export interface UnknownPeer {
  once(event: "close", told: () => void): unknown;
  destroy(): unknown;
}

export class UnknownPeers {
  readonly #waiting = new Set<UnknownPeer>();

  /** Until it is known, or closed. */
  came(peer: UnknownPeer): void {
    this.#waiting.add(peer);
    peer.once("close", () => this.#waiting.delete(peer));
    const [oldest] = this.#waiting;
    if (this.#waiting.size > MAX_UNKNOWN_CONNECTIONS) oldest?.destroy();
  }

  known(peer: UnknownPeer): void {
    this.#waiting.delete(peer);
  }
}
