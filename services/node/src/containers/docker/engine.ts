/**
 * The Docker Engine of this machine, which may be stopped and come back at any time. A request that it could not take
 * for this reason is made again when it answers, for as long as patience lasts.
 */
import type Docker from "dockerode";
import { BurlaError, messageOf } from "@burla/protocol";

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
/** An engine is started again within seconds, by its service manager or by a person; containers of its own may take ten. */
const PATIENCE_MS = 60_000;
/** One that stands still takes requests and answers none. */
const PING_MS = 5_000;
/** What a connection says that was lost, or that nobody took. */
const LOST_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"]);

interface EngineFailure {
  readonly statusCode?: number;
  readonly code?: string;
  readonly reason?: string;
  readonly json?: { message?: string } | null;
}

export class Engine {
  readonly #docker: Docker;
  readonly #onChange: () => void;
  readonly #patienceMs: number;
  #recovery: Promise<void> | undefined;

  /** @param onChange it was lost, or has come back. */
  constructor(docker: Docker, onChange: () => void = () => undefined, patienceMs = PATIENCE_MS) {
    this.#docker = docker;
    this.#onChange = onChange;
    this.#patienceMs = patienceMs;
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
        return await make(this.#docker);
      } catch (error) {
        if (!isLost(error)) throw error;
        onLost();
        this.#recovery ??= this.#recover(error);
      }
    }
  }

  /** All who wait share one series of attempts. */
  async #recover(cause: unknown): Promise<void> {
    this.#onChange();
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

  async #answers(): Promise<boolean> {
    try {
      await Promise.race([this.#docker.ping(), late(PING_MS)]);
      return true;
    } catch {
      return false;
    }
  }
}

function late(ms: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms).unref());
}

/** The engine was not there, or went away, before it had answered. An answer of any kind has a status. */
function isLost(error: unknown): boolean {
  const { statusCode, code } = error as EngineFailure;
  return statusCode === undefined && (LOST_CODES.has(code ?? "") || /socket hang up|aborted/.test(messageOf(error)));
}

/** The HTTP status of an answer of the engine; undefined for anything else. */
export function statusOf(error: unknown): number | undefined {
  return (error as EngineFailure).statusCode;
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
  return new BurlaError("BURLA_CONTAINERS", `the Docker Engine says: ${engineMessage(error)}`, { cause: error });
}
