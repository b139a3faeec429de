/**
 * What is known of a cluster beyond the life of its main: its spec, nodes, jobs and users, as small records. Two
 * implementations that pass `test/contract/state-store.ts`: files beside the job logs, and Firestore, where the next main
 * may be another machine.
 */
export const STATE_KINDS = ["spec", "nodes", "jobs", "users"] as const;
export type StateKind = (typeof STATE_KINDS)[number];

export interface StateRecord {
  readonly id: string;
  /** Whatever JSON can say. */
  readonly value: unknown;
}

export interface StateStore {
  /** Replaces what is there under this id: letters, digits, `.`, `_` and `-`, at most 128. */
  put(kind: StateKind, id: string, value: unknown): Promise<void>;
  /** @returns null when there is none. */
  get(kind: StateKind, id: string): Promise<StateRecord | null>;
  /** By id. A record that cannot be read is left out. */
  list(kind: StateKind): Promise<StateRecord[]>;
  delete(kind: StateKind, id: string): Promise<void>;
  close(): Promise<void>;
}

const ID = /^[\w-][\w.-]{0,127}$/;

/** @throws TypeError for what is no id: it becomes a part of a path. */
export function checkId(id: string): string {
  if (!ID.test(id)) throw new TypeError(`${JSON.stringify(id)} is no id of a record`);
  return id;
}

/** @returns null for text that is no JSON. */
export function readRecord(id: string, text: string): StateRecord | null {
  try {
    return { id, value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}
