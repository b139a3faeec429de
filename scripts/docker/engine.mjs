/**
 * A Docker Engine for tests, on a machine without systemd: installs Debian's package when there is no engine, starts it
 * when none answers, and leaves alone what it has not started itself.
 *
 *     node scripts/docker/engine.mjs up       make sure that an engine answers; safe to call at any time, from anywhere
 *     node scripts/docker/engine.mjs down     stop the engine, if `up` has started it, with its containers
 *     node scripts/docker/engine.mjs status   one line; exit status 1 when no engine answers
 *
 * The engine is the one of `DOCKER_HOST`, else of /var/run/docker.sock. Only the latter can be started.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { hasCgroups, mountCgroups } from "./cgroups.mjs";

const SOCKET = "/var/run/docker.sock";
const PID_FILE = "/var/run/docker.pid";
const LOG_FILE = "/var/log/dockerd.log";
/** Names the engine that `up` has started, so that `down` stops no other. */
const MARK_FILE = "/var/run/burla-docker.mark";
const LOCK_FILE = "/var/run/burla-docker.lock";
const INSTALL_MS = 300_000;
const START_MS = 60_000;
const STOP_MS = 20_000;
const PING_MS = 5_000;
const POLL_MS = 50;

/** Why there can be no engine here: the message is for people and says what to do. */
export class EngineError extends Error {}

/** @returns true when an engine answers. */
export function engineAnswers() {
  if (process.env.DOCKER_HOST) return spawnSync("docker", ["version"], { stdio: "ignore", timeout: PING_MS }).status === 0;
  return new Promise((resolve) => {
    const request = get({ socketPath: SOCKET, path: "/_ping", timeout: PING_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

/**
 * Makes sure that an engine answers.
 * @returns true when this call has started it.
 * @throws EngineError
 */
export async function ensureEngine() {
  if (await engineAnswers()) return false;
  if (process.env.DOCKER_HOST) throw new EngineError(`No engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}. Start it, or unset the variable.`);
  if (process.platform !== "linux") throw new EngineError("No Docker Engine answers. Start Docker Desktop, or whatever provides it here.");
  if (process.getuid() !== 0) throw new EngineError("No Docker Engine answers, and only root can start one. Start it with `sudo systemctl start docker`, or run this as root.");
  return withLock(async () => {
    if (await engineAnswers()) return false;
    if (!hasCommand("dockerd")) install();
    // Some packages start what they install.
    if (await engineAnswers()) return false;
    await start();
    return true;
  });
}

/** Stops the engine that `ensureEngine` has started. @returns false when there is none. */
export async function stopEngine() {
  const pid = Number(read(MARK_FILE));
  if (!isDockerd(pid)) {
    rmSync(MARK_FILE, { force: true });
    return false;
  }
  process.kill(pid, "SIGTERM");
  const deadlineMs = performance.now() + STOP_MS;
  while (isDockerd(pid) && performance.now() < deadlineMs) await sleep(POLL_MS);
  if (isDockerd(pid)) process.kill(pid, "SIGKILL");
  for (const file of [MARK_FILE, PID_FILE]) rmSync(file, { force: true });
  return true;
}

/** One at a time, over all processes: flock is given up by the system when its holder dies. */
async function withLock(body) {
  const holder = spawn("flock", [LOCK_FILE, "sh", "-c", "echo held; cat"], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    holder.stdout.once("data", resolve);
    holder.once("error", reject);
  });
  try {
    return await body();
  } finally {
    holder.stdin.end();
  }
}

function install() {
  if (!hasCommand("apt-get")) throw new EngineError("There is no Docker Engine, and no apt-get to install it with: install Docker and run this again.");
  say("installing docker.io");
  const apt = (...args) => spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", "-o", "DPkg::Options::=--force-unsafe-io", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, encoding: "utf8", timeout: INSTALL_MS,
  });
  const packages = ["install", "-y", "--no-install-recommends", "docker.io", "iptables", "ca-certificates"];
  let outcome = apt(...packages);
  if (outcome.status !== 0) {
    apt("update");
    outcome = apt(...packages);
  }
  if (outcome.status !== 0) throw new EngineError(`apt-get could not install docker.io:\n${`${outcome.stdout}${outcome.stderr}`.trimEnd().split("\n").slice(-15).join("\n")}`);
}

async function start() {
  if (!hasCgroups()) mountCgroups();
  removeStale(PID_FILE, "dockerd");
  removeStale("/var/run/docker/containerd/containerd.pid", "containerd");
  mkdirSync("/var/lib/docker", { recursive: true });
  const log = openSync(LOG_FILE, "w", 0o600);
  const child = spawn("dockerd", ["--host", `unix://${SOCKET}`, "--pidfile", PID_FILE, "--log-level", "warn", ...engineFlags()], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  let ended = null;
  child.once("exit", (code, signal) => (ended = code ?? signal));
  child.once("error", (error) => (ended = error.message));
  child.unref();
  writeFileSync(MARK_FILE, String(child.pid));
  const deadlineMs = performance.now() + START_MS;
  while (!(await engineAnswers())) {
    if (ended !== null) throw new EngineError(`dockerd ended (${ended}) before it answered:\n${endOfLog()}`);
    if (performance.now() > deadlineMs) throw new EngineError(`dockerd does not answer after ${START_MS / 1000} s:\n${endOfLog()}`);
    await sleep(POLL_MS);
  }
}

/** What this machine needs beside the defaults. */
function engineFlags() {
  const flags = [];
  if (spawnSync("iptables", ["-w", "-t", "nat", "-nL"], { stdio: "ignore" }).status !== 0) {
    say("iptables does not work here: containers have no bridge network");
    flags.push("--iptables=false", "--bridge=none");
  }
  // On top of another overlay (an engine within a container) only plain copies are sure to work.
  if (execFileSync("stat", ["--file-system", "--format", "%T", "/var/lib/docker"], { encoding: "utf8" }).trim() === "overlayfs") flags.push("--storage-driver=vfs");
  return flags;
}

/** The pid file of a daemon that was killed stops the next one as long as another process has its pid. */
function removeStale(file, name) {
  if (existsSync(file) && !commandOf(Number(read(file))).includes(name)) rmSync(file, { force: true });
}

function isDockerd(pid) {
  return pid > 0 && commandOf(pid).includes("dockerd");
}

/** Empty for a process that is gone, and for one that nobody has reaped. */
function commandOf(pid) {
  return read(`/proc/${pid}/cmdline`);
}

function hasCommand(name) {
  return (process.env.PATH ?? "").split(":").some((folder) => {
    try {
      return statSync(`${folder}/${name}`).isFile();
    } catch {
      return false;
    }
  });
}

function endOfLog() {
  return read(LOG_FILE).split("\n").filter((line) => !line.includes("level=info")).slice(-15).join("\n");
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function say(text) {
  console.error(`docker engine: ${text}`);
}

async function main(command) {
  if (command === "up") say((await ensureEngine()) ? "started" : "answers already");
  else if (command === "down") say((await stopEngine()) ? "stopped" : "was not started here; left alone");
  else if (command === "status") {
    const answers = await engineAnswers();
    say(answers ? "answers" : "does not answer");
    process.exitCode = answers ? 0 : 1;
  } else {
    console.error("usage: node scripts/docker/engine.mjs up | down | status");
    process.exitCode = 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(process.argv[2]).catch((error) => {
    if (!(error instanceof EngineError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
