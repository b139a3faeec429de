/** The runner of the scenario in `../../scenarios/thousand-nodes.ts`: starts main and the nodes, and is the client. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { remoteParallelMap } from "burla";
import { cpuMs, memoryOf } from "../../harness/processes.ts";
import { event, listen, report, send } from "./channel.ts";
import { noop } from "./functions.ts";

const IDLE_MS = 6_000;

interface Params {
  readonly nodes: number;
  readonly longCalls: number;
  readonly longCallMs: number;
  readonly shortCalls: number;
}

interface Address {
  readonly url: string;
  readonly token: string;
  readonly nodeToken: string;
}

/** Main without machines of its own: nodes come by themselves. */
async function startMain(): Promise<{ main: ChildProcess; address: Address }> {
  const directory = join(process.env["BURLA_HOME"] ?? "", "thousand-nodes");
  mkdirSync(directory, { recursive: true });
  const spec = {
    name: "thousand-nodes", idleMinutes: 10,
    groups: [{ name: "none", count: 0, cpu: 1, ramMiB: 1 }],
  };
  const config = { directory, spec, version: "0.0.0", nodeProgram: "", workerProgram: "", pythonWorkerProgram: "", clientPackage: "" };
  const program = join(dirname(fileURLToPath(import.meta.resolve("burla"))), "services/main.mjs");
  const main = spawn(process.execPath, [program], {
    stdio: ["ignore", "ignore", "inherit", "pipe"],
    env: { ...process.env, BURLA_MAIN: JSON.stringify(config) },
  });
  await once(main.stdio[3]!, "data");
  return { main, address: JSON.parse(readFileSync(join(directory, "cluster.json"), "utf8")) as Address };
}

async function startNodes(address: Address, count: number): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("./simulated-nodes.js", import.meta.url));
  const nodes = spawn(process.execPath, [script, address.url, address.nodeToken, String(count)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(nodes, "message");
  return nodes;
}

/** Runs a job and returns its wall time, and the processor time that main spent on it, both in ms. */
async function job(address: Address, main: number, calls: number, callMs: number) {
  const { url, token } = address;
  const [startMs, startCpuMs] = [performance.now(), cpuMs(main)];
  const inputs = Array.from({ length: calls }, (_, index) => index);
  const results = await remoteParallelMap(noop, inputs, { cluster: { url, token }, env: { SIMULATED_CALL_MS: String(callMs) } }).toArray();
  const [wallMs, mainMs] = [performance.now() - startMs, cpuMs(main) - startCpuMs];
  if (results.some((result, index) => result !== index)) throw new Error("wrong results");
  return { wallMs, mainMs };
}

async function measure(params: Params, pid: number, address: Address): Promise<void> {
  const idleStartMs = cpuMs(pid);
  await delay(IDLE_MS);
  report("main_idle", (100 * (cpuMs(pid) - idleStartMs)) / IDLE_MS, "% of a core");
  const long = await job(address, pid, params.longCalls, params.longCallMs);
  const idealMs = Math.ceil(params.longCalls / params.nodes) * params.longCallMs;
  report("long_calls_efficiency", (100 * idealMs) / long.wallMs, "%");
  report("main_cpu_per_long_call", (1000 * long.mainMs) / params.longCalls, "µs");
  const short = await job(address, pid, params.shortCalls, 0);
  report("short_calls_per_second", (1000 * params.shortCalls) / short.wallMs, "1/s");
  report("main_cpu_per_short_call", (1000 * short.mainMs) / params.shortCalls, "µs");
  report("main_peak", (memoryOf(pid)?.peakKiB ?? NaN) / 1024, "MiB");
}

const params = JSON.parse(process.argv[3] ?? "{}") as Params;
const harness = listen();
const { main, address } = await startMain();
const startMs = performance.now();
const nodes = await startNodes(address, params.nodes);
const joinMs = performance.now() - startMs;
event("ready");
await harness.go;
report("all_nodes_joined", joinMs / 1000, "s");
try {
  await measure(params, main.pid!, address);
} catch (error) {
  send({ event: "failed", message: error instanceof Error ? error.message : String(error) });
}
event("done");
await harness.end;
nodes.kill();
main.kill();
process.exit(0);
