/**
 * A second Docker Engine beside the one of the machine, with nothing of it in common: tests stop, kill and starve it.
 * Needs root and an installed engine (`engine.mjs up`).
 */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_MS = 60_000;
const POLL_MS = 50;
const FILL_BYTES = 256 * 1024;

export class PrivateEngine {
  #folder = mkdtempSync(join(tmpdir(), "burla-engine-"));
  #process;

  /** @param dataMiB its whole disk; without a number it has the one of the machine. */
  constructor(dataMiB) {
    mkdirSync(this.#data);
    if (dataMiB === undefined) return;
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${dataMiB}m`, "burla-engine", this.#data], { encoding: "utf8" });
    if (status !== 0) throw new Error(`no small disk for an engine: ${stderr}`);
  }

  get #data() {
    return join(this.#folder, "data");
  }

  /** The file of its socket. */
  get socketPath() {
    return join(this.#folder, "s");
  }

  /** For DOCKER_HOST. */
  get host() {
    return `unix://${this.socketPath}`;
  }

  /** Starts it, anew after it was stopped. Resolves when it answers. */
  async start() {
    const log = openSync(join(this.#folder, "log"), "a");
    rmSync(join(this.#folder, "pid"), { force: true });
    rmSync(join(this.#folder, "exec", "containerd", "containerd.pid"), { force: true });
    const flags = {
      host: this.host, pidfile: join(this.#folder, "pid"), "data-root": this.#data, "exec-root": join(this.#folder, "exec"),
      bridge: "none", iptables: "false", "log-level": "warn",
    };
    const { PATH, HOME } = process.env;
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    // In a network of its own: an engine without a bridge removes the one of the machine's own engine.
    this.#process = spawn("unshare", ["--net", "dockerd", ...args], { stdio: ["ignore", log, log], detached: true, env: { PATH, HOME } });
    closeSync(log);
    const deadlineMs = performance.now() + START_MS;
    while (!(await this.answers())) {
      if (this.#process.exitCode !== null || performance.now() > deadlineMs) throw new Error(`the private engine does not start:\n${this.#log()}`);
      await sleep(POLL_MS);
    }
  }

  answers() {
    return new Promise((resolve) => {
      const request = get({ socketPath: this.socketPath, path: "/_ping", timeout: 1000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.on("timeout", () => request.destroy());
      request.on("error", () => resolve(false));
    });
  }

  /** Ends it: with SIGTERM it ends its containers first, with SIGKILL they live on. */
  async stop(signal = "SIGTERM") {
    if (this.#process === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    await ended;
  }

  /** It takes requests and answers none, until `thaw`. */
  freeze() {
    this.#process.kill("SIGSTOP");
  }

  thaw() {
    this.#process.kill("SIGCONT");
  }

  /** Takes all room of its disk, which must be its own. @returns what gives it back. */
  fill() {
    const path = join(this.#data, "full");
    try {
      for (;;) writeFileSync(path, Buffer.alloc(FILL_BYTES, 1), { flag: "a" });
    } catch (error) {
      if (error.code !== "ENOSPC") throw error;
    }
    return () => rmSync(path, { force: true });
  }

  /** Ends it and removes all that it has made. */
  async dispose() {
    await this.stop();
    for (const pid of this.#processes()) kill(pid);
    const mounts = readFileSync("/proc/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "").filter((path) => path.startsWith(`${this.#folder}/`));
    for (const path of mounts.reverse()) spawnSync("umount", ["-l", path]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Its containerd and shims, when it was killed. */
  #processes() {
    const { stdout } = spawnSync("pgrep", ["-f", this.#folder], { encoding: "utf8" });
    return stdout.split("\n").map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  }

  #log() {
    return readFileSync(join(this.#folder, "log"), "utf8").split("\n").slice(-15).join("\n");
  }
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
