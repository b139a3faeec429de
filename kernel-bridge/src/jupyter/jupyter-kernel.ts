/** A live Jupyter kernel: the line to it, and which life of it is at the other end. */
import { setTimeout as pause } from "node:timers/promises";
import { BurlaError, messageOf } from "@burla/protocol";
import { within } from "../deadline.ts";
import type { ArmedRun, ExecuteOptions, KernelEvent, KernelStatus, Language, LiveKernel } from "../kernel.ts";
import { armPython, type PythonClient } from "../python/arm.ts";
import { Connection } from "./connection.ts";
import type { JupyterEndpoint } from "./endpoint.ts";
import { Executions, type Execution } from "./executions.ts";
import { KernelAPI } from "./library.ts";
import type { Kernel, KernelMessage } from "./library.ts";
import { killKernel, stateOf } from "./requests.ts";
import { Watch } from "./watch.ts";

const CONNECT_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** A network may be away for as long as it takes to carry a computer home; who has waited so long does not know whether to wait on. */
const LINE_TIMEOUT_MS = 300_000;
/** Between two tries to restart. */
const RESTART_PAUSE_MS = 1_000;

export interface JupyterKernelOptions {
  readonly endpoint: JupyterEndpoint;
  readonly model: Kernel.IModel;
  readonly language: Language;
  /** Started here, so ended with this object. */
  readonly isOwn: boolean;
  /** What cells need to run on a cluster; asked for when the first is armed. */
  readonly client: () => Promise<PythonClient>;
  /** What runs is given up when the kernel cannot be reached for so long. */
  readonly lineTimeoutMs?: number;
}

export class JupyterKernel implements LiveKernel {
  readonly language: Language;
  readonly #endpoint: JupyterEndpoint;
  readonly #isOwn: boolean;
  readonly #client: () => Promise<PythonClient>;
  readonly #lineTimeoutMs: number;
  #model: Kernel.IModel;
  #connection: Connection;
  readonly #executions: Executions;
  readonly #listeners = new Set<(status: KernelStatus) => void>();
  #status: KernelStatus = "starting";
  #wasConnected = false;
  /** The line has shown to work. The library would keep back what it is given before, and may lose it without a word. */
  #doesFlow = false;
  #lineTimer: NodeJS.Timeout | undefined;
  #isRestarting = false;
  #isDisposed = false;
  /** Which life of the kernel the last status came from. */
  #life: string | undefined;

