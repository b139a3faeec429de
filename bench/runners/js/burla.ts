/** This product: plain functions, a local cluster that starts by itself. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { remoteParallelMap } from "burla";
import { LABELS, spaceOf } from "../../../services/node/src/containers/docker/names.ts";
import { drive } from "./driver.ts";
import * as functions from "./functions.ts";
import type { FunctionName, Listener, System } from "./system.ts";

const callable = (fn: FunctionName) => functions[fn] as (input: unknown) => unknown;

/** "docker": the same cluster with its workers in containers. */
const containers = process.env["BENCH_CONTAINERS"];
/** The program of Firestore's emulator: the same cluster with its queue there. */
const emulatorProgram = process.env["BENCH_EMULATOR"];
let emulator: { readonly host: string; stop(): Promise<void> } | undefined;

const folder = join(process.env["BURLA_HOME"] ?? "", "clusters", "local");

/** What `burla up --spec` keeps: the cluster then starts by itself as the document says. */
function storeSpec(): void {
  mkdirSync(folder, { recursive: true });
  const groups = [{ name: "local", count: Math.max(2, Math.min(4, availableParallelism())), cpu: 1, ramMiB: 2048 }];
  const queue = emulatorProgram === undefined ? {} : { queue: "firestore", firestore: { project: "demo-bench" } };
  writeFileSync(join(folder, "spec.json"), JSON.stringify({ ...(containers === undefined ? {} : { containers: { runtime: containers } }), ...queue, groups }));
}

/** The first process of a run starts it; others hear of it from main. */
async function startEmulator(program: string): Promise<void> {
  if (existsSync(join(process.env["BURLA_HOME"] ?? "", "clusters", "local", "cluster.json"))) return;
  const { startEmulator: start } = (await import(pathToFileURL(program).href)) as { startEmulator(): Promise<NonNullable<typeof emulator>> };
  emulator = await start();
  Object.assign(process.env, { FIRESTORE_EMULATOR_HOST: emulator.host, METADATA_SERVER_DETECTION: "none" });
}

/** A number of a process within a container means another one out here. Other clusters may have containers too. */
function killContainer(): void {
  const spaces = readdirSync(join(folder, "nodes")).map((nodeId) => spaceOf(join(folder, "nodes", nodeId)));
  const running = spaces.flatMap((space) => execFileSync("docker", ["ps", "--quiet", "--filter", `label=${LABELS.space}=${space}`], { encoding: "utf8" }).split("\n"));
  execFileSync("docker", ["kill", running.find((id) => id !== "") ?? ""], { stdio: "ignore" });
}

const burla: System = {
  start: async () => {
    if (emulatorProgram !== undefined) await startEmulator(emulatorProgram);
    if (containers !== undefined || emulatorProgram !== undefined) storeSpec();
  },
  collect: (fn, inputs) => remoteParallelMap(callable(fn), inputs).toArray(),
  async stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal) {
    const options = signal === undefined ? {} : { signal };
    for await (const result of remoteParallelMap(callable(fn), inputs, options)) on.result(result);
  },
  killWorker: (pid) => (containers === undefined ? void process.kill(pid, "SIGKILL") : killContainer()),
  // The cluster outlives its clients; a second process finds it by itself.
  address: () => "found by the client",
  stop: async () => emulator?.stop(),
};

await drive(burla);
