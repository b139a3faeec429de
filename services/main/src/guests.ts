/**
 * Who is connected, and what they hold: connections and unfinished messages are bounded for each of them and for all
 * together, so that nobody takes the room of others; and those who may no longer use the cluster are ended at once.
 */
import { MAX_CONNECTIONS_OF_JOB, MAX_CONNECTIONS_OF_OTHERS, MAX_CONNECTIONS_OF_PERSON, MAX_UNFINISHED_BYTES_OF_OTHERS, MAX_UNFINISHED_BYTES_OF_PERSON, type JobId } from "@burla/protocol";
import type { Identity } from "./auth.ts";

/** One connection, or one request, of a guest. */
export interface Visit {
  /** So much of messages that are not complete is held for it now. @returns whether there is room; else it must end. */
  holds(bytes: number): boolean;
  /** It is over. */
  leave(): void;
}

export interface GuestsOptions {
  /** Who answers for a job: null for the owner of the cluster. */
  readonly personOf: (jobId: JobId) => string | null;
  /** Aborted when the job has ended, and its token with it; undefined for a job that is gone. */
  readonly over: (jobId: JobId) => AbortSignal | undefined;
}

interface Open {
  readonly end: () => void;
}

/** The owner is never short of room for what others do. */
const OWNER = "owner";

export class Guests {
  readonly #options: GuestsOptions;
  readonly #open = new Map<string, Set<Open>>();
  /** By who answers for it; nodes, which are the cluster's own, are not counted. */
  readonly #heldBytes = new Map<string, number>();
  #connectionsOfOthers = 0;
  #bytesOfOthers = 0;

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /**
   * @param end closes the connection, now.
   * @returns null when there are too many.
   */
  enter(identity: Identity, end: () => void): Visit | null {
    const guest = guestOf(identity);
    const payer = this.#payerOf(identity);
    const isOther = payer !== OWNER && payer !== null;
    const open = this.#open.get(guest) ?? new Set();
    if (open.size >= maxConnections(identity) || (isOther && this.#connectionsOfOthers >= MAX_CONNECTIONS_OF_OTHERS)) return null;
    this.#open.set(guest, open);
    const entry = { end };
    open.add(entry);
    if (isOther) this.#connectionsOfOthers++;
    const over = identity.role === "worker" ? this.#options.over(identity.jobId) : undefined;
    over?.addEventListener("abort", end, { once: true });
    let held = 0;
    return {
      holds: (bytes) => {
        const more = bytes - held;
        if (payer === null || more === 0) return true;
        if (more > 0 && !this.#hasRoom(payer, isOther, more)) return false;
        held = bytes;
        this.#hold(payer, isOther, more);
        return true;
      },
      leave: () => {
        if (!open.delete(entry)) return;
        over?.removeEventListener("abort", end);
        if (open.size === 0 && this.#open.get(guest) === open) this.#open.delete(guest);
        if (isOther) this.#connectionsOfOthers--;
        if (payer !== null) this.#hold(payer, isOther, -held);
      },
    };
  }

  /** Ends all that this person, or this node, has open. */
  end(identity: Identity): void {
    for (const { end } of [...(this.#open.get(guestOf(identity)) ?? [])]) end();
  }

  #payerOf(identity: Identity): string | null {
    if (identity.role === "node") return null;
    const person = identity.role === "worker" ? this.#options.personOf(identity.jobId) : identity.person;
    return person === null ? OWNER : `person ${person}`;
  }

  #hasRoom(payer: string, isOther: boolean, more: number): boolean {
    if ((this.#heldBytes.get(payer) ?? 0) + more > MAX_UNFINISHED_BYTES_OF_PERSON) return false;
    return !isOther || this.#bytesOfOthers + more <= MAX_UNFINISHED_BYTES_OF_OTHERS;
  }

  #hold(payer: string, isOther: boolean, more: number): void {
    const held = (this.#heldBytes.get(payer) ?? 0) + more;
    if (held === 0) this.#heldBytes.delete(payer);
    else this.#heldBytes.set(payer, held);
    if (isOther) this.#bytesOfOthers += more;
  }
}

/** People by who they are, whatever their role was when they came. */
function guestOf(identity: Identity): string {
  switch (identity.role) {
    case "worker":
      return `job ${identity.jobId}`;
    case "node":
      return `node ${identity.nodeId ?? ""}`;
    default:
      return identity.person === null ? OWNER : `person ${identity.person}`;
  }
}

function maxConnections({ role }: Identity): number {
  if (role === "owner" || role === "node") return Infinity;
  return role === "worker" ? MAX_CONNECTIONS_OF_JOB : MAX_CONNECTIONS_OF_PERSON;
}
