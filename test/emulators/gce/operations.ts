/** Operations: what the API answers at once for work that takes time. */
import { randomBytes } from "node:crypto";
import { notFound } from "./http.ts";

/** How an operation fails: in its `error`, while the request that began it was accepted. */
export class OperationFailure extends Error {
  readonly code: string;
  readonly httpCode: number;
  readonly httpMessage: string;

  constructor(code: string, message: string, httpCode: number, httpMessage: string) {
    super(message);
    this.code = code;
    this.httpCode = httpCode;
    this.httpMessage = httpMessage;
  }
}

export interface OperationResource {
  readonly kind: "compute#operation";
  readonly id: string;
  readonly name: string;
  readonly operationType: string;
  readonly targetLink: string;
  readonly insertTime: string;
  readonly selfLink: string;
  readonly user: string;
  readonly zone?: string;
  status: "PENDING" | "RUNNING" | "DONE";
  progress: number;
  startTime?: string;
  endTime?: string;
  error?: { errors: { code: string; message: string }[] };
  httpErrorStatusCode?: number;
  httpErrorMessage?: string;
}

export interface Begin {
  readonly project: string;
  /** Null: global. */
  readonly zone: string | null;
  readonly type: string;
  readonly targetLink: string;
  readonly user?: string;
  readonly work: () => void | Promise<void>;
}

/** `wait` answers after this long, done or not. */
const WAIT_MS = 120_000;

export class Operations {
  readonly #entries = new Map<string, { resource: OperationResource; done: Promise<void> }>();
  readonly #delayMs: number;
  readonly #base: () => string;
  #lastId = 0n;

  constructor(delayMs: number, base: () => string) {
    this.#delayMs = delayMs;
    this.#base = base;
  }

  begin({ project, zone, type, targetLink, user = "tester@example.com", work }: Begin): OperationResource {
    const name = `operation-${Date.now()}-${randomBytes(6).toString("hex")}`;
    const scope = `${this.#base()}/compute/v1/projects/${project}/${zone === null ? "global" : `zones/${zone}`}`;
    const resource: OperationResource = {
      kind: "compute#operation", id: String(2n ** 62n + ++this.#lastId), name, operationType: type, targetLink, user,
      insertTime: now(), selfLink: `${scope}/operations/${name}`, status: "PENDING", progress: 0, ...(zone !== null && { zone: scope }),
    };
    this.#entries.set(this.#key(project, zone, name), { resource, done: this.#run(resource, work) });
    // The caller is told how it was at first.
    return { ...resource };
  }

  get(project: string, zone: string | null, name: string): OperationResource {
    return this.#find(project, zone, name).resource;
  }

  async wait(project: string, zone: string | null, name: string): Promise<OperationResource> {
    const { resource, done } = this.#find(project, zone, name);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([done, new Promise((resolve) => (timer = setTimeout(resolve, WAIT_MS)))]);
    clearTimeout(timer);
    return resource;
  }

  #find(project: string, zone: string | null, name: string) {
    const found = this.#entries.get(this.#key(project, zone, name));
    if (found === undefined) throw notFound(`projects/${project}/operations/${name}`);
    return found;
  }

  #key(project: string, zone: string | null, name: string): string {
    return `${project}/${zone ?? "global"}/${name}`;
  }

  async #run(resource: OperationResource, work: () => void | Promise<void>): Promise<void> {
    await pause(this.#delayMs / 3);
    Object.assign(resource, { status: "RUNNING", startTime: now() });
    try {
      await pause(this.#delayMs);
      await work();
    } catch (error) {
      const failure = error instanceof OperationFailure ? error : new OperationFailure("INTERNAL_ERROR", String(error), 503, "SERVICE UNAVAILABLE");
      resource.error = { errors: [{ code: failure.code, message: failure.message }] };
      Object.assign(resource, { httpErrorStatusCode: failure.httpCode, httpErrorMessage: failure.httpMessage });
    }
    Object.assign(resource, { status: "DONE", progress: 100, endTime: now() });
  }
}

export function now(): string {
  return new Date().toISOString();
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
