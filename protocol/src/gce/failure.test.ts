import assert from "node:assert/strict";
import { test } from "node:test";
import { classify, failureOfCall, GceError, isGceFailure } from "./failure.ts";

const kindOf = (httpCode: number | null, reasons: string[] = [], message = "no") => classify({ httpCode, reasons, message }).kind;

test("reasons of requests and codes of operations are known in both shapes", () => {
  assert.equal(kindOf(403, ["quotaExceeded"]), "quota");
  assert.equal(kindOf(403, ["QUOTA_EXCEEDED"]), "quota");
  assert.equal(kindOf(503, ["ZONE_RESOURCE_POOL_EXHAUSTED"]), "stockout");
  assert.equal(kindOf(503, ["ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"]), "stockout");
  assert.equal(kindOf(403, ["rateLimitExceeded"]), "rate-limit");
  assert.equal(kindOf(409, ["alreadyExists"]), "exists");
  assert.equal(kindOf(400, ["resourceNotReady"]), "transient");
});

test("a quota of requests per minute is a rate limit, whatever its reason is called", () => {
  assert.equal(kindOf(403, ["quotaExceeded"], "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'"), "rate-limit");
});

test("a type that the zone lacks is told from a request that is wrong", () => {
  for (const message of [
    "Invalid value for field 'resource.machineType': 'zones/us-central1-x/machineTypes/c3-standard-4'. Machine type with name 'c3-standard-4' does not exist in zone 'us-central1-x'.",
    "Invalid value for field 'resource.guestAccelerators[0].acceleratorType': ''. Accelerator type 'nvidia-l4' is not available in zone 'us-central1-f'.",
    "Invalid value for field 'resource.machineType': 'zones/us-central1-f/machineTypes/c3-standard-4'. The referenced resource does not exist.",
    "The resource 'projects/p/zones/us-central1-f/acceleratorTypes/nvidia-l4' was not found",
  ]) assert.equal(kindOf(message.startsWith("The") ? 404 : 400, [message.startsWith("The") ? "notFound" : "invalid"], message), "unsupported", message);
  assert.equal(kindOf(400, ["invalid"], "Invalid value for field 'resource.machineType': 'x'. The URL is malformed."), "invalid");
  assert.equal(kindOf(404, ["notFound"], "The resource 'projects/p/zones/us-central1-f/instances/a' was not found"), "not-found");
});

test("without a reason that is known the status decides", () => {
  const kinds = [null, 400, 401, 403, 404, 408, 409, 412, 429, 500, 503].map((code) => kindOf(code, ["somethingNew"]));
  assert.deepEqual(kinds, ["transient", "invalid", "denied", "denied", "not-found", "transient", "exists", "invalid", "rate-limit", "transient", "transient"]);
});

const ANSWER = JSON.stringify({ error: { code: 403, message: "Quota 'CPUS' exceeded.  Limit: 8.0 in region us-central1.", errors: [{ reason: "quotaExceeded" }] } });

test("the answer is found in the error's message, or beside it", () => {
  const beside = Object.assign(new Error("short"), { httpStatusCode: 403, [Symbol.for("google-gax.rawHttpResponsePayload")]: ANSWER });
  for (const thrown of [new Error(ANSWER), beside]) {
    const { kind, message, cause } = failureOfCall(thrown);
    assert.deepEqual([kind, message, cause], ["quota", "Quota 'CPUS' exceeded.  Limit: 8.0 in region us-central1.", thrown]);
  }
});

test("a broken connection may be tried again; a failure that is known stays what it is", () => {
  assert.equal(failureOfCall(Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })).kind, "transient");
  assert.equal(failureOfCall("text").kind, "transient");
  const known = new GceError({ kind: "denied", message: "no" });
  assert.equal(failureOfCall(known), known);
  assert.ok(isGceFailure(known) && !isGceFailure(new Error("no")));
});
