/** Commits that are tried again after their answer was lost, and count once all the same. */
import { ConflictError, type DocumentStore, type Fields, type StoredDocument, type Version, type Write } from "./store.ts";

export type Committed =
  | { readonly versions: readonly Version[] }
  /** An earlier attempt has made it: the document by which that was seen, as it is now. */
  | { readonly trace: StoredDocument };

/**
 * @param writes of which the first `create` is of a path that nobody else has: a second attempt finds it. Without one, the
 * first `update` must write what nobody else writes there.
 * @throws ConflictError when somebody else was faster.
 */
export async function commitOnce(store: DocumentStore, writes: readonly Write[]): Promise<Committed> {
  try {
    return { versions: await store.commit(writes) };
  } catch (error) {
    const mark = writes.find(({ op }) => op === "create") ?? writes.find(({ op }) => op === "update");
    const [trace] = error instanceof ConflictError && mark !== undefined ? await store.get([mark.path]) : [null];
    if (trace == null || (mark?.op === "update" && !isAsWritten(trace.fields, mark.fields))) throw error;
    return { trace };
  }
}

/** By what can be compared: bytes are left out. */
function isAsWritten(fields: Fields, written: Fields): boolean {
  return Object.entries(written).every(([name, value]) => value instanceof Object || fields[name] === value);
}
