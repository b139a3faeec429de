/** BullMQ: jobs in a real Redis, one worker process per core, results through queue events. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Queue, QueueEvents } from "bullmq";
import { drive } from "./driver.ts";
import type { FunctionName, Listener, StartOptions, System } from "./system.ts";

const SLICE = 1_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function startRedis(dir: string): Promise<{ redis: ChildProcess; port: number }> {
  const port = await freePort();
  const redis = spawn("redis-server", ["--port", String(port), "--dir", dir], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const text of redis.stdout) if (String(text).includes("Ready to accept")) break;
  redis.stdout.resume();
  return { redis, port };
}

async function startWorker(port: number): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("./bullmq-worker.js", import.meta.url));
  const worker = spawn(process.execPath, [script, String(port)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await once(worker, "message");
  return worker;
}

class BullSystem implements System {
  private readonly children: ChildProcess[] = [];
  private readonly waiting = new Map<string, { result(value: unknown): void; error(error: unknown): void }>();
  private readonly dir = mkdtempSync(join(tmpdir(), "bench-redis-"));
  private port = 0;
  private queue: Queue | undefined;
  private events: QueueEvents | undefined;
  private nextId = 0;

  readonly address = () => String(this.port);

  async start({ address }: StartOptions): Promise<void> {
    if (address === undefined) await this.startServers();
    else this.port = Number(address);
    const connection = { host: "127.0.0.1", port: this.port };
    this.queue = new Queue("bench", { connection });
    // Its default, "from when I read first", misses what workers finish before that. Ids are times of the server.
    this.events = new QueueEvents("bench", { connection, lastEventId: String(Date.now()) });
    await this.events.waitUntilReady();
    this.events.on("completed", ({ jobId, returnvalue }) => this.take(jobId)?.result(returnvalue));
    this.events.on("failed", ({ jobId, failedReason }) => this.take(jobId)?.error(new Error(failedReason)));
  }

  private async startServers(): Promise<void> {
    const { redis, port } = await startRedis(this.dir);
    this.port = port;
    this.children.push(redis);
    this.children.push(...(await Promise.all(Array.from({ length: availableParallelism() }, () => startWorker(port)))));
  }

  private take(jobId: string) {
    const waiter = this.waiting.get(jobId);
    this.waiting.delete(jobId);
    return waiter;
  }

  async collect(fn: FunctionName, inputs: readonly unknown[]): Promise<unknown[]> {
    const results: unknown[] = [];
    const on = (index: number, value: unknown) => void (results[index] = value);
    await this.submit(fn, inputs, on, (error) => { throw error; });
    return fn === "echo" ? results.map((text) => Buffer.from(text as string, "base64")) : results;
  }

  async stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal): Promise<void> {
    signal?.addEventListener("abort", () => void this.queue!.drain());
    await this.submit(fn, inputs, (_, value) => on.result(value), on.error);
  }

  private async submit(
    fn: FunctionName, inputs: Iterable<unknown>,
    onResult: (index: number, value: unknown) => void, onError: (error: unknown) => void,
  ): Promise<void> {
    const prefix = `${process.pid}-${this.nextId++}`;
    let index = 0;
    let slice: { name: string; data: unknown; opts: { jobId: string } }[] = [];
    const settled: Promise<void>[] = [];
    const add = () => {
      const batch = slice;
      slice = [];
      return this.queue!.addBulk(batch);
    };
    for (const input of inputs) {
      const [jobId, at] = [`${prefix}-${index}`, index++];
      settled.push(new Promise((resolve) => {
        this.waiting.set(jobId, {
          result: (value) => void this.logs(fn, jobId).then(() => { onResult(at, value); resolve(); }),
          error: (error) => { onError(error); resolve(); },
        });
      }));
      slice.push({ name: fn, data: encode(input), opts: { jobId } });
      if (slice.length === SLICE) await add();
    }
    if (slice.length > 0) await add();
    await Promise.all(settled);
  }

  /** The lines of a job stay in Redis until somebody asks for them. */
  private async logs(fn: FunctionName, jobId: string): Promise<void> {
    if (fn !== "print") return;
    const { logs } = await this.queue!.getJobLogs(jobId);
    process.stdout.write(`${logs.join("\n")}\n`);
  }

  killWorker(pid: number): void {
    process.kill(pid, "SIGKILL");
  }

  async stop(): Promise<void> {
    await Promise.race([this.events?.close(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Data of a job is JSON, so bytes travel as text. */
function encode(input: unknown): unknown {
  return input instanceof Uint8Array ? Buffer.from(input.buffer).toString("base64") : input;
}

await drive(new BullSystem());
