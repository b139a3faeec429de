/** This product: plain functions, a local cluster that starts by itself. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { remoteParallelMap } from "burla";
import { LABELS, spaceOf } from "../../../services/node/src/containers/docker/names.ts";
import { drive } from "./driver.ts";
import * as functions from "./functions.ts";
import type { FunctionName, Listener, System } from "./system.ts";

const callable = (fn: FunctionName) => functions[fn] as (input: unknown) => unknown;

/** "docker": the same cluster with its workers in containers. */
const containers = process.env["BENCH_CONTAINERS"];

const folder = join(process.env["BURLA_HOME"] ?? "", "clusters", "local");

/** What `burla up --spec` keeps: the cluster then starts by itself as the document says. */
function storeSpec(): void {
  mkdirSync(folder, { recursive: true });
  const groups = [{ name: "local", count: Math.max(2, Math.min(4, availableParallelism())), cpu: 1, ramMiB: 2048 }];
  writeFileSync(join(folder, "spec.json"), JSON.stringify({ containers: { runtime: containers }, groups }));
}

/** A number of a process within a container means another one out here. Other clusters may have containers too. */
function killContainer(): void {
  const spaces = readdirSync(join(folder, "nodes")).map((nodeId) => spaceOf(join(folder, "nodes", nodeId)));
  const running = spaces.flatMap((space) => execFileSync("docker", ["ps", "--quiet", "--filter", `label=${LABELS.space}=${space}`], { encoding: "utf8" }).split("\n"));
  execFileSync("docker", ["kill", running.find((id) => id !== "") ?? ""], { stdio: "ignore" });
}

const burla: System = {
  start: () => {
    if (containers !== undefined) storeSpec();
    return Promise.resolve();
  },
  collect: (fn, inputs) => remoteParallelMap(callable(fn), inputs).toArray(),
  async stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal) {
    const options = signal === undefined ? {} : { signal };
    for await (const result of remoteParallelMap(callable(fn), inputs, options)) on.result(result);
  },
  killWorker: (pid) => (containers === undefined ? void process.kill(pid, "SIGKILL") : killContainer()),
  // The cluster outlives its clients; a second process finds it by itself.
  address: () => "found by the client",
  stop: () => Promise.resolve(),
};

await drive(burla);
