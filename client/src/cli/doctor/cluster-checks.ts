/** The local cluster: does what its files say agree with what runs, and does a job get through? */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, PROTOCOL_VERSION } from "@burla/protocol";
import { LOCAL, resolveCluster } from "../../cluster.ts";
import { clusterDirectory, readConnectionFile } from "../../local-cluster.ts";
import { remoteParallelMap } from "../../remote-parallel-map.ts";
import { VERSION } from "../../version.ts";
import { findCluster } from "../../control/find.ts";
import { failureOf } from "../failure.ts";
import { findProcesses, isAlive, untilGone } from "../../control/processes.ts";
import { countText, durationText } from "../texts.ts";
import { fail, ok, warn, type Check, type Finding } from "./check.ts";

const JOB_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 10_000;

export const clusterChecks: readonly Check[] = [
  { name: "local cluster", run: checkCluster },
  { name: "lock", run: checkLock },
  { name: "BURLA_CLUSTER", run: checkUsual },
];

export const jobCheck: Check = { name: "a real job", run: checkJob };

async function checkCluster(): Promise<Finding> {
  const file = readConnectionFile(LOCAL);
  const path = join(clusterDirectory(LOCAL), "cluster.json");
  const found = await findCluster(LOCAL).catch((error: unknown) => error);
  if (found instanceof Error) return fail(failureOf(found).message, failureOf(found).cure);
  if (found === null) {
    if (file !== null) return warn(`${path} was left by a cluster that does not answer at ${file.url}`, "`burla down` clears away what is left of it; the next job starts a new one.");
    if (existsSync(path)) return warn(`${path} cannot be read as what it should be`, "`burla down` removes it; the next job starts a new cluster.");
    const lost = findProcesses(clusterDirectory(LOCAL));
    if (lost.length > 0) return warn(`not running, but ${countText(lost.length, "process", "processes")} of it: ${lost.map(({ pid }) => pid).join(", ")}`, "`burla down` ends them.");
    return ok("not running; it starts with the first job");
  }
  if (file?.protocolVersion !== PROTOCOL_VERSION) return fail(`runs in version ${file?.version ?? "unknown"} with another protocol than this client`, "`burla down` ends it; the next job starts it in this version.");
  if (file.version !== VERSION) return warn(`runs in version ${file.version}, this is ${VERSION}`, "They understand each other. `burla down` ends it; the next job starts it in this version.");
  return ok(`runs at ${file.url}, pid ${file.pid}`);
}

/** The file of the highest number begins with the pid of its holder, or 0 when it was given back. */
function checkLock(): Finding {
  const directory = clusterDirectory(LOCAL);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const last = Math.max(0, ...names.map((name) => Number(/^main\.lock\.(\d+)$/.exec(name)?.[1] ?? 0)));
  const pid = last === 0 ? 0 : Number.parseInt(readFileSync(join(directory, `main.lock.${last}`), "utf8"), 10);
  if (!(pid > 0)) return ok("free");
  if (isAlive(pid)) return ok(`held by pid ${pid}`);
  return warn(`left by pid ${pid}, which is gone`, "Nothing to do: the next start takes it over.");
}

/** The cluster that jobs run on when none is named. */
async function checkUsual(): Promise<Finding> {
  const name = process.env["BURLA_CLUSTER"];
  if (!name || name === LOCAL) return ok("jobs run on the local cluster");
  try {
    const { label } = resolveCluster(undefined);
    const found = await findCluster(undefined);
    if (found === null) return fail(`the cluster ${label} does not answer`, "Check the variable BURLA_CLUSTER, that the cluster runs, and that this machine reaches it.");
    return ok(`the cluster ${label} answers, version ${found.status.version}`);
  } catch (error) {
    const { message, cure } = failureOf(error);
    return fail(message, cure || "Set the variable BURLA_CLUSTER to a name or URL, or remove it.");
  }
}

/** From capture to results, on a cluster that is left as it was found. */
async function checkJob(): Promise<Finding> {
  const wasRunning = await isRunning();
  const startedMs = performance.now();
  try {
    const results = await remoteParallelMap((input: number) => input * 2, [1, 2, 3], { name: "burla doctor", signal: AbortSignal.timeout(JOB_TIMEOUT_MS), cluster: LOCAL }).toArray();
    const tookMs = performance.now() - startedMs;
    if (results.join() !== "2,4,6") return fail(`it gave ${results.join()} instead of 2,4,6`, "This is a fault of Burla; please report it.");
    return ok(`3 inputs in ${durationText(tookMs)}${wasRunning ? "" : ", with the start of the cluster"}`);
  } catch (error) {
    const isTimeout = (error as { name?: unknown } | null)?.name === "TimeoutError";
    if (isTimeout) return fail(`no result within ${durationText(JOB_TIMEOUT_MS)}`, `\`burla status\` says what it waits for; the log is ${join(clusterDirectory(LOCAL), "main.log")}.`);
    const { message, cure } = failureOf(error);
    return fail(message || messageOf(error), cure);
  } finally {
    if (!wasRunning) await endUnused();
  }
}

async function isRunning(): Promise<boolean> {
  return (await findCluster(LOCAL).catch(() => null)) !== null;
}

/** Ends what this check has started, unless somebody has begun to use it. */
async function endUnused(): Promise<void> {
  const found = await findCluster(LOCAL).catch(() => null);
  if (found === null || found.status.jobs.some(({ endedAt }) => endedAt === null)) return;
  const pids = findProcesses(clusterDirectory(LOCAL)).map(({ pid }) => pid);
  await found.control.shutdown();
  await untilGone([found.status.pid, ...pids], END_TIMEOUT_MS);
}
