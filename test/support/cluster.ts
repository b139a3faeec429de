/** A local cluster of its own for a test file: a temporary state folder, used by this process and by its scripts. */
import { after, before } from "node:test";
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { connectionFileSchema, statusSchema, type ClusterStatus, type ConnectionFile, type JobSummary } from "@burla/protocol";
import { cpuMsOf, processesWith, type ClusterProcess } from "./processes.ts";
import { pause, until } from "./until.ts";

const IDLE_LOOK_MS = 250;
/** What an idle worker, its clocks included, may use of a processor. */
const IDLE_SHARE = 0.1;

export class TestCluster {
  readonly home: string;

  /** @param name of its state folder. */
  constructor(name = "burla-e2e-") {
    this.home = mkdtempSync(join(tmpdir(), name));
  }

  get directory(): string {
    return join(this.home, "clusters", "local");
  }

  get connectionFile(): string {
    return join(this.directory, "cluster.json");
  }

  get isAnnounced(): boolean {
    return existsSync(this.connectionFile);
  }

  /** @throws when the cluster is not running. */
  get address(): ConnectionFile {
    return v.parse(connectionFileSchema, JSON.parse(readFileSync(this.connectionFile, "utf8")));
  }

  get log(): string {
    return readFileSync(join(this.directory, "main.log"), "utf8");
  }

  /** A control request with the owner's token. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    const { url, token } = this.address;
    return fetch(new URL(path, url), { ...init, headers: { authorization: `Bearer ${token}`, connection: "close", ...init.headers } });
  }

  async status(): Promise<ClusterStatus> {
    return v.parse(statusSchema, await (await this.request("/v1/status")).json());
  }

  async job(jobId: string): Promise<JobSummary> {
    const found = (await this.status()).jobs.find((job) => job.jobId === jobId);
    if (found === undefined) throw new Error(`the cluster does not know ${jobId}`);
    return found;
  }

  processes(role?: ClusterProcess["role"]): ClusterProcess[] {
    return processesWith(this.home).filter((candidate) => role === undefined || candidate.role === role);
  }

  /** The one main. */
  get main(): ClusterProcess {
    const [main, ...others] = this.processes("main");
    assert.ok(main !== undefined && others.length === 0, `there are ${others.length + (main === undefined ? 0 : 1)} mains`);
    return main;
  }

  /** Resolves when no worker has used its processor for a moment. */
  async workersIdle(): Promise<void> {
    await until("the workers are idle", async () => {
      const before = new Map(this.processes("worker").map(({ pid }) => [pid, cpuMsOf(pid)]));
      await pause(IDLE_LOOK_MS);
      return [...before].every(([pid, cpuMs]) => cpuMsOf(pid) - cpuMs <= IDLE_LOOK_MS * IDLE_SHARE);
    });
  }

  /** Resolves when every node has its fresh containers and no job. */
  async ready(): Promise<void> {
    await until("all nodes are ready", async () => {
      const { nodes } = await this.status();
      return nodes.length > 0 && nodes.every((node) => node.state === "READY");
    });
  }

  /** Starts the cluster by a first call from this process, as a user does. */
  async start(): Promise<void> {
    const { remoteParallelMap } = await import("burla");
    await remoteParallelMap((x: number) => x, [0]).toArray();
    await this.ready();
  }

  /** Asks the cluster to end. Resolves when none of its processes is left. */
  async shutdown(): Promise<void> {
    if (this.isAnnounced) await this.request("/v1/shutdown", { method: "POST" }).catch(() => undefined);
    await this.gone();
  }

  /** @throws Error that names the processes that are left. */
  async gone(): Promise<void> {
    await until("the cluster is gone", () => this.processes().length === 0).catch((error: Error) => {
      const left = this.processes();
      for (const { pid } of left) process.kill(pid, "SIGKILL");
      throw new Error(`${error.message}; left: ${left.map(({ pid, command }) => `${pid} ${command}`).join("; ")}`);
    });
  }

  /** Ends the cluster and removes its folder. */
  async dispose(): Promise<void> {
    try {
      await this.shutdown();
    } finally {
      rmSync(this.home, { recursive: true, force: true });
    }
  }
}

/**
 * The cluster of a whole test file, running before the first test: calls of `remoteParallelMap` in this process use it.
 * After the last test it is shut down, and no process of it may be left.
 */
export function useCluster(environment: Record<string, string> = {}): TestCluster {
  const cluster = new TestCluster();
  Object.assign(process.env, environment, { BURLA_HOME: cluster.home });
  before(() => cluster.start());
  after(() => cluster.dispose());
  return cluster;
}
