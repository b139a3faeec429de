/** This side of the kernel host: its program, and the `fetch` and `WebSocket` that end in it instead of a server. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { fromHostSchema, type FromHost, type ToHost } from "./host/messages.ts";
import type { JupyterEndpoint } from "./endpoint.ts";
import { ServerConnection } from "./library.ts";

export interface KernelHostOptions {
  /** The program, as a bundle has placed it; left out, the source beside this file. */
  readonly program?: string;
  /** The Node that runs it; left out, the one that runs this. */
  readonly nodePath?: string;
}

/** No server listens there: the library wants an address. */
const BASE_URL = "http://kernel-host.invalid/";
const MAX_STDERR_LENGTH = 4_000;
/** After `dispose` the kernels have this long to end. */
const END_TIMEOUT_MS = 10_000;

/** Local kernels without a Jupyter server. They end when this process does, however it does. */
export class KernelHost {
  readonly #options: KernelHostOptions;
  #child: ChildProcess | undefined;
  #stderr = "";
  #isDisposed = false;
  #nextId = 0;
  readonly #pending = new Map<number, (response: Response) => void>();
  readonly #sockets = new Map<number, HostSocket>();
  readonly endpoint: JupyterEndpoint;

  constructor(options: KernelHostOptions = {}) {
    this.#options = options;
    this.endpoint = { settings: this.#settings(), name: "this machine", isLocal: true };
  }

  /** Ends the host and all kernels in it. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const timer = setTimeout(() => child.kill("SIGKILL"), END_TIMEOUT_MS);
    if (child.connected) child.disconnect();
    await ended;
    clearTimeout(timer);
  }

  /** For `HostSocket`. */
  open(socket: HostSocket, kernelId: string, session: string): number {
    const id = this.#nextId++;
    this.#sockets.set(id, socket);
    this.#say({ type: "open", socket: id, kernelId, session });
    return id;
  }

  send(socket: number, text: string): void {
    this.#say({ type: "frame", socket, text });
  }

  close(socket: number): void {
    this.#sockets.delete(socket);
    this.#say({ type: "close", socket });
  }

  #settings(): JupyterEndpoint["settings"] {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const host = this;
    class SocketOfHost extends HostSocket {
      constructor(url: string | URL) {
        super(host, String(url));
      }
    }
    return ServerConnection.makeSettings({
      baseUrl: BASE_URL,
      wsUrl: BASE_URL.replace("http", "ws"),
      token: "",
      fetch: (input, init) => this.#fetch(input instanceof Request ? input : new Request(input, init)),
      WebSocket: SocketOfHost as unknown as typeof WebSocket,
    });
  }

  async #fetch(request: Request): Promise<Response> {
    const id = this.#nextId++;
    const method = request.method as "GET" | "POST" | "DELETE";
    const body = method === "POST" ? await request.text() : null;
    const { pathname, search } = new URL(request.url);
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#say({ type: "request", id, method, path: pathname + search, body });
    });
  }

  #say(message: ToHost): void {
    if (!this.#isDisposed) this.#child ??= this.#start();
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
    // The socket that says this may be just in the making.
    else setImmediate(() => this.#lose("it has ended"));
  }

  #start(): ChildProcess {
    const { program = fileURLToPath(new URL("host/main.ts", import.meta.url)), nodePath } = this.#options;
    const child = fork(program, [], {
      execPath: nodePath ?? process.execPath,
      // A bundle runs as it is; the source needs the loader that this process has.
      execArgv: program.endsWith(".ts") ? process.execArgv.filter((word) => !word.startsWith("--test") && !word.startsWith("--inspect")) : [],
      env: environment(nodePath === undefined),
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "json",
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_LENGTH)));
    child.on("message", (message) => this.#hear(message));
    child.once("error", (error) => this.#lose(error.message));
    child.once("exit", (code, signal) => {
      this.#child = undefined;
      this.#lose(`it ended with ${signal ?? `code ${code}`}: ${this.#stderr.trim() || "it said nothing"}`);
    });
    return child;
  }

  #hear(message: unknown): void {
    const parsed = v.safeParse(fromHostSchema, message);
    if (!parsed.success) return;
    const heard: FromHost = parsed.output;
    if (heard.type === "response") return this.#settle(heard);
    const socket = this.#sockets.get(heard.socket);
    if (heard.type === "opened") socket?.hearOpen();
    else if (heard.type === "frame") socket?.hear(heard.text);
    else {
      this.#sockets.delete(heard.socket);
      socket?.hearClose(LOST);
    }
  }

  #settle({ id, status, body }: Extract<FromHost, { type: "response" }>): void {
    const resolve = this.#pending.get(id);
    this.#pending.delete(id);
    resolve?.(new Response(body, { status, headers: { "content-type": "application/json" } }));
  }

  /** The host is gone, and all kernels with it: no use in trying again, as the library does when a server is not reached. */
  #lose(reason: string): void {
    const body = JSON.stringify({ message: `the program that runs local kernels is gone: ${reason}` });
    for (const id of [...this.#pending.keys()]) this.#settle({ type: "response", id, status: 410, body });
    for (const socket of this.#sockets.values()) socket.hearClose(GONE);
    this.#sockets.clear();
  }
}

/** WebSocket's code for a peer that goes away for good, and for one that was lost. */
const GONE = 1001;
const LOST = 1006;

/** As much of a WebSocket as the library uses. */
class HostSocket {
  readyState = 0;
  readonly protocol = "";
  binaryType = "arraybuffer";
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly #host: KernelHost;
  readonly #id: number;

  constructor(host: KernelHost, url: string) {
    const { pathname, searchParams } = new URL(url);
    this.#host = host;
    this.#id = host.open(this, decodeURIComponent(/\/kernels\/([^/]+)\//.exec(pathname)?.[1] ?? ""), searchParams.get("session_id") ?? "");
  }

  send(text: string): void {
    if (this.readyState === 1) this.#host.send(this.#id, text);
  }

  close(): void {
    this.readyState = 3;
    this.#host.close(this.#id);
  }

  hearOpen(): void {
    this.readyState = 1;
    this.onopen?.({});
  }

  hear(data: string): void {
    if (this.readyState === 1) this.onmessage?.({ data });
  }

  hearClose(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** The editor's options are for its own program. */
function environment(isOwn: boolean): NodeJS.ProcessEnv {
  const inherited = { ...process.env };
  for (const name of ["NODE_OPTIONS", "ELECTRON_RUN_AS_NODE", "VSCODE_ESM_ENTRYPOINT", "VSCODE_NLS_CONFIG", "NODE_TEST_CONTEXT"]) Reflect.deleteProperty(inherited, name);
  return isOwn && process.versions["electron"] !== undefined ? { ...inherited, ELECTRON_RUN_AS_NODE: "1" } : inherited;
}
