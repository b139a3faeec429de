/** What Compute Engine refuses, in the kinds that somebody would act differently on. */

export type FailureKind =
  /** The project may not have more of something in this region. */
  | "quota"
  /** The zone has no such machine now. */
  | "stockout"
  /** The zone never has such machines, GPUs or disks. */
  | "unsupported"
  /** Asked too often. */
  | "rate-limit"
  /** The service, or the way to it, failed: the same request may be sent again. */
  | "transient"
  | "denied"
  | "not-found"
  | "exists"
  /** The request itself is wrong, and stays so. */
  | "invalid";

export interface GceFailure {
  readonly kind: FailureKind;
  /** What the service said, one line. */
  readonly message: string;
  /** The request was taken and its operation failed: the same request id is answered with this failure for ever. */
  readonly isOfOperation?: boolean;
}

/** Thrown by `Compute` for whatever the service refuses. */
export class GceError extends Error implements GceFailure {
  override name = "GceError";
  readonly kind: FailureKind;
  readonly isOfOperation: boolean;

  constructor({ kind, message, isOfOperation = false }: GceFailure, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.isOfOperation = isOfOperation;
  }
}

/** By its name: the class may be loaded twice, once in a file of its own. */
export function isGceFailure(error: unknown): error is GceError {
  return error instanceof Error && error.name === "GceError";
}

/** What is known of a failed request or operation, whatever its shape was. */
export interface RawFailure {
  readonly httpCode: number | null;
  /** `error.errors[].reason` of a request, `code` of an operation. */
  readonly reasons: readonly string[];
  readonly message: string;
}

const BY_REASON: readonly (readonly [RegExp, FailureKind])[] = [
  [/^(QUOTA_EXCEEDED|quotaExceeded|limitExceeded)$/, "quota"],
  [/^(ZONE_RESOURCE_POOL_EXHAUSTED(_WITH_DETAILS)?|RESOURCE_POOL_EXHAUSTED|STOCKOUT|resourcePoolExhausted)$/i, "stockout"],
  [/^(rateLimitExceeded|userRateLimitExceeded|RATE_LIMIT_EXCEEDED|RESOURCE_OPERATION_RATE_EXCEEDED)$/, "rate-limit"],
  [/^(alreadyExists|RESOURCE_ALREADY_EXISTS)$/, "exists"],
  [/^(notFound|RESOURCE_NOT_FOUND)$/, "not-found"],
  [/^(resourceNotReady|RESOURCE_NOT_READY|resourceInUseByAnotherResource|RESOURCE_IN_USE_BY_ANOTHER_RESOURCE)$/, "transient"],
];

/** Types belong to zones; the reason of the refusal is the same as for a field that is misspelt. */
const LACKING = /\b(machine|accelerator|disk)[ -]?types?\b.*\b(does not exist|not (found|available|supported))\b|\b(is|are) not (available|supported) in (the )?zone\b/i;

export function classify({ httpCode, reasons, message }: RawFailure): GceFailure {
  const text = message.split("\n")[0]?.trim() || "it gave no reason";
  if ((httpCode === null || httpCode < 500) && LACKING.test(text)) return { kind: "unsupported", message: text };
  for (const reason of reasons) {
    const kind = BY_REASON.find(([pattern]) => pattern.test(reason))?.[1];
    // A quota of requests per minute has the name of a quota, and passes by itself.
    if (kind === "quota" && /per minute/i.test(text)) return { kind: "rate-limit", message: text };
    if (kind !== undefined) return { kind, message: text };
  }
  return { kind: byStatus(httpCode), message: text };
}

function byStatus(httpCode: number | null): FailureKind {
  if (httpCode === null || httpCode >= 500 || httpCode === 408) return "transient";
  if (httpCode === 429) return "rate-limit";
  if (httpCode === 409) return "exists";
  if (httpCode === 404) return "not-found";
  return httpCode === 401 || httpCode === 403 ? "denied" : "invalid";
}

const RAW_PAYLOAD = Symbol.for("google-gax.rawHttpResponsePayload");

/** The answer as the service sent it; where it is differs by the version of the client. */
interface Answer {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: unknown;
}

/** From what a call of the client threw: the fields of its errors drop the reasons, which are in the answer. */
export function failureOfCall(thrown: unknown): GceError {
  if (isGceFailure(thrown)) return thrown;
  const error = (thrown ?? {}) as { message?: unknown; httpStatusCode?: unknown; status?: unknown; [RAW_PAYLOAD]?: unknown };
  const answer = answerIn(error[RAW_PAYLOAD]) ?? answerIn(error.message) ?? {};
  const httpCode = [error.httpStatusCode, answer.code, error.status].find((code) => typeof code === "number") ?? null;
  const message = [answer.message, error.message].find((text) => typeof text === "string") ?? String(thrown);
  return new GceError(classify({ httpCode, reasons: reasonsIn(answer), message }), thrown);
}

function answerIn(raw: unknown): Answer | null {
  if (typeof raw !== "string" && !(raw instanceof Uint8Array)) return null;
  try {
    const { error } = JSON.parse(raw.toString()) as { error?: Answer };
    return error ?? null;
  } catch {
    return null;
  }
}

function reasonsIn({ errors }: Answer): string[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((error: { reason?: unknown }) => (typeof error.reason === "string" ? [error.reason] : []));
}
