/** Makes a chunk this node's: an update of its document that names the version that was seen. */
import { takeOver, type Range } from "../chunk.ts";
import { commitOnce } from "../commit-once.ts";
import { packOpen, readChunk, type ChunkDocument } from "../documents.ts";
import { leaseEnd } from "../limits.ts";
import type { Payloads } from "../payloads.ts";
import type { DocumentStore, StoredDocument, Version } from "../store.ts";
import type { Clock } from "./clock.ts";

export interface Claimed {
  readonly document: ChunkDocument;
  readonly version: Version;
  readonly body: Uint8Array;
  readonly open: readonly Range[];
  /** Were lost with their nodes often enough: they are to be answered with an error. */
  readonly givenUp: readonly Range[];
}

/** @throws ConflictError when another node was faster, or the job has been removed. */
export async function claimChunk(stored: StoredDocument, { store, payloads, nodeId, clock }: { store: DocumentStore; payloads: Payloads; nodeId: string; clock: Clock }): Promise<Claimed> {
  const document = readChunk(stored);
  const wasLost = document.owner !== "" && document.freeAt > 0;
  const { open, givenUp } = wasLost ? takeOver(document.open) : { open: document.open, givenUp: [] };
  const fields = { owner: nodeId, freeAt: leaseEnd(clock.nowMs), ...packOpen([...open, ...givenUp]) };
  const made = await commitOnce(store, [{ op: "update", path: stored.path, fields, version: stored.version }]);
  const version = "trace" in made ? made.trace.version : (made.versions[0] ?? stored.version);
  clock.note(version);
  return { document, version, body: await payloads.get(document), open, givenUp };
}
