/** A Jupyter server for a test file, with folders of its own. `scripts/jupyter/install.ts` has installed it. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type AddressInfo } from "node:net";
import { processesWith } from "./processes.ts";
import { pause } from "./until.ts";

export const TOKEN = "a-token-of-the-tests";
const START_TIMEOUT_MS = 60_000;
/** It gives each kernel five seconds to end. */
const STOP_TIMEOUT_MS = 15_000;

export class JupyterServer {
  readonly #folder = mkdtempSync(join(tmpdir(), "burla-jupyter-"));
  #child: ChildProcess | undefined;
  #log = "";
  #started: Promise<void> | undefined;
  url = "";

  /** Resolves when it answers; it is started with the first call. */
  start(): Promise<void> {
    return (this.#started ??= this.#start());
  }

  /** The parent of its kernels. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How many kernels it has. */
  async kernelCount(): Promise<number> {
    const response = await fetch(new URL("api/kernels", this.url), { headers: { authorization: `token ${TOKEN}` } });
    return ((await response.json()) as unknown[]).length;
  }

  async #start(): Promise<void> {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}/`;
    for (const name of ["config", "data", "run", "root"]) mkdirSync(join(this.#folder, name), { recursive: true });
    const options = ["--allow-root", "--no-browser", "--ip=127.0.0.1", `--port=${port}`, "--ServerApp.port_retries=0", `--ServerApp.token=${TOKEN}`, `--ServerApp.root_dir=${join(this.#folder, "root")}`];
    this.#child = spawn("/usr/bin/jupyter-server", options, {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env, JUPYTER_CONFIG_DIR: join(this.#folder, "config"), JUPYTER_DATA_DIR: join(this.#folder, "data"),
        JUPYTER_RUNTIME_DIR: join(this.#folder, "run"), IPYTHONDIR: join(this.#folder, "ipython"), JUPYTER_ALLOW_INSECURE_WRITES: "1",
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    const endMs = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || performance.now() > endMs) throw new Error(`the Jupyter server did not start: ${this.#log}`);
      await pause(100);
    }
  }

  /** Ends it with its kernels, by force where it takes long. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined) {
      if (child.exitCode === null && child.signalCode === null) await this.#end(child);
      // Kernels are in groups of their own, and have its output.
      for (const { pid } of processesWith(this.#folder)) kill(pid);
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #end(child: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(timer);
  }

  async #answers(): Promise<boolean> {
    return fetch(new URL("api", this.url), { headers: { authorization: `token ${TOKEN}` } }).then((response) => response.ok, () => false);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
