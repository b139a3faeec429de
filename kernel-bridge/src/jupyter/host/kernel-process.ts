/** One kernel: its program, and the four sockets by which it is heard. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Dealer, Subscriber } from "zeromq";
import type { Frame } from "./messages.ts";
import type { KernelSpecFile } from "./specs.ts";
import { decode, encode, requestOf, statusFrame, type Parsed } from "./wire.ts";

const START_TIMEOUT_MS = 60_000;
/**
 * What is published before a subscription has reached the kernel is lost; so it is asked again until it is heard. Less
 * and less often: all that is asked before it listens has to be answered when it does.
 */
const FIRST_NUDGE_MS = 100;
const LAST_NUDGE_MS = 2_000;
/** For the line of questions, when the kernel answers on the others. */
const JOIN_TIMEOUT_MS = 5_000;
/** From the request to end until force. */
const SHUTDOWN_TIMEOUT_MS = 5_000;
const MAX_STDERR_LENGTH = 4_000;

type Channel = Frame["channel"];
const CHANNELS = ["shell", "control", "stdin", "iopub"] as const satisfies Channel[];

export interface KernelProcessOptions {
  readonly spec: KernelSpecFile;
  readonly name: string;
  readonly cwd: string | undefined;
  /** A frame for everybody who listens, or, with a session, for the one who asked. */
  readonly onFrame: (frame: string, session: string | null) => void;
  /** The program has ended by itself. */
  readonly onDeath: () => void;
}

export class KernelProcess {
  readonly #options: KernelProcessOptions;
  /** Tells what the host itself asks from what its clients ask. */
  readonly #session = randomUUID();
  #life: Life | undefined;

  constructor(options: KernelProcessOptions) {
    this.#options = options;
  }

  get isAlive(): boolean {
    return this.#life !== undefined && isRunning(this.#life.child);
  }

