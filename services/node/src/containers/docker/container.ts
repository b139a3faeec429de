/** One container of the engine, from its making to its removal. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import type { WorkerId } from "@burla/protocol";
import { KILL_AFTER_MS, tailOf, type Container, type ContainerOptions, type ExitReport } from "../runtime.ts";
import { PrintedFiles } from "../printed.ts";
import { engineMessage, refusal, statusOf, unless, type Engine } from "./engine.ts";
import { KILLED, reportOf, type EndState } from "./exit.ts";
import { createOptions, type LockDown } from "./lock-down.ts";
import { waitForExit } from "./wait.ts";

const NOT_MODIFIED = 304;
const NOT_FOUND = 404;
const CONFLICT = 409;
const FIRST_SERVER_ERROR = 500;
/** How long an engine that stops may still answer. */
const STOPPING_MS = 150;
/** The worker is another user; the folder of the node keeps everybody else out. */
const OPEN_TO_ALL = 0o666;

export type ContainerLimits = Omit<LockDown, "paths"> & { readonly paths: Omit<LockDown["paths"], "output"> };

export class DockerContainer implements Container {
  readonly workerId: WorkerId;
  /** Its processes belong to the engine, which may run on another kernel than this. */
  readonly pid = 0;
  readonly printed: PrintedFiles;
  readonly exited: Promise<ExitReport>;
  readonly #options: ContainerOptions;
  readonly #engine: Engine;
  readonly #output: string;
  readonly #create: ReturnType<typeof createOptions>;
  #lostEngine = false;
  #isKilled = false;
  #isEnding = false;
  #killTimer: NodeJS.Timeout | undefined;
  #giveUp: () => void = () => undefined;
  #onLost: () => void = () => undefined;

  /** @param outputRoot where the files of its output are made, in a folder of their own. */
  constructor(options: ContainerOptions, limits: ContainerLimits, engine: Engine, outputRoot: string) {
    this.workerId = options.workerId;
    this.#options = options;
    this.#engine = engine;
    this.#output = join(outputRoot, options.workerId);
    this.#create = createOptions(options, { ...limits, paths: { ...limits.paths, output: this.#output } });
    makeOutput(this.#output);
    this.printed = new PrintedFiles(this.#output, OPEN_TO_ALL);
    this.exited = this.#live().finally(() => {
      clearTimeout(this.#killTimer);
      rmSync(this.#output, { recursive: true, force: true });
    });
  }

  stop(): void {
    if (this.#isKilled) return;
    void this.#signal("SIGTERM");
    this.#killTimer ??= setTimeout(() => this.kill(), KILL_AFTER_MS);
  }

  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    // Nobody can say whether it still runs: what is left of it is removed when the engine is back.
    if (this.#engine.isLost) this.#giveUp();
    else void this.#signal("SIGKILL");
  }

  async #live(): Promise<ExitReport> {
    const givenUp = new Promise<null>((resolve) => (this.#giveUp = () => resolve(null)));
    try {
      await this.#start();
    } catch (error) {
      // Nothing of it is left when its end is told, unless nobody can say.
      await this.#removeWhileThere();
      return this.#notStarted(error);
    }
    if (this.#isKilled) void this.#signal("SIGKILL");
    const state = await Promise.race([this.#ended(), givenUp]);
    this.#isEnding = true;
    const stderr = this.#readStderr();
    await this.#removeWhileThere();
    return reportOf(state, { ramMiB: this.#options.ramMiB, stderr, lostEngine: this.#lostEngine });
  }

  /** What is left of it when the engine is away is removed later: nobody waits for that. */
  async #removeWhileThere(): Promise<void> {
    const lost = new Promise<void>((resolve) => (this.#onLost = resolve));
    const removed = this.#remove();
    if (!this.#lostEngine && !this.#engine.isLost) await Promise.race([removed, lost]);
  }

  #noteLost(): void {
    this.#lostEngine = true;
    this.#onLost();
  }

  async #start(): Promise<void> {
    const { name } = this.#create;
    await this.#engine.request(async (docker) => {
      await docker.createContainer(this.#create).catch(unless(CONFLICT));
    });
    if (this.#isKilled) throw new Error("it was ended before it was started");
    await this.#engine.request((docker) => docker.getContainer(name).start().catch(unless(NOT_MODIFIED)));
  }

  async #ended(): Promise<EndState | null> {
    try {
      const onLost = () => {
        this.#noteLost();
        if (this.#isKilled) this.#giveUp();
      };
      return await this.#engine.request(async (docker) => {
        const { name } = this.#create;
        const exitCode = await waitForExit(docker, name);
        const { State } = await docker.getContainer(name).inspect();
        if (exitCode === KILLED && !State.OOMKilled && !this.#isKilled) await seeThatItStays(docker);
        return { exitCode, isOutOfMemory: State.OOMKilled };
      }, onLost);
    } catch {
      // Removed by somebody else, or the engine does not come back.
      return null;
    }
  }

  #notStarted(error: unknown): ExitReport {
    if (this.#isKilled) return { cause: "ended", code: null, signal: "SIGKILL", why: null, outOfMemory: null, stderrTail: "" };
    const status = statusOf(error) ?? FIRST_SERVER_ERROR;
    const isImageMissing = status === NOT_FOUND && /image/i.test(engineMessage(error));
    const message = isImageMissing ? missingImage(this.#create.Image ?? "") : refusal(error).message;
    return { cause: status < FIRST_SERVER_ERROR ? "refused" : "engine-failed", code: null, signal: null, why: null, outOfMemory: null, stderrTail: tailOf(message) };
  }

  async #signal(signal: string): Promise<void> {
    if (this.#isEnding || this.#engine.isLost) return;
    await this.#engine.request((docker) => docker.getContainer(this.#create.name).kill({ signal })).catch(() => undefined);
  }

  /** A container that somebody else removed is as well. */
  async #remove(): Promise<void> {
    await this.#engine.request((docker) => removeContainer(docker, this.#create.name), () => this.#noteLost()).catch(() => undefined);
  }

  #readStderr(): string {
    try {
      return readFileSync(join(this.#output, "stderr"), "utf8");
    } catch {
      return "";
    }
  }
}

/** An engine that is being stopped ends its containers first, and answers a moment longer. @throws Error when it is gone. */
async function seeThatItStays(docker: Docker): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, STOPPING_MS));
  await docker.ping();
}

/** Ends and removes a container with the volumes that its image asked for. */
export async function removeContainer(docker: Docker, nameOrId: string): Promise<void> {
  await docker.getContainer(nameOrId).remove({ force: true, v: true });
}

/** Says that an image is not there, and in a second sentence how to get it. */
export function missingImage(image: string): string {
  const own = /^burla\/worker-(node|python):/.exec(image)?.[1];
  return `the image ${image} is not on this machine. ${own !== undefined ? `\`burla image${own === "python" ? " --runtime python" : ""}\` makes it.` : `Fetch it with \`docker pull ${image}\`, or correct its name in the cluster spec.`}`;
}

/** The worker, another user, may write to the files and make no others. */
function makeOutput(folder: string): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  for (const name of ["stdout", "stderr"]) {
    writeFileSync(join(folder, name), "");
    chmodSync(join(folder, name), OPEN_TO_ALL);
  }
}
