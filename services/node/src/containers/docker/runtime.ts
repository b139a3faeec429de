/** Workers in containers of the Docker Engine on this machine. */
import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { BurlaError, messageOf, type ContainerKind, type ContainersSpec } from "@burla/protocol";
import { isDiskError } from "../../disk.ts";
import { FailedContainer } from "../failed.ts";
import type { Container, ContainerOptions, ContainerRuntime, Task, TaskOutcome } from "../runtime.ts";
import { DockerContainer, missingImage, removeContainer } from "./container.ts";
import { Engine, refusal, statusOf } from "./engine.ts";
import { LABELS, spaceOf } from "./names.ts";
import { runTask } from "./task.ts";

const NOT_FOUND = 404;

export interface DockerRuntimeOptions {
  readonly nodeId: string;
  /** The folder of the node service. */
  readonly directory: string;
  /** Holds the socket that workers dial. */
  readonly sockets: string;
  /** Holds what the job of the moment needs. */
  readonly jobFolder: string;
  /** Holds packages by content hash. */
  readonly packages: string;
  readonly workerProgram: string;
  /** The same for Python, a folder. */
  readonly pythonWorkerProgram: string;
  readonly containers: Pick<ContainersSpec, "network" | "scratchMiB" | "maxProcesses">;
  readonly kinds: readonly Pick<ContainerKind, "image">[];
  /** `trouble` has changed. */
  readonly onTrouble: () => void;
}

export class DockerRuntime implements ContainerRuntime {
  readonly limitsCpu = true;
  readonly sharesMachine = false;
  readonly #options: DockerRuntimeOptions;
  readonly #engine: Engine;
  readonly #space: string;
  readonly #output: string;
  #engineCpus = Infinity;

  private constructor(options: DockerRuntimeOptions, docker: Docker) {
    this.#options = options;
    this.#engine = new Engine(docker, { onChange: options.onTrouble });
    this.#space = spaceOf(options.directory);
    this.#output = join(options.directory, "output");
    for (const folder of [this.#output, options.sockets, options.jobFolder, options.packages]) {
      mkdirSync(folder, { recursive: true });
      // Containers have another user; the folder of the node keeps everybody else out.
      chmodSync(folder, 0o755);
    }
  }

  /** Connects to the engine of DOCKER_HOST, else of the usual socket; `prepare` is the first to ask it. */
  static async connect(options: DockerRuntimeOptions): Promise<DockerRuntime> {
    const { default: Client } = await import("./dockerode.ts");
    return new DockerRuntime(options, new Client());
  }

  get trouble(): string {
    return this.#engine.isLost ? "waits for the Docker Engine, which does not answer" : "";
  }

  async prepare(): Promise<void> {
    try {
      const { NCPU } = (await this.#engine.request((docker) => docker.info())) as { NCPU: number };
      this.#engineCpus = NCPU;
      await this.#removeLeftovers();
      await Promise.all(this.#options.kinds.map(({ image }) => this.#idOf(image ?? "")));
    } catch (error) {
      throw refusal(error);
    }
  }

  start(options: ContainerOptions): Container {
    const { containers, sockets, jobFolder, packages, workerProgram, pythonWorkerProgram } = this.#options;
    const limits = { ...containers, ...this.#name, paths: { sockets, job: jobFolder, packages, workerProgram, pythonWorkerProgram } };
    try {
      return new DockerContainer(options, limits, this.#engine, this.#output);
    } catch (error) {
      return new FailedContainer(options.workerId, messageOf(error), isDiskError(error) ? "engine-failed" : "refused");
    }
  }

  async environmentId({ image }: Pick<Task, "image">): Promise<string> {
    return this.#idOf(image ?? "");
  }

  run(task: Task): Promise<TaskOutcome> {
    return runTask(this.#engine, task, this.#name);
  }

  get #name() {
    return { nodeId: this.#options.nodeId, space: this.#space, engineCpus: this.#engineCpus };
  }

  async #removeLeftovers(): Promise<void> {
    const filters = { label: [`${LABELS.space}=${this.#space}`] };
    const left = await this.#engine.request((docker) => docker.listContainers({ all: true, filters }));
    await Promise.all(left.map(({ Id }) => this.#engine.request((docker) => removeContainer(docker, Id)).catch(ignoreMissing)));
    for (const name of readdirSync(this.#output)) rmSync(join(this.#output, name), { recursive: true, force: true });
  }

  async #idOf(image: string): Promise<string> {
    try {
      const { Id } = await this.#engine.request((docker) => docker.getImage(image).inspect());
      return Id;
    } catch (error) {
      if (statusOf(error) !== NOT_FOUND) throw error;
      const [message = "", cure = ""] = missingImage(image).split(". ", 2);
      throw new BurlaError("BURLA_CONTAINERS", message, { cause: error, cure });
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (statusOf(error) !== NOT_FOUND) throw error;
}
