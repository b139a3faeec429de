/**
 * Which queries Firestore answers: by the index of each field that it makes by itself, without those that
 * `cloud/firestore.indexes.json` switches off, and by none that somebody would have to make. Google's emulator answers
 * any query, so ours are held against this there.
 */
import declared from "../cloud/firestore.indexes.json" with { type: "json" };

/** What a query of one collection asks of its indexes. Ids are no field: each index ends with them. */
export interface IndexUse {
  readonly collection: string;
  readonly equal: readonly string[];
  /** In a range, an order or a sum. */
  readonly sorted: readonly string[];
  /** A range of ids. */
  readonly idRange: boolean;
}

/** gRPC's number for what the database is not prepared for. */
const FAILED_PRECONDITION = 9;

/** @throws Error as Google's client does, where the database would not answer. */
export function assertIndexed({ collection, equal, sorted, idRange }: IndexUse): void {
  const group = collection.split("/").at(-1) ?? "";
  const fields = [...new Set([...equal, ...sorted])];
  const off = fields.find((field) => declared.fieldOverrides.some((override) => override.collectionGroup === group && override.fieldPath === field && override.indexes.length === 0));
  const others = new Set([...sorted, ...(idRange ? ["__name__"] : [])]);
  // Equal values of several fields are merged from the indexes of each; whatever is sorted has to be in one index.
  const isComposite = new Set(sorted).size > 0 && new Set([...fields, ...others]).size > 1;
  if (off === undefined && !isComposite) return;
  const text = off === undefined ? `an index of ${fields.join(", ")} together` : `the index of ${off}, which is switched off`;
  throw Object.assign(new Error(`FAILED_PRECONDITION: The query requires an index: ${group} has not ${text}`), { code: FAILED_PRECONDITION });
}
