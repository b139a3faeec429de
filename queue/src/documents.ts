/**
 * What lies in Firestore, and where. Below the document of a job:
 *
 *   chunks/{random}    inputs that are not answered, and whose they are    written by the client, then by nodes
 *   bodies/{random}    what is too large for the documents that are listened to
 *   results/{chunk}-…  outcomes of inputs, in batches                      written by nodes, marked by readers
 *   receipts/{random}  that a commit of chunks was made                    written and removed by the client
 *   lines/{random}     what calls printed                                  written by nodes, marked by readers
 *
 * Ids are random, so that writes are spread over the service. `expireAt` is for a TTL policy.
 */
import * as v from "valibot";
import { BurlaError, MAX_CHUNK_INPUTS, pack, unpack, type QueuePlace, type ResultBatch } from "@burla/protocol";
import type { Range } from "./chunk.ts";
import { KEEP_MS } from "./limits.ts";
import type { Fields, StoredDocument } from "./store.ts";

export const jobPath = ({ root }: Pick<QueuePlace, "root">, jobId: string) => `${root}/jobs/${jobId}`;
export const below = (job: string, kind: "chunks" | "bodies" | "results" | "lines" | "receipts") => `${job}/${kind}`;

/** A random id as Firestore's own. */
export function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString("base64url");
}

export const expiry = (nowMs: number): Date => new Date(nowMs + KEEP_MS);

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const bytes = v.instance(Uint8Array);

/** Bytes of users, wherever they lie. */
export const payloadFields = {
  /** The bytes themselves; empty when they lie elsewhere. */
  inline: bytes,
  /** Id of the document in `bodies` that has them, or empty. */
  bodyId: v.string(),
  /** Name of the large value that they are, or empty. */
  large: v.string(),
};
export type Payload = { readonly inline: Uint8Array; readonly bodyId: string; readonly large: string };

export const jobDocumentSchema = v.object({
  state: v.picklist(["open", "done", "failed", "cancelled"]),
  reason: v.string(),
  /** All inputs, once their end is known; -1 before. */
  total: v.pipe(v.number(), v.integer(), v.minValue(-1)),
  /** Results that were taken are not kept any more: nobody can begin to read at the beginning. */
  isCut: v.boolean(),
});
export type JobDocument = v.InferOutput<typeof jobDocumentSchema>;

/** Of the fields of a document, as its queries and indexes are checked by. */
export const chunkSchema = v.object({
  chunkId: count,
  first: count,
  count: v.pipe(count, v.minValue(1), v.maxValue(MAX_CHUNK_INPUTS)),
  /** Inputs that are open, for sums over a job. */
  left: count,
  /** Packed `Range[]`. */
  open: bytes,
  /** 0: nobody's. Else the Unix time in ms until which it is its owner's. */
  freeAt: v.number(),
  owner: v.string(),
  /** Other chunks have the same bytes: nobody knows when they are of no use. */
  isShared: v.boolean(),
  ...payloadFields,
});
export type ChunkDocument = Omit<v.InferOutput<typeof chunkSchema>, "open"> & { readonly open: readonly Range[] };

const fraction = v.pipe(v.number(), v.minValue(0));
const rangesSchema = v.array(v.tuple([count, count, count, fraction, count]));

/** A batch of outcomes, as in the message `results`, with its part of the body. */
const batchSchema = v.object({
  first: count,
  count,
  indices: v.nullable(v.array(count)),
  failed: v.array(count),
  valuesBytes: count,
  dropped: v.array(count),
  bodyBytes: count,
});
export type StoredBatch = ResultBatch & { readonly dropped: readonly number[]; readonly bodyBytes: number };

/** Of the fields of a document, as its queries and indexes are checked by. */
export const resultsSchema = v.object({
  chunkId: count,
  nodeId: v.string(),
  /** Packed `StoredBatch[]`. */
  batches: bytes,
  inputs: count,
  failed: count,
  runMs: fraction,
  /** Of its node, for this job. */
  workers: count,
  /** Its place in the order in which readers have taken results; -1 while none has. */
  taken: v.number(),
  ...payloadFields,
});
export type ResultsDocument = Omit<v.InferOutput<typeof resultsSchema>, "batches"> & { readonly batches: readonly StoredBatch[] };

/** Of the fields of a document, as its queries and indexes are checked by. */
export const linesSchema = v.object({
  nodeId: v.string(),
  droppedLines: count,
  /** Unix time in ms. */
  at: v.number(),
  taken: v.number(),
  ...payloadFields,
});
export type LinesDocument = v.InferOutput<typeof linesSchema>;

export function packOpen(open: readonly Range[]): Pick<Fields, "open" | "left"> {
  let left = 0;
  for (const { from, to } of open) left += to - from;
  return { open: pack(open.map(({ from, to, attempt, losses, failures }) => [from, to, attempt, losses, failures])), left };
}

/** @throws BurlaError BURLA_QUEUE when it is not what a client or node of ours writes; the same for all below. */
export function readChunk({ fields }: StoredDocument): ChunkDocument {
  const { open, ...chunk } = check(chunkSchema, fields, "a chunk");
  const ranges = check(rangesSchema, unpack(open), "the open inputs of a chunk");
  return { ...chunk, open: ranges.map(([from, to, attempt, losses, failures]) => ({ from, to, attempt, losses, failures })) };
}

export function readResults({ fields }: StoredDocument): ResultsDocument {
  const results = check(resultsSchema, fields, "results");
  return { ...results, batches: check(v.array(batchSchema), unpack(results.batches), "batches of results") };
}

export function readLines({ fields }: StoredDocument): LinesDocument {
  return check(linesSchema, fields, "lines");
}

export function readJob({ fields }: StoredDocument): JobDocument {
  return check(jobDocumentSchema, fields, "a job");
}

/** What is read was written by others, and may be of another version. */
function check<Schema extends v.GenericSchema>(schema: Schema, value: unknown, what: string): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new BurlaError("BURLA_QUEUE", `${what} in Cloud Firestore cannot be read: ${v.getDotPath(parsed.issues[0]) ?? ""} ${parsed.issues[0].message}`);
}