  /** Resolves when the kernel answers on all channels. @throws Error that says what its program said. */
  async start(): Promise<void> {
    const { spec, name, cwd } = this.#options;
    const folder = await mkdtemp(join(tmpdir(), "burla-kernel-"));
    const { ports, key, file } = await writeConnectionFile(folder, name);
    const argv = spec.argv.map((word) => word.replaceAll("{connection_file}", file));
    // JPY_PARENT_PID: ipykernel ends by itself when this program is gone. A group of its own: its subprocesses end with it.
    const child = spawn(argv[0] ?? "", argv.slice(1), {
      cwd, detached: true, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...spec.env, JPY_PARENT_PID: String(process.pid) },
    });
    const life: Life = { child, folder, key, sockets: openSockets(ports), heard: new AbortController(), stderr: "", isHeard: false, isEnding: false, failure: undefined, queue: Promise.resolve() };
    this.#life = life;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (life.stderr = (life.stderr + text).slice(-MAX_STDERR_LENGTH)));
    // A program that is not there is told of after this turn.
    child.once("error", (error) => {
      life.failure = error.message;
      life.heard.abort();
    });
    child.once("exit", () => this.#hearExit(life));
    for (const channel of CHANNELS) void this.#pump(life, channel);
    try {
      await this.#nudge(life);
      const timer = new AbortController();
      await Promise.race([life.sockets.hasJoined, pause(JOIN_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    } catch (error) {
      await this.#end(life);
      throw error;
    }
  }

  send(frame: Frame): void {
    const life = this.#life;
    if (life !== undefined) this.#post(life, frame.channel, frame);
  }

  interrupt(): void {
    const life = this.#life;
    if (life === undefined) return;
    if (this.#options.spec.interrupt_mode === "message") this.#post(life, "control", requestOf("interrupt_request", this.#session));
    else signal(life.child, "SIGINT");
  }

  /** @throws Error as `start` does; then the kernel is dead. */
  async restart(): Promise<void> {
    await this.stop({ restart: true });
    try {
      await this.start();
    } catch (error) {
      this.#tellDead();
      throw error;
    }
  }

  /** Asks the kernel to end, so that it can tidy up, then ends it; with `now`, without a word. */
  async stop({ restart = false, now = false }: { restart?: boolean; now?: boolean } = {}): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    life.isEnding = true;
    if (!now && isRunning(life.child)) {
      // A loop that is busy would not hear the request.
      this.interrupt();
      this.#post(life, "control", requestOf("shutdown_request", this.#session, { restart }));
      const exit = new Promise<void>((resolve) => life.child.once("exit", () => resolve()));
      const timer = new AbortController();
      await Promise.race([exit, pause(SHUTDOWN_TIMEOUT_MS, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    }
    await this.#end(life);
    if (!restart) this.#tellDead();
  }

  /** At once, when nobody is left who waits. */
  kill(): void {
    if (this.#life !== undefined) signal(this.#life.child, "SIGKILL");
  }

  async #end(life: Life): Promise<void> {
    life.isEnding = true;
    signal(life.child, "SIGKILL");
    for (const channel of CHANNELS) life.sockets[channel].close();
    await rm(life.folder, { recursive: true, force: true });
    if (this.#life === life) this.#life = undefined;
  }

  #hearExit(life: Life): void {
    if (life.isEnding || !life.isHeard) return;
    this.#tellDead();
    void this.#end(life);
    this.#options.onDeath();
  }

  /** To all who have a line to it. */
  #tellDead(): void {
    this.#options.onFrame(statusFrame("dead", this.#session), null);
  }

  async #nudge(life: Life): Promise<void> {
    const endMs = performance.now() + START_TIMEOUT_MS;
    for (let nudgeMs = FIRST_NUDGE_MS; !life.isHeard; nudgeMs = Math.min(2 * nudgeMs, LAST_NUDGE_MS)) {
      if (life.failure !== undefined) throw new Error(`the kernel could not be started: ${life.failure}`);
      if (life.child.pid !== undefined && !isRunning(life.child)) throw new Error(`the kernel ended with ${life.child.signalCode ?? `code ${life.child.exitCode}`}: ${life.stderr.trim() || "it said nothing"}`);
      if (performance.now() > endMs) throw new Error(`the kernel did not answer within ${START_TIMEOUT_MS / 1000} s: ${life.stderr.trim() || "it said nothing"}`);
      this.#post(life, "shell", requestOf("kernel_info_request", this.#session));
      await pause(nudgeMs, undefined, { signal: life.heard.signal }).catch(() => undefined);
    }
  }

  async #pump(life: Life, channel: Channel): Promise<void> {
    try {
      for await (const frames of life.sockets[channel]) {
        const message = decode(life.key, frames);
        if (message !== undefined) this.#deliver(life, channel, message);
      }
    } catch {
      // A socket that is closed while it is read: the life of this kernel is over.
    }
  }

  #deliver(life: Life, channel: Channel, message: Parsed): void {
    if (channel === "iopub" && !life.isHeard) {
      life.isHeard = true;
      life.heard.abort();
    }
    if (message.parentSession === this.#session) return;
    this.#options.onFrame(message.frame(channel), channel === "iopub" ? null : message.parentSession);
  }

  #post(life: Life, channel: Channel, message: Omit<Frame, "channel">): void {
    if (channel === "iopub") return;
    const socket = life.sockets[channel];
    // A socket takes one message at a time.
    life.queue = life.queue.then(() => socket.send(encode(life.key, message))).catch(() => undefined);
  }
}

/** From one start to the end of its program. */
interface Life {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly key: string;
  readonly sockets: Sockets;
  readonly heard: AbortController;
  stderr: string;
  isHeard: boolean;
  isEnding: boolean;
  failure: string | undefined;
  queue: Promise<void>;
}

interface Sockets {
  readonly shell: Dealer;
  readonly control: Dealer;
  readonly stdin: Dealer;
  readonly iopub: Subscriber;
  /** A kernel drops a question for whoever is not known on stdin yet, and then waits for the answer. */
  readonly hasJoined: Promise<void>;
}

type Ports = Record<"shell" | "iopub" | "stdin" | "control" | "hb", number>;

function openSockets(ports: Ports): Sockets {
  // Kernels send a question on stdin to the identity that asked on shell.
  const routingId = randomUUID();
  const dealer = (port: number, socket = new Dealer({ routingId, linger: 0 })) => {
    socket.connect(`tcp://127.0.0.1:${port}`);
    return socket;
  };
  const stdin = new Dealer({ routingId, linger: 0 });
  const hasJoined = new Promise<void>((resolve) => stdin.events.on("handshake", () => resolve()));
  const iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  iopub.subscribe();
  iopub.connect(`tcp://127.0.0.1:${ports.iopub}`);
  return { shell: dealer(ports.shell), control: dealer(ports.control), stdin: dealer(ports.stdin, stdin), iopub, hasJoined };
}

async function writeConnectionFile(folder: string, name: string): Promise<{ ports: Ports; key: string; file: string }> {
  const [shell = 0, iopub = 0, stdin = 0, control = 0, hb = 0] = await freePorts(5);
  const key = randomUUID();
  const file = join(folder, "connection.json");
  const content = {
    transport: "tcp", ip: "127.0.0.1", shell_port: shell, iopub_port: iopub, stdin_port: stdin, control_port: control, hb_port: hb,
    key, signature_scheme: "hmac-sha256", kernel_name: name,
  };
  await writeFile(file, JSON.stringify(content), { mode: 0o600 });
  return { ports: { shell, iopub, stdin, control, hb }, key, file };
}

/** All are held until the last is found, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
      const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => resolve(server));
    })),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** To the whole group: what a cell has started in a shell stops, too. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
