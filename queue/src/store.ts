/**
 * Documents as this package needs them: a small part of Firestore behind an interface of our own. Paths are Firestore's,
 * collections and ids in turn: `burla/local/jobs/job-…`.
 */

export type FieldValue = string | number | boolean | null | Uint8Array | Date;
export type Fields = Readonly<Record<string, FieldValue>>;

/** When a document was last written, exact to the nanosecond: it tells whether somebody has written it since. */
export type Version = string;

export interface StoredDocument {
  readonly path: string;
  /** The last part of the path. */
  readonly id: string;
  readonly fields: Fields;
  readonly version: Version;
}

/** With `version`, a write is refused when the document has another one by now. `update` is of a document that is there. */
export type Write =
  | { readonly op: "create" | "set"; readonly path: string; readonly fields: Fields }
  | { readonly op: "update"; readonly path: string; readonly fields: Fields; readonly version?: Version }
  | { readonly op: "delete"; readonly path: string; readonly version?: Version };

export type Condition = readonly [field: string, is: "==" | "<" | "<=" | ">" | ">=", value: string | number | Date];

/** Conditions on at most one field: those need no index that somebody would have to make. */
export interface Query {
  readonly collection: string;
  readonly where: readonly Condition[];
  /** Default: by id. */
  readonly orderBy?: string;
  /** From this id on, or up to it; without `orderBy`. */
  readonly fromId?: string;
  readonly beforeId?: string;
  /** Behind the document with this value of `orderBy`, or with this id. */
  readonly after?: string | number;
  readonly limit: number;
}

export interface Listener {
  /** @param readAt what the store held at this moment. */
  readonly next: (documents: readonly StoredDocument[], readAt: Version) => void;
  /** It has ended: nothing more will be said. */
  readonly failed: (error: unknown) => void;
}

export interface DocumentStore {
  /**
   * All of it or nothing. @returns the new versions, in order; of a deleted document it means nothing.
   * @throws ConflictError when a document that is to be created is there, one that is to be updated is not, or has
   * another version.
   * @throws BurlaError BURLA_QUEUE when it is refused for good.
   */
  commit(writes: readonly Write[]): Promise<Version[]>;
  /** In the order of the paths; null where there is none. */
  get(paths: readonly string[]): Promise<(StoredDocument | null)[]>;
  query(query: Query): Promise<StoredDocument[]>;
  /** Sums of these fields over a whole collection, taken one after the other, and how many documents it has as `count`. */
  sums(collection: string, fields: readonly string[]): Promise<Record<string, number>>;
  /** Tells what the query finds, and again after each change. @returns what ends it. */
  listen(query: Query, listener: Listener): () => void;
  /** Tells a document, or that there is none (an empty list), and again after each change. */
  listenTo(path: string, listener: Listener): () => void;
  /** Removes a document, or a collection, with everything below it. */
  removeTree(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Somebody else was faster. */
export class ConflictError extends Error {
  override name = "ConflictError";
}

/** Whether the first is later. */
export function isLater(first: Version, second: Version): boolean {
  const [[aSeconds = 0, aNanos = 0], [bSeconds = 0, bNanos = 0]] = [first, second].map((version) => version.split(".").map(Number)) as [number[], number[]];
  return aSeconds > bSeconds || (aSeconds === bSeconds && aNanos > bNanos);
}

/** The Unix time in milliseconds that a version stands for: the store's own clock. */
export function versionMs(version: Version): number {
  const [seconds = "0", nanos = "0"] = version.split(".");
  return Number(seconds) * 1000 + Number(nanos) / 1e6;
}
