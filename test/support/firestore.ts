/** Google's emulator of Firestore for a test file, and clusters whose queue is there. */
import { after, before } from "node:test";
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseClusterSpec, type QueuePlace } from "@burla/protocol";
import { openStore } from "@burla/queue";
import { startEmulator, type Emulator } from "../../scripts/firestore/emulator.mjs";
import { TestCluster } from "./cluster.ts";

/** A project of its own in the emulator: nothing of another test is there. */
export function newProject(): string {
  return `demo-${randomUUID().slice(0, 12)}`;
}

/** Starts the emulator for this process and the programs that it starts. */
async function emulate(): Promise<Emulator> {
  const emulator = await startEmulator();
  process.env["FIRESTORE_EMULATOR_HOST"] = emulator.host;
  // Google's library looks for a machine of Google's otherwise, and waits for an answer.
  process.env["METADATA_SERVER_DETECTION"] = "none";
  return emulator;
}

/** The emulator runs from before the first test of the file to after its last one. */
export function useEmulator(): () => string {
  let emulator: Emulator | undefined;
  before(async () => {
    emulator = await emulate();
  });
  after(() => emulator?.stop());
  return () => {
    if (emulator === undefined) throw new Error("the emulator has not been started");
    return emulator.host;
  };
}

export function placeIn(host: string): QueuePlace {
  return { kind: "firestore", project: newProject(), database: "(default)", root: "burla/test", emulator: host, bucket: null };
}

export interface FirestoreClusterOptions {
  readonly nodes?: number;
  readonly cpu?: number;
  /** For large values. */
  readonly bucket?: string | null;
}

/** Writes the spec of a local cluster with its queue in Firestore. @returns its project. */
export function placeInFirestore(cluster: TestCluster, { nodes = 2, cpu = 1, bucket = null }: FirestoreClusterOptions = {}): string {
  const project = newProject();
  mkdirSync(cluster.directory, { recursive: true });
  const spec = parseClusterSpec({ queue: "firestore", firestore: { project, bucket }, groups: [{ name: "local", count: nodes, cpu, ramMiB: 1024 }] });
  writeFileSync(join(cluster.directory, "spec.json"), JSON.stringify(spec));
  return project;
}

/** As `useCluster`, with the queue in an emulator. One hook: those of a file do not wait for each other. */
export function useFirestoreCluster(options?: FirestoreClusterOptions): TestCluster {
  const cluster = new TestCluster();
  process.env["BURLA_HOME"] = cluster.home;
  let emulator: Emulator | undefined;
  before(async () => {
    emulator = await emulate();
    placeInFirestore(cluster, options);
    await cluster.start();
  });
  after(async () => {
    await cluster.dispose();
    await emulator?.stop();
  });
  return cluster;
}

export interface JobInEmulator {
  readonly state: string;
  readonly chunks: number;
  readonly bodies: number;
  readonly results: number;
  readonly lines: number;
}

/** What the emulator holds of a job of this cluster. */
export async function jobInEmulator(cluster: TestCluster, jobId: string): Promise<JobInEmulator> {
  const { firestore } = parseClusterSpec(JSON.parse(readFileSync(join(cluster.directory, "spec.json"), "utf8")));
  const store = await openStore({ project: firestore.project ?? "", database: firestore.database, emulator: process.env["FIRESTORE_EMULATOR_HOST"] ?? null });
  try {
    const job = `burla/local/jobs/${jobId}`;
    const [document] = await store.get([job]);
    const count = async (kind: string) => (await store.sums(`${job}/${kind}`, []))["count"] ?? 0;
    const [chunks, bodies, results, lines] = await Promise.all(["chunks", "bodies", "results", "lines"].map(count)) as [number, number, number, number];
    return { state: String(document?.fields["state"] ?? "gone"), chunks, bodies, results, lines };
  } finally {
    await store.close();
  }
}