  private constructor({ endpoint, model, language, isOwn, client, lineTimeoutMs = LINE_TIMEOUT_MS }: JupyterKernelOptions) {
    this.#endpoint = endpoint;
    this.#model = model;
    this.language = language;
    this.#isOwn = isOwn;
    this.#client = client;
    this.#lineTimeoutMs = lineTimeoutMs;
    this.#executions = new Executions({
      line: () => this.#line,
      send: (execution) => this.#send(execution),
      watch: (lose) => this.#watch(lose),
      interrupt: () => this.interrupt(),
      answerInput: (request, text) => this.#answerInput(request, text),
    });
    this.#connection = this.#connect();
  }

  /** Resolves when the kernel can be talked to. @throws BurlaError BURLA_KERNEL */
  static async open(options: JupyterKernelOptions): Promise<JupyterKernel> {
    const kernel = new JupyterKernel(options);
    try {
      await kernel.#ready({ hasStarted: options.isOwn });
      return kernel;
    } catch (error) {
      await kernel.dispose();
      throw error;
    }
  }

  /** By which another connection finds this kernel. */
  get id(): string {
    return this.#model.id;
  }

  get status(): KernelStatus {
    return this.#status;
  }

  onStatus(listener: (status: KernelStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  execute(code: string, options: ExecuteOptions = {}): AsyncIterable<KernelEvent> {
    return this.#executions.add(code, options);
  }

  async arm(run: ArmedRun): Promise<void> {
    if (this.language !== "python") throw new BurlaError("BURLA_KERNEL", `cells of a Jupyter kernel for ${this.language} cannot run on a cluster`, { cure: "Choose Burla's own kernel for TypeScript and JavaScript." });
    await armPython(this, run, await this.#client());
  }

  async interrupt(): Promise<void> {
    await this.#request("interrupting the kernel", () => this.#connection.interrupt());
  }

  async restart(): Promise<void> {
    this.#isRestarting = true;
    this.#loseAll();
    this.#update();
    try {
      // A server that is just restarting a kernel that died refuses to restart it.
      await this.#replace().catch(() => pause(RESTART_PAUSE_MS).then(() => this.#replace()));
      await this.#ready({ hasStarted: true });
    } catch (error) {
      // The library may still wait for that restart, and send nothing meanwhile.
      if (!this.#isGone) this.#renew();
      throw asKernelError("the kernel did not restart", error);
    } finally {
      this.#isRestarting = false;
      this.#update();
      this.#executions.next();
    }
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#close();
    if (this.#isOwn) await this.#request("ending the kernel", () => KernelAPI.shutdownKernel(this.id, this.#endpoint.settings)).catch(() => undefined);
  }

  async leave(): Promise<void> {
    if (this.#isDisposed || !this.#executions.isRunning || !this.#isOwn) return this.dispose();
    this.#close();
    if (this.#endpoint.isLocal) await this.#request("ending the kernel", () => killKernel(this.id, this.#endpoint.settings)).catch(() => undefined);
  }

  #close(): void {
    this.#isDisposed = true;
    this.#loseAll();
    this.#connection.dispose();
    this.#stopWaitingForLine();
    this.#update();
  }

  async #request<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await within(ask(), REQUEST_TIMEOUT_MS, what);
    } catch (error) {
      throw asKernelError(`${what} failed`, error);
    }
  }

  #connect(): Connection {
    const connection = new Connection({ model: this.#model, serverSettings: this.#endpoint.settings, handleComms: false });
    connection.anyMessage.connect((_, { msg, direction }) => {
      if (direction === "recv" && connection === this.#connection) this.#hear(msg);
    });
    connection.statusChanged.connect(() => this.#hearStatus(connection));
    connection.connectionStatusChanged.connect(() => this.#hearLine(connection));
    return connection;
  }

  /** A kernel that this side did not start may be busy for hours: then an open connection is enough. */
  async #ready({ hasStarted }: { hasStarted: boolean }): Promise<void> {
    const connection = this.#connection;
    await within(connection.settled(), CONNECT_TIMEOUT_MS, "connecting to the kernel");
    if (connection.connectionStatus !== "connected") throw new BurlaError("BURLA_KERNEL", `the kernel at ${this.#endpoint.name} cannot be reached`);
    if (!hasStarted) return;
    const info = await within(connection.firstAnswer(START_TIMEOUT_MS), START_TIMEOUT_MS, "the kernel's first answer");
    if (info === undefined) throw new BurlaError("BURLA_KERNEL", "the kernel died when it was asked first");
  }

  async #replace(): Promise<void> {
    if (this.#isGone) return this.#revive();
    return within(this.#connection.restart(), START_TIMEOUT_MS, "restarting the kernel");
  }

  /** After its death: under its own id, or, where that is forgotten, as a new one. */
  async #revive(): Promise<void> {
    const { settings } = this.#endpoint;
    const again = KernelAPI.restartKernel(this.id, settings).catch(async () => {
      this.#model = await KernelAPI.startNew({ name: this.#model.name }, settings);
    });
    await within(again, START_TIMEOUT_MS, "starting the kernel again");
    this.#life = undefined;
    this.#wasConnected = false;
    this.#renew();
  }

  /** Another connection to the same kernel: what the library had still to send, or waited for, is forgotten. */
  #renew(): void {
    const old = this.#connection;
    this.#doesFlow = false;
    this.#connection = this.#connect();
    this.#waitForLine();
    old.dispose();
  }

  /** The library tries for ever while nobody answers. */
  #waitForLine(): void {
    this.#lineTimer ??= setTimeout(() => {
      this.#lineTimer = undefined;
      this.#loseAll();
      this.#renew();
    }, this.#lineTimeoutMs).unref();
  }

  #stopWaitingForLine(): void {
    clearTimeout(this.#lineTimer);
    this.#lineTimer = undefined;
  }

  /** No message will come any more. */
  get #isGone(): boolean {
    return this.#connection.isDisposed || this.#connection.connectionStatus === "disconnected";
  }

  /** Whether an execution can begin. */
  get #line(): "open" | "closed" | "gone" {
    if (this.#isRestarting) return "closed";
    if (this.#isGone) return "gone";
    return this.#doesFlow ? "open" : "closed";
  }

  #send({ code, isSilent, allowsInput, cellId }: Execution): string {
    const content = { code, silent: isSilent, store_history: !isSilent, allow_stdin: allowsInput, stop_on_error: false };
    const future = this.#connection.requestExecute(content, true, cellId === undefined ? {} : { cellId });
    future.done.catch(() => undefined);
    return future.msg.header.msg_id;
  }

  #watch(lose: () => void): Watch {
    return new Watch({
      isConnected: () => this.#connection.connectionStatus === "connected",
      look: () => stateOf(this.id, this.#endpoint),
      ask: async () => (await this.#connection.requestKernelInfo()) !== undefined,
      reconnect: () => void this.#connection.reconnect(),
      bury: () => this.#connection.handleShutdown(),
      lose,
    });
  }

  #hear(message: KernelMessage.IMessage): void {
    const isOfRunning = this.#executions.isOfRunning(message);
    this.#watchLife(message, isOfRunning);
    if (isOfRunning) this.#executions.hear(message);
  }

  /** Another client, or the server, may have put a new kernel in the place of this one. What that one runs is not lost. */
  #watchLife({ channel, header: { msg_type, session }, content }: KernelMessage.IMessage, isOfRunning: boolean): void {
    const state = (content as { execution_state?: unknown }).execution_state;
    if (channel !== "iopub" || msg_type !== "status" || (state !== "busy" && state !== "idle")) return;
    const isNew = this.#life !== undefined && this.#life !== session;
    this.#life = session;
    if (isNew && !isOfRunning && !this.#isRestarting) this.#loseAll();
  }

  #answerInput({ header }: KernelMessage.IMessage, value: string): void {
    if (!this.#connection.isDisposed) this.#connection.sendInputReply({ status: "ok", value }, header as KernelMessage.IInputRequestMsg["header"]);
  }

  #hearStatus(connection: Connection): void {
    if (connection !== this.#connection) return;
    if (connection.status === "dead" || connection.status === "autorestarting") {
      this.#life = undefined;
      this.#loseAll();
    }
    this.#update();
  }

  #hearLine(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#doesFlow = false;
    if (connection.connectionStatus === "connecting") this.#waitForLine();
    else this.#stopWaitingForLine();
    if (connection.connectionStatus === "disconnected") this.#loseAll();
    if (connection.connectionStatus === "connected") {
      if (this.#wasConnected) this.#executions.hearLine();
      this.#wasConnected = true;
      void this.#open(connection);
    }
    this.#update();
  }

  async #open(connection: Connection): Promise<void> {
    await connection.flows();
    if (connection !== this.#connection || connection.connectionStatus !== "connected") return;
    this.#doesFlow = true;
    this.#executions.next();
  }

  #loseAll(): void {
    this.#executions.loseAll();
    this.#update();
  }

  #update(): void {
    const status = this.#currentStatus();
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) listener(status);
  }

  #currentStatus(): KernelStatus {
    const { status, connectionStatus } = this.#connection;
    if (this.#isDisposed) return "dead";
    if (this.#isRestarting || status === "restarting" || status === "autorestarting") return "restarting";
    if (status === "dead" || connectionStatus === "disconnected") return "dead";
    if (connectionStatus === "connecting") return this.#wasConnected ? "reconnecting" : "starting";
    if (status === "busy" || status === "idle") return status;
    return this.#executions.isRunning ? "busy" : "starting";
  }
}

function asKernelError(what: string, error: unknown): BurlaError {
  return error instanceof BurlaError ? error : new BurlaError("BURLA_KERNEL", `${what}: ${messageOf(error)}`, { cause: error });
}
