/** Real workers for the tests of this service: the worker program, its processes, and the socket that they dial. */
import { buildSync } from "esbuild";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeEnvelopes, decodeValues, encodeValues, fromEnvelope, indexAt, newJobId, unpack, type BundleId, type JobSpec, type LogEntry, type MainToNode, type Of } from "@burla/protocol";
import { ProcessRuntime } from "./containers/process.ts";
import { JobGroup, type DurableMessage } from "./job-group.ts";
import { Slot, type HeldGrant } from "./slot.ts";
import { WorkerServer } from "./worker-server.ts";

/** A folder with a worker program, a runtime for it, and a socket. */
export interface Workshop {
  readonly directory: string;
  readonly runtime: ProcessRuntime;
  readonly server: WorkerServer;
  newSlot(ramMiB?: number): Slot;
  close(): void;
}

/** Builds the worker program and listens for workers; to be closed. */
export async function openWorkshop(): Promise<Workshop> {
  const directory = mkdtempSync(join(tmpdir(), "burla-node-"));
  const workerProgram = join(directory, "worker.mjs");
  buildSync({
    entryPoints: [fileURLToPath(new URL("../../worker/src/main.ts", import.meta.url))], outfile: workerProgram, bundle: true, platform: "node", format: "esm",
    logLevel: "error",
    banner: { js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);' },
  });
  const runtime = new ProcessRuntime({ workerProgram, pythonWorkerProgram: "", python: "python3", directory: join(directory, "workers") });
  const server = new WorkerServer(join(directory, "workers.sock"), () => undefined);
  await server.listen();
  return {
    directory, runtime, server,
    newSlot: (ramMiB = 256) => new Slot({ runtime, server, kind: "node", python: null, image: null, cpu: 1, ramMiB }),
    close: () => {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const SPEC: JobSpec = {
  name: "test", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0, grow: 0, timeoutMs: null,
  detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: "a".repeat(64) as BundleId, externals: [] },
};

/** A job on this node, with all that it reported, opened and in order. */
export class TestGroup {
  readonly group: JobGroup;
  readonly outcomes = new Map<number, unknown>();
  readonly reports: DurableMessage[] = [];
  readonly ended: Extract<DurableMessage, { type: "grantEnded" }>[] = [];
  readonly lines: LogEntry[] = [];
  readonly failures: unknown[] = [];
  readonly #waiting = new Set<() => void>();
  #grants = 0;

  constructor(workshop: Workshop, code: string | Promise<string>, { workers = 1, ramMiB = 256, ...spec }: Partial<Omit<JobSpec, "ramMiB">> & { workers?: number; ramMiB?: number } = {}) {
    const assign: Of<MainToNode, "assign"> = { type: "assign", jobId: newJobId(), spec: { ...SPEC, ...spec }, workers, token: "t", codeBytes: 0 };
    this.group = new JobGroup(
      {
        assign,
        values: new Uint8Array(0),
        prepare: async () => ({ bundlePath: await (typeof code === "string" ? writeBundle(workshop, assign.jobId, code) : code), packagesPath: null }),
        environment: { env: [], isWholeEnv: false },
        startWorker: () => workshop.newSlot(ramMiB),
        openQueue: () => ({
          report: (message, body) => this.#report(message, body),
          lines: (_dropped, body) => {
            this.lines.push(...(unpack(body) as LogEntry[]));
            this.#changed();
          },
          drain: () => undefined,
          close: () => Promise.resolve(),
        }),
        changed: () => this.#changed(),
        busyChanged: () => this.#changed(),
        nodeFailed: () => undefined,
      },
      Array.from({ length: workers }, () => workshop.newSlot(ramMiB)),
    );
  }

  grant(inputs: readonly unknown[], { first = 0, from = 0, to = inputs.length, alone = false } = {}): HeldGrant {
    const grantId = ++this.#grants;
    return this.group.take({ type: "grant", jobId: this.group.jobId, grantId, chunkId: grantId, first, from, to, attempt: 1, alone }, encodeValues(inputs));
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
      this.#waiting.clear();
    }
  }

  #report(message: DurableMessage, body: Uint8Array): void {
    this.reports.push(message);
    if (message.type === "grantEnded") this.ended.push(message);
    if (message.type === "loadFailed") this.failures.push(...decodeEnvelopes(body).map(fromEnvelope));
    if (message.type === "nodeResults") {
      const values = message.valuesBytes === 0 ? [] : decodeValues(body.subarray(0, message.valuesBytes));
      const errors = decodeEnvelopes(body.subarray(message.valuesBytes)).map(fromEnvelope);
      for (let position = 0; position < message.count; position++) {
        this.outcomes.set(indexAt(message, position), message.failed.includes(position) ? errors.shift() : values.shift());
      }
    }
    this.#changed();
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
  }
}

function writeBundle({ directory }: Workshop, name: string, code: string): Promise<string> {
  const path = join(directory, `${name}.mjs`);
  writeFileSync(path, code);
  return Promise.resolve(path);
}
