/** A shell without connections, records and specs for tests of this service. */
import { join } from "node:path";
import { bundleIdOf, bundleKindOf, type Body, type JobId, type JobSpec, type JobSummary, type NodeId } from "@burla/protocol";
import { Cluster } from "./cluster.ts";
import { JobRegistry } from "./registry.ts";
import { BlobStore } from "./store/blobs.ts";
import { OpenFiles } from "./store/open-files.ts";
import type { JobRecord, Results } from "./store/job-records.ts";
import { Changes } from "./watch/changes.ts";

export const JOB_ID = "job-01j9x3k5v7abcdefghj" as JobId;

export const CODE: Uint8Array = Buffer.from("code");

export const SPEC: JobSpec = {
  name: "score", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0,
  timeoutMs: null, grow: 0, detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: bundleIdOf({ runtime: "node", externals: [] }, CODE), externals: [] },
};

/** A job of other code. */
export function specOf(code: Uint8Array, changes: Partial<JobSpec> = {}): JobSpec {
  const spec = { ...SPEC, ...changes };
  return { ...spec, bundle: { ...spec.bundle, id: bundleIdOf(bundleKindOf(spec), code) } };
}

export const SUMMARY: JobSummary = {
  jobId: JOB_ID, name: "score", phase: "done", reason: "", detach: false, runtime: "node", parent: null, createdAt: 1, startedAt: 1, endedAt: 2, inputs: 3, inputsEnded: true,
  done: 3, failed: 0, running: 0, nodes: 0, workers: 0, lostWorkers: 0, failures: [],
};

/** A cluster with its stores in this folder, whose nodes have one processor. */
export function clusterIn(directory: string) {
  const blobs = new BlobStore(join(directory, "blobs"));
  const registry = new JobRegistry(join(directory, "jobs"), new OpenFiles());
  const changes = new Changes();
  const cluster = new Cluster({
    registry, blobs, changes, images: [], elsewhere: null,
    provider: { largestWorker: { cpu: 1, ramMiB: 1024 }, machineOf: () => ({ provider: "test", machineType: "small" }), machines: { wanted: 1, booting: 0, troubles: [], costPerHour: null }, joined: () => undefined, replace: () => undefined },
    log: { info: () => undefined, error: () => undefined },
    onActivity: () => undefined,
  });
  return { blobs, registry, changes, cluster };
}

export function jobRecord(jobId: JobId = JOB_ID, spec: Partial<JobSpec> = {}): JobRecord {
  return { type: "job", jobId, spec: { ...SPEC, ...spec }, rootId: jobId, createdAt: 1, token: "token", person: null };
}

export function resultsRecord(seq: number, first: number, count: number, marks: { dropped?: number[]; failed?: number[] } = {}): Results {
  return {
    type: "results", jobId: JOB_ID, seq, first, count, indices: null, failed: marks.failed ?? [], valuesBytes: 0,
    dropped: marks.dropped ?? [], nodeId: "n-1" as NodeId,
  };
}

/** A body as a whole, as the peer that it is sent to would have it. */
export function wholeOf(body: Body): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.byteLength; at += pieces.at(-1)?.byteLength ?? 0) pieces.push(body.read(at, 1 << 18));
  body.close();
  return Buffer.concat(pieces);
}
