/**
 * The Docker Engine of this machine, which may be stopped and come back at any time. A request that it could not take
 * for this reason is made again when it answers, for as long as patience lasts.
 */
import type Docker from "dockerode";
import { BurlaError, messageOf } from "@burla/protocol";
import { Pulse } from "./pulse.ts";

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
/** An engine is started again within seconds, by its service manager or by a person; containers of its own may take ten. */
const PATIENCE_MS = 60_000;
/** It answers this to any question that it can answer at once. */
const PING_MS = 5_000;
/** While it is asked something it is looked at so often. */
const BEAT_MS = 5_000;
/** What a connection says that was lost, or that nobody took. */
const LOST_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"]);

interface EngineFailure {
  readonly statusCode?: number;
  readonly code?: string;
  readonly reason?: string;
  readonly json?: { message?: string } | null;
}

export interface EngineOptions {
  /** It was lost, or has come back. */
  readonly onChange?: () => void;
  /** How long one that is away is waited for. */
  readonly patienceMs?: number;
  readonly pingMs?: number;
  readonly beatMs?: number;
}

export class Engine {
  readonly #docker: Docker;
  readonly #onChange: () => void;
  readonly #patienceMs: number;
  readonly #pingMs: number;
  readonly #pulse: Pulse;
  #recovery: Promise<void> | undefined;

  constructor(docker: Docker, { onChange = () => undefined, patienceMs = PATIENCE_MS, pingMs = PING_MS, beatMs = BEAT_MS }: EngineOptions = {}) {
    this.#docker = docker;
    this.#onChange = onChange;
    this.#patienceMs = patienceMs;
    this.#pingMs = pingMs;
    this.#pulse = new Pulse(() => this.#answers(), beatMs);
  }

  /** Whether it is known not to answer. */
  get isLost(): boolean {
    return this.#recovery !== undefined;
  }

  /**
   * Makes a request, and makes it again when the engine was lost meanwhile: it must not matter how often it is made.
   * @param onLost told before it is waited for.
   * @throws BurlaError BURLA_CONTAINERS when the engine does not come back; whatever else the request throws.
   */
  async request<Result>(make: (docker: Docker) => Promise<Result>, onLost: () => void = () => undefined): Promise<Result> {
    for (;;) {
      if (this.#recovery !== undefined) await this.#recovery;
      try {
        return await this.#pulse.watch(make(this.#docker));
      } catch (error) {
        if (!isLost(error)) throw error;
        onLost();
        this.#beginRecovery(error);
      }
    }
  }

  /** All who wait share one series of attempts. */
  #beginRecovery(cause: unknown): void {
    if (this.#recovery !== undefined) return;
    this.#recovery = this.#recover(cause);
    this.#onChange();
  }

  async #recover(cause: unknown): Promise<void> {
    const deadlineMs = performance.now() + this.#patienceMs;
    try {
      for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(MAX_RETRY_MS, waitMs * 2)) {
        if (await this.#answers()) return;
        if (performance.now() > deadlineMs) throw unreachable(cause);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    } finally {
      this.#recovery = undefined;
      this.#onChange();
    }
  }

  #answers(): Promise<boolean> {
    return ping(this.#docker, this.#pingMs).then(() => true, () => false);
  }
}

/** @throws Error unless the engine answers within this time. */
async function ping(docker: Docker, withinMs: number): Promise<void> {
  // The types do not know that it takes this.
  const asked = docker.ping.bind(docker) as unknown as (options: { abortSignal: AbortSignal }) => Promise<unknown>;
  const signal = AbortSignal.timeout(withinMs);
  try {
    await asked({ abortSignal: signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw Object.assign(new Error(`it has not answered within ${withinMs} ms`, { cause: error }), { code: "ETIMEDOUT" });
  }
}

/** For programs that do not wait for an engine. @throws BurlaError BURLA_CONTAINERS unless it answers. */
export async function reach(docker: Docker, withinMs = PING_MS): Promise<void> {
  try {
    await ping(docker, withinMs);
  } catch (error) {
    throw isLost(error) ? unreachable(error) : refusal(error);
  }
}

/** The engine was not there, or went away, before it had answered. An answer of any kind has a status. */
export function isLost(error: unknown): boolean {
  const { statusCode, code } = error as EngineFailure;
  return statusCode === undefined && (LOST_CODES.has(code ?? "") || /socket hang up|aborted/.test(messageOf(error)));
}

/** The HTTP status of an answer of the engine; undefined for anything else. */
export function statusOf(error: unknown): number | undefined {
  return (error as EngineFailure).statusCode;
}

/** For requests that were made before: they are as good as made when the engine says so with this status. */
export function unless(status: number): (error: unknown) => void {
  return (error) => {
    if (statusOf(error) !== status) throw error;
  };
}

/** What the engine said, in its own words. */
export function engineMessage(error: unknown): string {
  const { json } = error as EngineFailure;
  return json?.message ?? messageOf(error);
}

function unreachable(cause: unknown): BurlaError {
  const { code } = cause as EngineFailure;
  return new BurlaError("BURLA_CONTAINERS", `no Docker Engine answers: ${messageOf(cause)}`, {
    cause,
    cure: code === "ENOENT" || code === "ECONNREFUSED" ? "Start it (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST." : "Look at the engine's log: `journalctl -u docker`.",
  });
}

/** Of a request that failed for another reason than a lost engine. */
export function refusal(error: unknown): BurlaError {
  if (error instanceof BurlaError) return error;
  if ((error as EngineFailure).code === "EACCES") {
    return new BurlaError("BURLA_CONTAINERS", `this user may not use the Docker Engine: ${messageOf(error)}`, { cause: error, cure: "Add the user to the group `docker` and log in again." });
  }
  if (/no space left on device/i.test(engineMessage(error))) {
    return new BurlaError("BURLA_CONTAINERS", "the disk of the Docker Engine is full", { cause: error, cure: "Make room on it, for example with `docker system prune`." });
  }
  return new BurlaError("BURLA_CONTAINERS", `the Docker Engine says: ${engineMessage(error)}`, { cause: error });
}
