/** Control requests to a running cluster. Nothing here starts one. */
import {
  addedPersonSchema, BurlaError, toldError, isErrorCode, jobFailuresSchema, jobListSchema, logLineSchema, MAX_WATCH_EVENT_BYTES, messageOf, peopleSchema, requestMain, ROUTES, statusSchema,
  watchEventSchema, type NewPerson, type WatchEvent,
} from "@burla/protocol";
import * as v from "valibot";
import { resolveCluster, type ClusterDoor } from "../cluster.ts";
import { linesOf } from "../lines.ts";
import type { ClusterStatus, ControlOptions, JobFailures, JobLogLine, JobSummary } from "./types.ts";

const TIMEOUT_MS = 10_000;

type Method = "GET" | "POST" | "DELETE";

export interface LogQuery {
  /** Goes on with new lines until the job has ended. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export class Control {
  readonly url: string;
  readonly #address: ClusterDoor;

  constructor(address: ClusterDoor) {
    this.url = address.url;
    this.#address = address;
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

  /** Who may use the cluster beside its owner. */
  async people(): Promise<NewPerson[]> {
    return v.parse(peopleSchema, await this.#json("GET", ROUTES.people)).people;
  }

  /** @returns the token of somebody who may use the cluster from now on. It is told this once. */
  async addPerson(person: NewPerson): Promise<string> {
    return v.parse(addedPersonSchema, await this.#json("POST", ROUTES.people, person)).token;
  }

  async removePerson(name: string): Promise<void> {
    await this.#json("DELETE", ROUTES.person.replace(":name", encodeURIComponent(name)));
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

  async #json(method: Method, path: string, body?: object): Promise<unknown> {
    return (await this.#request(method, path, AbortSignal.timeout(TIMEOUT_MS), body)).json();
  }

  async #request(method: Method, path: string, signal: AbortSignal, body?: object): Promise<Response> {
    const response = await requestMain({ ...this.#address, path, method, signal, ...(body !== undefined && { body: JSON.stringify(body) }) }).catch((cause: unknown) => {
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
  if (response.status === 401 || response.status === 403) return new BurlaError("BURLA_UNAUTHORIZED", response.status === 403 && typeof message === "string" ? message : `the cluster at ${url} refuses the token`);
  const code = isErrorCode(error) ? error : "BURLA_PROTOCOL";
  return toldError(code, typeof message === "string" ? message : `the cluster at ${url} answered ${response.status}`);
}

function routeOf(route: string, jobId: string): string {
  return route.replace(":jobId", encodeURIComponent(jobId));
}

/** What `fetch` says is only "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? messageOf(error) : messageOf(cause) || String((cause as { code?: unknown }).code);
}
