/** What a test makes go wrong. */
import { OperationFailure } from "./operations.ts";

/** The next matching request fails so. */
export interface Fault {
  /** `insert`: of an instance. `any`: any request to the API. */
  readonly on: "insert" | "any";
  /** Null: in every zone. */
  readonly zone: string | null;
  /** The request is refused; or accepted, and its operation fails; or the connection is cut. */
  readonly shape: "request" | "operation" | "cut";
  /** Reason of the request, or code of the operation. */
  readonly code: string;
  readonly httpCode: number;
  readonly httpMessage: string;
  readonly message: string;
  readonly times: number;
}

export const RATE_LIMIT: Fault = {
  on: "any", zone: null, shape: "request", code: "rateLimitExceeded", httpCode: 403, httpMessage: "", times: 1,
  message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'compute.googleapis.com'",
};
export const QUOTA_BY_REQUEST: Fault = { ...RATE_LIMIT, on: "insert", code: "quotaExceeded", message: "Quota 'CPUS' exceeded.  Limit: 8.0 in region us-central1." };
export const CUT: Fault = { ...RATE_LIMIT, shape: "cut" };
export const UNAVAILABLE: Fault = { ...RATE_LIMIT, code: "backendError", httpCode: 503, message: "The service is currently unavailable." };

export class Faults {
  readonly #faults: { fault: Fault; left: number }[] = [];
  readonly #refused = new Map<string, { code: string; onlySpot: boolean }>();

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times });
  }

  /** The zone has no machines, until it is `allow`ed again. */
  refuse(zone: string, { code = "ZONE_RESOURCE_POOL_EXHAUSTED", onlySpot = false } = {}): void {
    this.#refused.set(zone, { code, onlySpot });
  }

  allow(zone: string): void {
    this.#refused.delete(zone);
  }

  refusal(zone: string, isSpot: boolean): OperationFailure | null {
    const refused = this.#refused.get(zone);
    if (refused === undefined || (refused.onlySpot && !isSpot)) return null;
    return new OperationFailure(refused.code, `The zone '${zone}' does not have enough resources available to fulfill the request.  Try a different zone, or try again later.`, 503, "SERVICE UNAVAILABLE");
  }

  take(on: Fault["on"], zone: string | null): Fault | null {
    const found = this.#faults.find(({ fault, left }) => left > 0 && fault.on === on && (fault.zone === null || fault.zone === zone));
    if (found === undefined) return null;
    found.left--;
    return found.fault;
  }
}
