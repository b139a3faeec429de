/** One VS Code server with a profile of its own, on a free port of this machine. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serverNode, serverProgram } from "./paths.ts";
import { run } from "./run.ts";
import { quietSettings } from "./settings.ts";

const STOP_TIMEOUT_MS = 3000;
const KEPT_OUTPUT = 8000;

/** Everything that a user's VS Code keeps. A fresh folder is a fresh VS Code. */
export interface Profile {
  readonly userDataFolder: string;
  readonly extensionsFolder: string;
}

export interface ServerOptions {
  readonly profile: Profile;
  /** On top of the quiet ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** On top of this process's. Extensions see it. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly logFile?: string;
  /** A folder opens in restricted mode until the user trusts it; else everything is trusted. */
  readonly asksForTrust?: boolean;
}

export function profileIn(folder: string): Profile {
  return { userDataFolder: join(folder, "user"), extensionsFolder: join(folder, "extensions") };
}

export class VscodeServer {
  readonly port: number;
  /** Resolves when its process is gone. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #runtimeFolder: string;
  #stopping: Promise<void> | undefined;

  private constructor(child: ChildProcess, port: number, runtimeFolder: string, ended: Promise<unknown>) {
    this.#child = child;
    this.port = port;
    this.#runtimeFolder = runtimeFolder;
    this.ended = ended;
  }

  /** @throws Error with what the server printed when it does not start. */
  static async start(options: ServerOptions): Promise<VscodeServer> {
    const { profile, settings = {} } = options;
    const settingsFile = join(profile.userDataFolder, "User", "settings.json");
    await mkdir(dirname(settingsFile), { recursive: true });
    await writeFile(settingsFile, JSON.stringify({ ...quietSettings, ...settings }, null, 2), { flag: "wx" }).catch(keepExisting);
    // Its sockets, which would pile up in the temporary folder.
    const runtimeFolder = await mkdtemp(join(tmpdir(), "burla-vscode-"));
    const child = launch(options, runtimeFolder);
    const ended = once(child, "exit");
    try {
      const log = options.logFile === undefined ? undefined : createWriteStream(options.logFile);
      return new VscodeServer(child, await listeningPort(child, log), runtimeFolder, ended);
    } catch (error) {
      await rm(runtimeFolder, { recursive: true, force: true });
      throw error;
    }
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Ends it with its extension hosts and terminals. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS).unref());
    this.#signal("SIGTERM");
    await Promise.race([this.ended, late]);
    this.#signal("SIGKILL");
    await this.ended;
    await rm(this.#runtimeFolder, { recursive: true, force: true });
  }

  /** To its whole process group. */
  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // Nobody is left.
    }
  }
}

/** The server's command line, on a profile: `--install-extension FILE.vsix`, `--list-extensions`. @returns what it prints. */
export function serverCommand(profile: Profile, args: readonly string[]): Promise<string> {
  return run(serverNode, [serverProgram, ...profileArguments(profile), ...args], {});
}

function launch({ profile, environment, asksForTrust = false }: ServerOptions, runtimeFolder: string): ChildProcess {
  const args = [
    "--host", "127.0.0.1", "--port", "0", "--without-connection-token", "--accept-server-license-terms",
    "--telemetry-level", "off", "--disable-experiments", "--disable-getting-started-override",
    ...(asksForTrust ? [] : ["--disable-workspace-trust"]),
    ...profileArguments(profile),
  ];
  // setpriv: it ends with this process, however that ends.
  return spawn("setpriv", ["--pdeathsig", "TERM", serverNode, serverProgram, ...args], {
    env: { ...process.env, XDG_RUNTIME_DIR: runtimeFolder, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

function profileArguments({ userDataFolder, extensionsFolder }: Profile): string[] {
  return ["--user-data-dir", userDataFolder, "--extensions-dir", extensionsFolder];
}

function listeningPort(child: ChildProcess, log: WriteStream | undefined): Promise<number> {
  let text = "";
  return new Promise((resolve, reject) => {
    const read = (data: Buffer) => {
      log?.write(data);
      text = (text + data.toString()).slice(-KEPT_OUTPUT);
      const [, port] = /Extension host agent listening on (\d+)/.exec(text) ?? [];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => {
      log?.end();
      reject(new Error(`the VS Code server ended with ${code}:\n${text}`));
    });
  });
}

function keepExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
