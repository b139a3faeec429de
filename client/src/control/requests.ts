/** Control requests to a running cluster. Nothing here starts one. */
import {
  BurlaError, burlaError, isErrorCode, jobFailuresSchema, jobListSchema, logLineSchema, MAX_WATCH_EVENT_BYTES, messageOf, ROUTES, statusSchema,
  watchEventSchema, type WatchEvent,
} from "@burla/protocol";
import * as v from "valibot";
import { resolveCluster } from "../cluster.ts";
import { linesOf } from "../lines.ts";
import type { ClusterAddress } from "../types.ts";
import type { ClusterStatus, ControlOptions, JobFailures, JobLogLine, JobSummary } from "./types.ts";

const TIMEOUT_MS = 10_000;

export interface LogQuery {
  /** Goes on with new lines until the job has ended. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export class Control {
  readonly url: string;
  readonly #token: string;

  constructor({ url, token }: ClusterAddress) {
    this.url = url;
    this.#token = token;
  }

  /** @throws BurlaError BURLA_UNREACHABLE, BURLA_UNAUTHORIZED, BURLA_PROTOCOL; this holds for all methods. */
  async status(): Promise<ClusterStatus> {
    return v.parse(statusSchema, await this.#json("GET", ROUTES.status));
  }

  /** Oldest first. */
  async jobs(): Promise<JobSummary[]> {
    return v.parse(jobListSchema, await this.#json("GET", ROUTES.jobs)).jobs;
  }

  /** @throws BurlaError BURLA_NO_SUCH_JOB too. */
  async job(jobId: string): Promise<JobSummary> {
    const jobs = { jobs: [await this.#json("GET", routeOf(ROUTES.job, jobId))] };
    return v.parse(jobListSchema, jobs).jobs[0] as JobSummary;
  }

  /** @throws BurlaError BURLA_NO_SUCH_JOB too. */
  async cancelJob(jobId: string): Promise<void> {
    await this.#json("POST", routeOf(ROUTES.cancelJob, jobId));
  }

  /** @throws BurlaError BURLA_NO_SUCH_JOB too. */
  async jobFailures(jobId: string): Promise<JobFailures> {
    return v.parse(jobFailuresSchema, await this.#json("GET", routeOf(ROUTES.jobFailures, jobId)));
  }

  /** Resolves when the cluster has heard it. */
  async shutdown(): Promise<void> {
    await this.#json("POST", ROUTES.shutdown);
  }

  /** The lines that a job's calls printed. @throws BurlaError BURLA_NO_SUCH_JOB too. */
  async *lines(jobId: string, { follow, signal }: LogQuery): AsyncGenerator<JobLogLine> {
    yield* this.#stream(`${routeOf(ROUTES.jobLogs, jobId)}${follow ? "?follow=1" : ""}`, logLineSchema, signal);
  }

  /** What happens in the cluster, from its whole status on, until it ends. The signal ends it without an error. */
  watch(signal: AbortSignal): AsyncGenerator<WatchEvent> {
    return this.#stream(ROUTES.watch, watchEventSchema, signal);
  }

  async *#stream<Item>(path: string, schema: v.GenericSchema<unknown, Item>, signal: AbortSignal): AsyncGenerator<Item> {
    try {
      const { body } = await this.#request("GET", path, signal);
      if (body === null) return;
      for await (const { text } of linesOf(body, MAX_WATCH_EVENT_BYTES)) {
        // An empty line says no more than that the cluster is there.
        if (text !== "") yield v.parse(schema, JSON.parse(text));
      }
    } catch (cause) {
      if (signal.aborted) return;
      if (cause instanceof BurlaError) throw cause;
      if (cause instanceof v.ValiError || cause instanceof SyntaxError || cause instanceof RangeError) {
        throw new BurlaError("BURLA_PROTOCOL", `the cluster at ${this.url} says what this client does not know`, { cause });
      }
      throw new BurlaError("BURLA_UNREACHABLE", `the cluster at ${this.url} went away`, { cause });
    }
  }

  async #json(method: "GET" | "POST", path: string): Promise<unknown> {
    return (await this.#request(method, path, AbortSignal.timeout(TIMEOUT_MS))).json();
  }

  async #request(method: "GET" | "POST", path: string, signal: AbortSignal): Promise<Response> {
    const response = await fetch(new URL(path, this.url), { method, signal, headers: { authorization: `Bearer ${this.#token}` } }).catch((cause: unknown) => {
      throw new BurlaError("BURLA_UNREACHABLE", `no cluster answers at ${this.url}: ${reasonOf(cause)}`, { cause });
    });
    if (!response.ok) throw await errorOf(response, this.url);
    return response;
  }
}

/** @throws BurlaError BURLA_UNREACHABLE when no cluster of this name has said where it is. */
export function controlOf(cluster: ControlOptions["cluster"]): Control {
  return new Control(resolveCluster(cluster).address());
}

async function errorOf(response: Response, url: string): Promise<BurlaError> {
  const { error, message } = (await response.json().catch(() => ({}))) as { error?: unknown; message?: unknown };
  if (response.status === 401) return new BurlaError("BURLA_UNAUTHORIZED", `the cluster at ${url} refuses the token`);
  const code = isErrorCode(error) ? error : "BURLA_PROTOCOL";
  return burlaError(code, typeof message === "string" ? (message.split("\n")[0] ?? "") : `the cluster at ${url} answered ${response.status}`);
}

function routeOf(route: string, jobId: string): string {
  return route.replace(":jobId", encodeURIComponent(jobId));
}

/** What `fetch` says is only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? messageOf(error) : messageOf(cause) || String((cause as { code?: unknown }).code);
}
